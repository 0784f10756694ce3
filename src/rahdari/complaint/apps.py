from django.apps import AppConfig


class ComplaintConfig(AppConfig):
    name = "rahdari.complaint"
    label = "complaint"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.decide import due, evidence

        from . import queries

        due.UNSETTLED.append(queries.settled_at)
        evidence.REPORTS.append(queries.reports_about)
