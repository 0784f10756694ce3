"""Addresses of this room's own pages. Those of signing in stand in `account_urls`."""

from django.conf import settings
from django.urls import path

from . import views

app_name = "people"

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/sessions/end/", views.end_other_sessions, name="end_other_sessions"),
    path("account/second-factor/", views.second_factor, name="second_factor"),
    path("posts/", views.posts, name="posts"),
    path("posts/<int:id>/end/", views.end_post, name="end_post"),
]

if settings.DEMO:
    urlpatterns.append(path("demo/sign-in/", views.demo_sign_in, name="demo_sign_in"))
