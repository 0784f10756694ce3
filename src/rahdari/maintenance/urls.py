from django.urls import path

from rahdari.confirm.interface import OPERATORS
from rahdari.programs import dispatch

from . import operations, views
from .views import at_desk, at_operator

app_name = "maintenance"

urlpatterns = [
    path("operator/planned-work/", at_operator(views.works), name="operator_works"),
    path("operator/planned-work/new/", at_operator(views.new), name="operator_new"),
    path("operator/planned-work/read/", views.OPERATOR_READ, name="operator_read"),
    path("operator/planned-work/<str:reference>/", at_operator(views.work), name="operator_work"),
    path("operator/planned-work/<str:reference>/change/", at_operator(views.change), name="operator_change"),
    path("desk/planned-work/", at_desk(views.works), name="desk_works"),
    path("desk/planned-work/new/", at_desk(views.new), name="desk_new"),
    path("desk/planned-work/words/<uuid:id>/", views.DESK_WORDING, name="desk_wording"),
    path("desk/planned-work/<str:reference>/", at_desk(views.work), name="desk_work"),
    path("desk/planned-work/<str:reference>/change/", at_desk(views.change), name="desk_change"),
    *dispatch.patterns(OPERATORS, operations),
    path("planned-work/feed/<uuid:id>/<str:token>.ics", views.calendar, name="calendar"),
]
