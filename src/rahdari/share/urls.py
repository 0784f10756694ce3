from django.urls import path

from . import views

app_name = "share"

urlpatterns = [
    path("my/sharing/", views.sharing, name="sharing"),
    path("my/sharing/questions/<uuid:id>/", views.question, name="question"),
    path("my/sharing/<uuid:id>/stop/", views.stop, name="stop"),
]
