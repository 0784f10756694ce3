from django.urls import path, re_path

from rahdari.confirm.interface import OPERATORS
from rahdari.programs import dispatch

from . import planned_changes, views
from .interface import API

app_name = "api"

urlpatterns = [
    path("my/programs/", views.programs, name="programs"),
    path("my/programs/tokens/", views.make_token, name="make_token"),
    path("my/programs/tokens/<uuid:id>/end/", views.revoke_token, name="revoke_token"),
    path("my/programs/webhooks/<uuid:id>/end/", views.end_webhook, name="end_webhook"),
    path("api/v1/openapi.json", views.openapi, name="openapi"),
    *dispatch.patterns(OPERATORS, planned_changes),
    *dispatch.patterns(API),
    # Whatever stands there, a newline too.
    re_path(r"^api/v1/(?P<rest>(?s:.*))\Z", dispatch.nothing_here(API), name="nothing_here"),
    re_path(r"^op/v1/(?P<rest>(?s:.*))\Z", dispatch.nothing_here(OPERATORS), name="nothing_here_of_operators"),
]
