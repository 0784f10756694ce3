from django.apps import AppConfig


class VouchConfig(AppConfig):
    name = "rahdari.vouch"
    label = "vouch"
    default_auto_field = "django.db.models.BigAutoField"
