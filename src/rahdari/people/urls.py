"""Addresses of this room's own pages. Those of signing in stand in `account_urls`."""

from django.conf import settings
from django.urls import path

from rahdari import optional

from . import organisation_pages, reauthentication, views

app_name = "people"

urlpatterns = [
    path("account/", views.account, name="account"),
    path("account/sessions/end/", views.end_other_sessions, name="end_other_sessions"),
    path("account/confirm/code/", reauthentication.ConfirmCodeView.as_view(), name="confirm_code"),
    path("account/second-factor/", views.second_factor, name="second_factor"),
    *(each for added in optional.given(__package__, "urlpatterns") for each in added),
    path("account/organisations/", organisation_pages.organisations, name="organisations"),
    path("account/organisations/<uuid:id>/", organisation_pages.organisation, name="organisation"),
    path("account/organisations/<uuid:id>/members/<int:member>/role/", organisation_pages.change_role, name="role"),
    path(
        "account/organisations/<uuid:id>/members/<int:member>/remove/",
        organisation_pages.remove_member,
        name="remove_member",
    ),
    path(
        "account/organisations/<uuid:id>/invitations/<int:invitation>/withdraw/",
        organisation_pages.withdraw_invitation,
        name="withdraw_invitation",
    ),
    path("account/invitations/<int:invitation>/<str:token>/", organisation_pages.invitation, name="invitation"),
    path("account/invitations/<int:invitation>/", organisation_pages.answer_invitation, name="answer_invitation"),
    path("posts/", views.posts, name="posts"),
    path("posts/proposed/<int:id>/", views.answer_proposed_post, name="answer_proposed_post"),
    path("posts/<int:id>/end/", views.end_post, name="end_post"),
]

if settings.DEMO:
    urlpatterns.append(path("demo/sign-in/", views.demo_sign_in, name="demo_sign_in"))
