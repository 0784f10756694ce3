from django.urls import path

from . import views

app_name = "letters"

urlpatterns = [
    path("letters/no-reminders/<uuid:id>/<str:token>/", views.no_reminders, name="no_reminders"),
    path("metrics/letters", views.metrics_page, name="metrics"),
]
