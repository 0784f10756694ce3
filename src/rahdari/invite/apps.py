from django.apps import AppConfig


class InviteConfig(AppConfig):
    name = "rahdari.invite"
    label = "invite"
    default_auto_field = "django.db.models.BigAutoField"
