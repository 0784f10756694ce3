from django.apps import AppConfig


class VerifyConfig(AppConfig):
    name = "rahdari.verify"
    label = "verify"
    default_auto_field = "django.db.models.BigAutoField"
