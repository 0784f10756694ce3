from django.urls import path

from . import views

app_name = "vouch"

urlpatterns = [
    path("vouch/<str:token>/", views.question, name="question"),
    path("vouch/<str:token>/stop/", views.stop, name="stop"),
]
