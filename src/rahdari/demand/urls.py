from django.urls import path

from . import views

app_name = "demand"

urlpatterns = [
    path("desk/demands/", views.ledger, name="ledger"),
    path("desk/demands/new/", views.new, name="new"),
    path("desk/demands/<uuid:id>/", views.demand, name="demand"),
    path("desk/demands/<uuid:id>/file/", views.find_file, name="find_file"),
    path("desk/demands/<uuid:id>/open/", views.open_file, name="open_file"),
    path("desk/demands/<uuid:id>/answer/", views.answer, name="answer"),
    path("desk/demands/<uuid:id>/agree/", views.agree, name="agree"),
]
