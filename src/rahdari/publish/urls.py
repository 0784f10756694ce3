from django.urls import path

from rahdari.programs import dispatch

from . import api

app_name = "publish"

urlpatterns = [*dispatch.patterns(api.FEED), path("metrics", api.metrics_page, name="metrics")]
