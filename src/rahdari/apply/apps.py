from django.apps import AppConfig


class ApplyConfig(AppConfig):
    name = "rahdari.apply"
    label = "apply"
    default_auto_field = "django.db.models.BigAutoField"
