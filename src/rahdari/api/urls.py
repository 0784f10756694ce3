from django.urls import path

from . import answering, routes, views

app_name = "api"

urlpatterns = [
    path("my/programs/", views.programs, name="programs"),
    path("my/programs/tokens/", views.make_token, name="make_token"),
    path("my/programs/tokens/<uuid:id>/end/", views.revoke_token, name="revoke_token"),
    path("api/v1/openapi.json", views.openapi, name="openapi"),
    *routes.patterns(),
    path("api/v1/", answering.nothing_here, name="nothing_here_at_all"),
    path("api/v1/<path:rest>", answering.nothing_here, name="nothing_here"),
]
