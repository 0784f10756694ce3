from django.apps import AppConfig


class LeaseConfig(AppConfig):
    name = "rahdari.lease"
    label = "lease"
    default_auto_field = "django.db.models.BigAutoField"
