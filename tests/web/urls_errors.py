"""Addresses that fail in every way, for the tests of the error pages."""

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from rahdari import urls
from rahdari.web import errors


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("planted")


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("planted: the server closed the connection")


def lost(request: HttpRequest) -> HttpResponse:
    raise Http404


def closed(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def odd(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def reads(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{len(request.POST)} fields")


urlpatterns = [
    *urls.urlpatterns,
    path("broken/", broken, name="broken"),
    path("away/", away),
    path("lost/", lost),
    path("closed/", closed),
    path("odd/", odd),
    path("reads/", reads),
    path("ended/", errors.session_ended),
    path("often/", errors.too_many),
    path("other-way/", require_safe(reads)),
    path("only-posted/", require_POST(reads)),
]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
