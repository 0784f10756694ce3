from django.apps import AppConfig


class IncidentConfig(AppConfig):
    name = "rahdari.incident"
    label = "incident"
    default_auto_field = "django.db.models.BigAutoField"
