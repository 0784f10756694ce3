from django.urls import path

from . import views

app_name = "dyndns"

urlpatterns = [
    path("metrics/dyndns", views.metrics_page, name="metrics"),
]
