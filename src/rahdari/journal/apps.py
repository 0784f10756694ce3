from django.apps import AppConfig


class JournalConfig(AppConfig):
    name = "rahdari.journal"
    label = "journal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import registry

        registry.load()
