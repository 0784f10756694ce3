from django.apps import AppConfig


class LicenseesConfig(AppConfig):
    name = "rahdari.licensees"
    label = "licensees"
    default_auto_field = "django.db.models.BigAutoField"
