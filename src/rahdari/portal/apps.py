from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "rahdari.portal"
    label = "portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.web import context

        from . import navigation

        context.NAVIGATION.append(navigation.links)
