from django.urls import path

from . import control, views

app_name = "watch"
urlpatterns = [path(control.PATH.lstrip("/"), views.control, name="control")]
