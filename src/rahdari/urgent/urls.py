from django.urls import path

from . import views

app_name = "urgent"
urlpatterns = [
    path("desk/urgent/", views.desk, name="desk"),
    path("desk/urgent/registrations/<str:reference>/", views.registration, name="registration"),
    path("desk/urgent/<uuid:id>/", views.call, name="call"),
    path("desk/urgent/<uuid:id>/called-back/", views.called_back, name="called_back"),
    path("desk/urgent/<uuid:id>/second/", views.second, name="second"),
    path("desk/urgent/<uuid:id>/decline/", views.decline, name="decline"),
]
