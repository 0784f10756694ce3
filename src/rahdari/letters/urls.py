from django.urls import path

from . import views

app_name = "letters"

urlpatterns = [
    path("sms/reports/<slug:provider>/", views.report, name="sms_report"),
    path("letters/no-reminders/<uuid:id>/<str:token>/", views.no_reminders, name="no_reminders"),
    path("metrics/letters", views.metrics_page, name="metrics"),
]
