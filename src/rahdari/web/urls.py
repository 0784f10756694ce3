from django.urls import path

from . import front, language

app_name = "web"
urlpatterns = [
    path("language/<slug:code>/", language.switch, name="language"),
    path("metrics/front", front.metrics_page, name="metrics"),
]
