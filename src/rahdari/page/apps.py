from django.apps import AppConfig


class PageConfig(AppConfig):
    name = "rahdari.page"
    label = "page"
    default_auto_field = "django.db.models.BigAutoField"
