from django.apps import AppConfig


class ComplaintConfig(AppConfig):
    name = "rahdari.complaint"
    label = "complaint"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.decide import due
        from rahdari.web import context

        from . import navigation, queries

        context.NAVIGATION.append(navigation.links)
        due.UNSETTLED.append(queries.settled_at)
