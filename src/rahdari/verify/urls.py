from django.urls import path

from . import views

app_name = "verify"

urlpatterns = [
    path("prove/<str:token>/", views.prove, name="prove"),
]
