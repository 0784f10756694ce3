from django.urls import path

from . import views

app_name = "sampling"
urlpatterns = [
    path("desk/second-looks/", views.second_looks, name="second_looks"),
    path("desk/second-looks/take/", views.take, name="take"),
    path("desk/second-looks/<uuid:id>/", views.look, name="look"),
    path("desk/second-looks/<uuid:id>/leave/", views.leave, name="leave"),
    path("desk/second-looks/<uuid:id>/documents/<uuid:document>/", views.document, name="document"),
    path("desk/second-looks/<uuid:id>/disagreement/", views.disagreement, name="disagreement"),
]
