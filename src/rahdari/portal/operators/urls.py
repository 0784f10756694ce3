from django.urls import path

from . import home

urlpatterns = [
    path("operator/", home.home, name="operator"),
]
