from django.urls import path

from . import kinds, views

app_name = "verify"

# Nothing is shown, and no letter with a link goes out, while a kind of check lacks a sentence in one of the languages.
kinds.require_translations()

urlpatterns = [
    path("prove/<str:token>/", views.prove, name="prove"),
]
