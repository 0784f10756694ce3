from django.urls import path

from . import api

app_name = "publish"

urlpatterns = [
    path("feed/receipt", api.receipt, name="receipt"),
    path("metrics", api.metrics_page, name="metrics"),
]
