from django.urls import path

from . import home, planned_changes

urlpatterns = [
    path("operator/", home.home, name="operator"),
    path("operator/planned-changes/", planned_changes.planned_changes, name="planned_changes"),
]
