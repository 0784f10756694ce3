from django.urls import path

from . import api

app_name = "mobile"

urlpatterns = [
    path("op/v1/lines", api.lines, name="lines"),
    path("op/v1/lines/changes", api.changes, name="changes"),
    path("op/v1/lines/receipt", api.receipt, name="receipt"),
    path("op/v1/lines/left", api.left, name="left"),
]
