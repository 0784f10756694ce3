from django.apps import AppConfig


class ConfirmConfig(AppConfig):
    name = "rahdari.confirm"
    label = "confirm"
    default_auto_field = "django.db.models.BigAutoField"
