from django.urls import path

from . import views

app_name = "sms"

urlpatterns = [path("sms/reports/<slug:provider>/", views.report, name="report")]
