from importlib.util import find_spec

from django.urls import URLPattern

if find_spec("rahdari.publish.queries"):
    from django.urls import path

    from . import home

    urlpatterns = [
        path("operator/", home.home, name="operator"),
    ]
else:
    urlpatterns: list[URLPattern] = []
