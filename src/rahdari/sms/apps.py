from django.apps import AppConfig


class SmsConfig(AppConfig):
    name = "rahdari.sms"
    label = "sms"
    default_auto_field = "django.db.models.BigAutoField"
