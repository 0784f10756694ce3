from django.urls import path

from rahdari.programs import dispatch

from . import operations, views
from .interface import OPERATORS

app_name = "confirm"

urlpatterns = [
    path("operator/checks/", views.checks, name="checks"),
    path("operator/checks/open.csv", views.download, name="download"),
    path("operator/checks/files/", views.upload, name="upload"),
    path("operator/checks/files/<uuid:id>/", views.file, name="file"),
    path("operator/checks/files/<uuid:id>/to-correct.csv", views.corrected, name="corrected"),
    path("operator/checks/system/", views.system, name="system"),
    path("operator/checks/system/keys/", views.make_token, name="make_token"),
    path("operator/checks/system/keys/<uuid:id>/end/", views.revoke_token, name="revoke_token"),
    path("operator/checks/system/callback/", views.set_callback, name="set_callback"),
    path("operator/checks/<str:number>/", views.answer, name="answer"),
    path("op/v1/openapi.json", operations.openapi, name="openapi"),
    *dispatch.patterns(OPERATORS, operations),
]
