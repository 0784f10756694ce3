from django.urls import path

from rahdari.confirm.interface import OPERATORS
from rahdari.programs import dispatch

from . import operations, operator_views, views

app_name = "incident"

urlpatterns = [
    path("operator/incidents/", operator_views.incidents, name="of_operator"),
    path("operator/incidents/<str:reference>/", operator_views.incident, name="one_of_operator"),
    path("operator/incidents/<str:reference>/<slug:act>/", operator_views.act, name="act_of_operator"),
    path("desk/incidents/", views.incidents, name="incidents"),
    path("desk/incidents/new/", views.report, name="report"),
    path("desk/incidents/<str:reference>/", views.incident, name="incident"),
    path("desk/incidents/<str:reference>/<slug:act>/", views.act, name="act"),
    *dispatch.patterns(OPERATORS, operations),
]
