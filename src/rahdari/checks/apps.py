from django.apps import AppConfig


class ChecksConfig(AppConfig):
    name = "rahdari.checks"
    label = "checks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import kinds  # noqa: F401 (it says which checks a policy may ask for)
