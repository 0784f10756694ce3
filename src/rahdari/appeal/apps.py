from django.apps import AppConfig


class AppealConfig(AppConfig):
    name = "rahdari.appeal"
    label = "appeal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from rahdari.decide import due, hearings, serving
        from rahdari.web import context

        from . import actions, navigation, queries

        context.NAVIGATION.append(navigation.links)
        hearings.MATTERS["appeal"] = actions.standing_matter
        due.UNSETTLED.append(queries.settled_at)
        serving.HANDED_OVER.append(queries.handed_over_at)
