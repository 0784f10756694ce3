"""Error pages. Each says first whether anything was lost, then what happened, then what to do.

They need neither the database nor a session: `broke` and `down` are shown exactly when those are not to be had.
"""

import logging
import secrets
import sys
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari import policy

log = logging.getLogger("rahdari.page")


@dataclass(frozen=True)
class Way:
    """A way out: what it says and where it leads."""

    title: str
    url: str


@dataclass(frozen=True)
class Shown:
    """The words of one error page."""

    kicker: str
    heading: str
    lead: str
    points: tuple[str, ...] = ()
    number: str = ""
    note: str = ""
    ways: tuple[Way, ...] = field(default=())


def _way(title: str, name: str) -> Way | None:
    try:
        return Way(title, reverse(name))
    except NoReverseMatch:
        return None


def _ways(*pairs: tuple[str, str]) -> tuple[Way, ...]:
    return tuple(way for title, name in pairs if (way := _way(title, name)) is not None)


def _page(request: HttpRequest, shown: Shown, status: int) -> HttpResponse:
    authority = policy.current(settings.POLICY_FILE).authority
    site: dict[str, Any] = {
        "authority": authority.in_language(get_language()),
        "demo": settings.DEMO,
        "here": request.get_full_path() if request.method == "GET" else "/",
        "nav": [],
        "foot": [],
    }
    return HttpResponse(render_to_string("page/error.html", {"shown": shown, "site": site}), status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    shown = Shown(
        kicker=_("Error 400"),
        heading=_("We could not read what your browser sent"),
        lead=_("Nothing was changed. Go back one page and try again."),
        points=(_("If it happens again, tell us what you were doing and which browser you use."),),
        ways=_ways((_("Start page"), "portal:start"), (_("Help and contact"), "portal:help")),
    )
    return _page(request, shown, 400)


def no_access(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    shown = Shown(
        kicker=_("Error 403"),
        heading=_("This page is not open to you"),
        lead=_("Nothing is lost. The account you are signed in with has no part in it."),
        points=(
            _("You have a second account? Sign in with it."),
            _("Should this page be open to you? Ask whoever gave you your role."),
        ),
        ways=_ways((_("Start page"), "portal:start"), (_("Sign in"), "account_login")),
    )
    return _page(request, shown, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    shown = Shown(
        kicker=_("Error 404"),
        heading=_("There is no page at this address"),
        lead=_("It may have moved, or the link lost a letter on the way."),
        points=(
            _("Is it a registration number? Check the number."),
            _("Did you want to go on with your application? Sign in, it is where you left it."),
        ),
        ways=_ways(
            (_("Start page"), "portal:start"), (_("Check a number"), "portal:check_number"), (_("Sign in"), "account_login")
        ),
    )
    return _page(request, shown, 404)


def broke(request: HttpRequest) -> HttpResponse:
    """Something of ours failed: an error number that is in the log too; or the database is away, then `down`."""
    failure = sys.exc_info()[0]
    if failure is not None and issubclass(failure, OperationalError | InterfaceError):
        return down(request)
    number = f"E-{secrets.token_hex(2).upper()}-{secrets.token_hex(2).upper()}"
    log.error("error %s at %s %s", number, request.method, request.path)
    shown = Shown(
        kicker=_("Error 500"),
        heading=_("Something broke on our side"),
        lead=_("Your saved answers are safe. Only what you sent just now may not have been taken."),
        number=number,
        points=(
            _("Go back one page and try again."),
            _("If it happens again, write to us with the error number. We see with it what went wrong."),
        ),
        note=_("Pressed “Send application”? It was sent once at most. Look under your applications."),
        ways=_ways((_("Your applications"), "portal:home"), (_("Help and contact"), "portal:help")),
    )
    return _page(request, shown, 500)


def down(request: HttpRequest) -> HttpResponse:
    log.error("the database is away; said so at %s %s", request.method, request.path)
    shown = Shown(
        kicker=_("Error 503"),
        heading=_("We are back in a moment"),
        lead=_("Your saved answers are safe. Our database does not answer just now."),
        points=(
            _("No registered connection is touched. Operators keep their lists while we are away."),
            _("Wait a minute, then load this page again."),
        ),
        ways=_ways((_("Start page"), "portal:start")),
    )
    response = _page(request, shown, 503)
    response.headers["Retry-After"] = "60"
    return response


def too_many(request: HttpRequest, *, retry_after: int = 60) -> HttpResponse:
    shown = Shown(
        kicker=_("Error 429"),
        heading=_("Too many tries from your network"),
        lead=_("We wait a little, so that nobody can try everything. Nothing is lost."),
        points=(
            _("Wait a minute, then load this page again."),
            _("You share the network with many people? Sign in, then the limit counts for you alone."),
        ),
        note=_("Your registered connections and your application are not affected."),
        ways=_ways((_("Start page"), "portal:start"), (_("Sign in"), "account_login")),
    )
    response = _page(request, shown, 429)
    response.headers["Retry-After"] = str(retry_after)
    return response


def too_big(request: HttpRequest) -> HttpResponse:
    shown = Shown(
        kicker=_("Error 413"),
        heading=_("That was too big to take"),
        lead=_("Your saved answers are safe. Only what you sent just now was not taken."),
        points=(_("Choose a smaller file, or take the photo again with a lower resolution."),),
        ways=_ways((_("Your applications"), "portal:home")),
    )
    return _page(request, shown, 413)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid CSRF token: mostly one that stayed open over a sign-out."""
    shown = Shown(
        kicker=_("Error 403"),
        heading=_("This form was open for too long"),
        lead=_("Your saved answers are safe. What you sent just now was not taken."),
        points=(
            _("Go back one page: what you typed is often still there. Copy it."),
            _("Load that page again, sign in if it asks you to, and send it once more."),
            _("Your browser has to accept cookies from this site."),
        ),
        ways=_ways((_("Your applications"), "portal:home"), (_("Sign in"), "account_login")),
    )
    return _page(request, shown, 403)
