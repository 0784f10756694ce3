"""Every address of the web process."""

from django.apps import apps
from django.urls import include, path

from rahdari import optional
from rahdari.checks import kinds

# Nothing is shown, and no letter with a link goes out, while a kind of check lacks a sentence in one of the languages.
kinds.require_translations()

urlpatterns = [
    path("", include("rahdari.web.urls")),
    path("", include("rahdari.people.account_urls")),
    path("", include("rahdari.people.urls")),
    path("", include("rahdari.letters.urls")),
    path("", include("rahdari.apply.urls")),
    path("", include("rahdari.control.urls")),
    path("", include("rahdari.vouch.urls")),
    path("", include("rahdari.confirm.urls")),
    *(
        path("", include(f"rahdari.{room}.urls"))
        for room in optional.installed()
        if apps.is_installed(f"rahdari.{room}")
    ),
    path("", include("rahdari.decide.urls")),
    path("", include("rahdari.maintenance.urls")),
    path("", include("rahdari.appeal.urls")),
    path("", include("rahdari.demand.urls")),
    path("", include("rahdari.sampling.urls")),
    path("", include("rahdari.calendar.urls")),
    path("", include("rahdari.complaint.urls")),
    path("", include("rahdari.incident.urls")),
    path("", include("rahdari.figures.urls")),
    path("", include("rahdari.licensees.urls")),
    path("", include("rahdari.publish.urls")),
    path("", include("rahdari.watch.urls")),
    path("", include("rahdari.api.urls")),
    path("", include("rahdari.portal.urls")),
]

handler400 = "rahdari.web.errors.bad_request"
handler403 = "rahdari.web.errors.no_access"
handler404 = "rahdari.web.errors.not_found"
handler500 = "rahdari.web.errors.broke"
handler429 = "rahdari.web.errors.too_many"  # allauth looks for it
