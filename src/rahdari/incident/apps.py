from django.apps import AppConfig


class IncidentConfig(AppConfig):
    name = "rahdari.incident"
    label = "incident"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.watch import queries as watch

        from . import queries

        watch.LETS_SEE.append(queries.lets_see)
