from django.urls import path

from . import api, views

app_name = "confirm"

urlpatterns = [
    path("operator/checks/", views.checks, name="checks"),
    path("operator/checks/open.csv", views.download, name="download"),
    path("operator/checks/files/", views.upload, name="upload"),
    path("operator/checks/files/<uuid:id>/", views.file, name="file"),
    path("operator/checks/files/<uuid:id>/to-correct.csv", views.corrected, name="corrected"),
    path("operator/checks/system/", views.system, name="system"),
    path("operator/checks/system/keys/", views.make_token, name="make_token"),
    path("operator/checks/system/keys/<uuid:id>/end/", views.revoke_token, name="revoke_token"),
    path("operator/checks/system/callback/", views.set_callback, name="set_callback"),
    path("operator/checks/<str:number>/", views.answer, name="answer"),
    path("op/v1/openapi.json", api.openapi, name="openapi"),
    path("op/v1/checks", api.questions, name="questions"),
    path("op/v1/checks/<str:number>", api.question, name="question"),
    path("op/v1/answers", api.answers, name="answers"),
    path("op/v1/callback", api.callback, name="callback"),
    path("op/v1/callback/test", api.callback_test, name="callback_test"),
    path("op/v1/sandbox/checks", api.sandbox_questions, name="sandbox_questions"),
    path("op/v1/sandbox/checks/<str:number>", api.sandbox_question, name="sandbox_question"),
    path("op/v1/sandbox/answers", api.sandbox_answers, name="sandbox_answers"),
]
