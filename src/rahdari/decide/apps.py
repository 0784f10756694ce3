from django.apps import AppConfig


class DecideConfig(AppConfig):
    name = "rahdari.decide"
    label = "decide"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.web import context

        from . import navigation

        context.NAVIGATION.append(navigation.links)
