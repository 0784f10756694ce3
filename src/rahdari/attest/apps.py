from django.apps import AppConfig


class AttestConfig(AppConfig):
    name = "rahdari.attest"
    label = "attest"
    default_auto_field = "django.db.models.BigAutoField"
