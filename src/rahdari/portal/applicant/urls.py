from importlib.util import find_spec

from django.urls import URLPattern

if find_spec("rahdari.publish.queries"):
    from django.urls import path

    from . import answers, home, letters, prove, registration, send, status, tasks

    urlpatterns = [
        path("applications/", home.home, name="home"),
        path("applications/<str:reference>/", status.application, name="application"),
        path("applications/<str:reference>/tasks/", tasks.tasks, name="tasks"),
        path("applications/<str:reference>/prove/", prove.first, name="prove_first"),
        path("applications/<str:reference>/prove/<uuid:endpoint>/", prove.prove, name="prove"),
        path("applications/<str:reference>/send/", send.check_and_send, name="check"),
        path("applications/<str:reference>/status/", status.status, name="status"),
        path("applications/<str:reference>/question/", answers.question, name="question"),
        path("applications/<str:reference>/notice/", answers.notice, name="notice"),
        path("applications/<str:reference>/refusal/", answers.refusal, name="refusal"),
        path("applications/<str:reference>/withdraw/", status.withdraw, name="withdraw"),
        path("my/registrations/", home.registrations, name="registrations"),
        path("my/registrations/<str:reference>/", registration.registration, name="registration"),
        path("my/letters/", letters.letters, name="letters"),
        path("my/letters/<uuid:id>/", letters.letter, name="letter"),
    ]
else:
    urlpatterns: list[URLPattern] = []
