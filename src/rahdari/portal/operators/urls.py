from django.urls import path

from . import change_notices, home, planned_changes

urlpatterns = [
    path("operator/", home.home, name="operator"),
    path("operator/planned-changes/", planned_changes.planned_changes, name="planned_changes"),
    path("operator/planned-changes/notice/", change_notices.draft_notice, name="draft_notice"),
]
