from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class PeopleConfig(AppConfig):
    name = "rahdari.people"
    label = "people"

    def ready(self) -> None:
        # When somebody was here last nobody asks, and each sign-in wrote it.
        user_logged_in.disconnect(dispatch_uid="update_last_login")

    default_auto_field = "django.db.models.BigAutoField"
