from django.apps import AppConfig


class DyndnsConfig(AppConfig):
    name = "rahdari.dyndns"
    label = "dyndns"
    default_auto_field = "django.db.models.BigAutoField"
