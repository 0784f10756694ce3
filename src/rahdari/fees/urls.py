from django.urls import path

from . import accounts, views

app_name = "fees"

urlpatterns = [
    path("my/invoices/", views.invoices, name="invoices"),
    path("my/invoices/<str:number>/", views.invoice, name="invoice"),
    path("my/invoices/<str:number>/receipt/", views.receipt, name="receipt"),
    path("accounts/payments/", accounts.payments, name="payments"),
    path("accounts/payments/<uuid:id>/", accounts.payment, name="payment"),
    path("accounts/invoices/", accounts.open_invoices, name="open"),
    path("accounts/statements/", accounts.statements, name="statements"),
]
