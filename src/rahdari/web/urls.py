from django.urls import path

from . import language

app_name = "web"
urlpatterns = [path("language/<slug:code>/", language.switch, name="language")]
