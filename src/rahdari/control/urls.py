from django.urls import path

from . import views

app_name = "control"

urlpatterns = [
    path("prove/<str:token>/", views.prove, name="prove"),
]
