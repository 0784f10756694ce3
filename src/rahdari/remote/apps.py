from django.apps import AppConfig


class RemoteConfig(AppConfig):
    name = "rahdari.remote"
    label = "remote"
    default_auto_field = "django.db.models.BigAutoField"
