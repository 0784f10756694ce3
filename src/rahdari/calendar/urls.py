from django.urls import path

from . import views

app_name = "calendar"
urlpatterns = [
    path("desk/calendar/", views.days, name="days"),
    path("desk/calendar/new/", views.new, name="new"),
    path("desk/calendar/<int:id>/", views.correction, name="correction"),
]
