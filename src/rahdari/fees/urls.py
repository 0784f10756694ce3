from django.urls import path

from . import accounting_pages, views

app_name = "fees"

urlpatterns = [
    path("my/invoices/", views.invoices, name="invoices"),
    path("my/invoices/<str:number>/", views.invoice, name="invoice"),
    path("my/invoices/<str:number>/receipt/", views.receipt, name="receipt"),
    path("accounts/payments/", accounting_pages.payments, name="payments"),
    path("accounts/payments/<uuid:id>/", accounting_pages.payment, name="payment"),
    path("accounts/invoices/", accounting_pages.open_invoices, name="open"),
    path("accounts/statements/", accounting_pages.statements, name="statements"),
]
