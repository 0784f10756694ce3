from django.apps import AppConfig


class UrgentConfig(AppConfig):
    name = "rahdari.urgent"
    label = "urgent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.web import context

        from . import navigation

        context.NAVIGATION.append(navigation.links)
