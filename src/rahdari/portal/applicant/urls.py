from django.urls import path

from . import again, answers, holding, home, letters, operator_way, prove, registration, send, status, tasks, ways

urlpatterns = [
    path("my/", home.home, name="home"),
    path("my/applications/<str:reference>/", status.application, name="application"),
    path("my/applications/<str:reference>/tasks/", tasks.tasks, name="tasks"),
    path("my/applications/<str:reference>/prove/", prove.first, name="prove_first"),
    path("my/applications/<str:reference>/prove/<uuid:endpoint>/", prove.prove, name="prove"),
    path("my/applications/<str:reference>/prove/<uuid:endpoint>/operator/", operator_way.page, name="prove_operator"),
    path("my/applications/<str:reference>/prove/<uuid:endpoint>/<slug:method>/", ways.way, name="prove_way"),
    path("my/applications/<str:reference>/send/", send.check_and_send, name="check"),
    path("my/applications/<str:reference>/status/", status.status, name="status"),
    path("my/applications/<str:reference>/question/", answers.question, name="question"),
    path("my/applications/<str:reference>/notice/", answers.notice, name="notice"),
    path("my/applications/<str:reference>/refusal/", answers.refusal, name="refusal"),
    path("my/applications/<str:reference>/withdraw/", status.withdraw, name="withdraw"),
    path("my/registrations/", home.registrations, name="registrations"),
    path("my/registrations/<str:reference>/", registration.registration, name="registration"),
    path("my/registrations/<str:reference>/end/", holding.end_registration, name="end_registration"),
    path(
        "my/registrations/<str:reference>/addresses/<uuid:entry>/",
        holding.change_entry,
        name="change_entry",
    ),
    path(
        "my/registrations/<str:reference>/addresses/<uuid:entry>/proof/",
        again.prove_again,
        name="prove_again",
    ),
    path("my/letters/", letters.letters, name="letters"),
    path("my/letters/<uuid:id>/", letters.letter, name="letter"),
]
