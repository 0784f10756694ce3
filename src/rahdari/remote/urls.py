from django.urls import path

from . import views

app_name = "remote"

urlpatterns = [
    path("line/<str:token>/", views.line, name="line"),
]
