from django.urls import path

from . import views

app_name = "letters"

urlpatterns = [
    path("sms/reports/<slug:provider>/", views.report, name="sms_report"),
    path("metrics/letters", views.metrics_page, name="metrics"),
]
