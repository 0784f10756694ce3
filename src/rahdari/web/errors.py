"""Error pages. Each says first whether anything was lost, then what happened, then what to do.

Invariant: `broke` and `down` are shown exactly when the database, or we ourselves, cannot be relied on, so no page
here asks the database for anything, and when even the template fails two plain sentences in both languages are left.
"""

import datetime as dt
import logging
import secrets
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template import loader
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from . import language
from .context import Site, link_to

log = logging.getLogger(__name__)

# Letters and digits that nobody mistakes for another on the telephone.
NUMBER_OF = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# A form with more than this is not carried through a sign-in; whoever wrote it goes back one page instead.
CARRIED_AT_MOST = 200 * 1024

PLAIN = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    "<p>Something went wrong on our side. What you saved is safe. Error number: {number}</p>"
    '<p lang="ur" dir="rtl">ہماری طرف سے مسئلہ ہوا ہے۔ جو محفوظ ہو چکا تھا وہ محفوظ ہے۔ '
    'غلطی کا نمبر: <bdi dir="ltr">{number}</bdi></p></html>'
)


@dataclass(frozen=True)
class Link:
    """A way out: what it says and where it leads."""

    title: str
    url: str


@dataclass(frozen=True)
class Shown:
    """The words of one error page, in the order in which they stand on it."""

    kicker: str
    heading: str
    lead: str
    number: str = ""
    at: dt.datetime | None = None
    points: tuple[str, ...] = ()
    note: str = ""
    links: tuple[Link, ...] = ()


def _links(*pairs: tuple[str, str]) -> tuple[Link, ...]:
    return tuple(Link(title, url) for title, name in pairs if (url := link_to(name)))


def _page(
    request: HttpRequest, status: int, words: Any, template: str = "web/error.html", **context: Any
) -> HttpResponse:
    """Build a page without context processors. `words` is called in the reader's language: the error may have come
    before the middleware that sets it."""
    code = getattr(request, "LANGUAGE_CODE", "") or language.of_browser(request)
    with translation.override(code):
        content = loader.render_to_string(template, {"shown": words(), "site": Site(request), **context})
    response = HttpResponse(content, status=status)
    response.headers["Content-Language"] = code
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_too_big(exception: Exception | None) -> bool:
    return isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_too_big(exception):
        return too_big(request)
    return _page(
        request,
        400,
        lambda: Shown(
            kicker=_("Error 400"),
            heading=_("We could not read what your browser sent"),
            lead=_("What you saved is safe. Only the last action was not carried out."),
            points=(
                _("Go back one page and try again."),
                _("If it happens again, tell us what you were doing and which browser you use."),
            ),
            links=_links((_("Start page"), "portal:start"), (_("Help and contact"), "portal:help")),
        ),
    )


def no_access(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        403,
        lambda: Shown(
            kicker=_("Error 403"),
            heading=_("This page is not open to you"),
            lead=_("Nothing is lost. This page needs a role that your account does not have."),
            points=(
                _("Do you have a second account? Sign in with it."),
                _("Should this page be open to you? Ask the person who gave you your role."),
            ),
            links=_links((_("Start page"), "portal:start"), (_("Sign in"), "account_login")),
        ),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(
        request,
        404,
        lambda: Shown(
            kicker=_("Error 404"),
            heading=_("There is no page at this address"),
            lead=_("Nothing is lost. The page may have moved, or a letter may be missing from the link."),
            points=(
                _("Is it a registration number? Check the number."),
                _("Did you want to continue your application? Sign in: it is where you left it."),
            ),
            links=_links(
                (_("Start page"), "portal:start"),
                (_("Check a number"), "portal:check_number"),
                (_("Sign in"), "account_login"),
            ),
        ),
    )


def not_this_way(request: HttpRequest) -> HttpResponse:
    """An address that was asked for by a method it does not answer."""
    return _page(
        request,
        405,
        lambda: Shown(
            kicker=_("Error 405"),
            heading=_("This page cannot be opened like this"),
            lead=_("What you saved is safe. Only the last action was not carried out."),
            points=(
                _("Go back one page: what you typed is often still there."),
                _("Load that page again, then send it once more."),
            ),
            links=_links((_("Start page"), "portal:start"), (_("Help and contact"), "portal:help")),
        ),
    )


class NotThisWayMiddleware:
    """Django answers a method that a view does not take with an empty page. Whoever reads pages gets one that says so;
    programs, which ask for something else, get what they got."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.streaming or response.content or not _reads_pages(request):
            return response
        told = not_this_way(request)
        told.headers["Allow"] = response.headers["Allow"]
        return told


def _reads_pages(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def error_number() -> str:
    """A number that a person can read out and that finds the line in the log."""
    letters = "".join(secrets.choice(NUMBER_OF) for _place in range(8))
    return f"E-{letters[:4]}-{letters[4:]}"


def broke(request: HttpRequest) -> HttpResponse:
    """Something of ours failed. A database that is away is a page of its own."""
    failure = sys.exc_info()[1]
    if isinstance(failure, OperationalError | InterfaceError):
        return down(request)
    number = error_number()
    # The path can hold the secret of a link, so the log gets the name of the page.
    match = request.resolver_match
    log.error("Error number %s at %s %s", number, request.method, match.view_name if match else "no page")
    try:
        return _page(
            request,
            500,
            lambda: Shown(
                kicker=_("Error 500"),
                heading=_("Something went wrong on our side"),
                lead=_("What you saved is safe. Only this last step may not have been carried out."),
                number=number,
                at=timezone.now(),
                points=(
                    _("Go back one page and try again."),
                    _("If it happens again, contact us with the error number. It shows us what went wrong."),
                ),
                note=_("Were you sending your application? It was sent once at most. Look under your applications."),
                links=_links((_("Your applications"), "portal:home"), (_("Help and contact"), "portal:help")),
            ),
        )
    except Exception:
        log.exception("Error number %s: its page could not be built either", number)
        return HttpResponse(PLAIN.format(title="Rahdari", number=number), status=500)


def down(request: HttpRequest) -> HttpResponse:
    """The database is away. What was typed stays in the page, and is sent again from there."""
    log.error("The database does not answer.", exc_info=sys.exc_info()[1])
    try:
        carried = _to_send_again(request) if request.method == "POST" else {"fields": []}
        response = _page(
            request,
            503,
            lambda: Shown(
                kicker=_("Error 503"),
                heading=_("We are back in a moment"),
                lead=_("What you typed is kept on this page. What you saved is safe.")
                if carried["fields"]
                else _("What you saved is safe. Only this last step may not have been carried out."),
                points=(
                    _("Nothing changes on the register. Operators keep their lists while we are away."),
                    *(() if carried["fields"] else (_("Wait a minute, then load this page again."),)),
                ),
                links=() if carried["fields"] else _links((_("Start page"), "portal:start")),
            ),
            "web/send_again.html",
            away=True,
            **carried,
        )
    except Exception:
        log.exception("The page about the database could not be built either")
        response = HttpResponse(PLAIN.format(title="Rahdari", number="503"), status=503)
    response.headers["Retry-After"] = "60"
    return response


def too_many(request: HttpRequest, *, wait: dt.timedelta | None = None, retry_after: int | None = None) -> HttpResponse:
    """More tries than the limit allows. `wait`, when it is known, is how long until the next one is taken."""
    seconds = int(wait.total_seconds()) + 1 if wait is not None else retry_after or 60
    minutes = -(-seconds // 60)
    response = _page(
        request,
        429,
        lambda: Shown(
            kicker=_("Error 429"),
            heading=_("Too many tries from your network"),
            lead=_("Nothing is lost. The pause stops anybody from guessing codes one after the other."),
            points=(
                (
                    ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes)
                    % {"count": minutes}
                    if seconds > 60
                    else ngettext("Try again in %(count)s second.", "Try again in %(count)s seconds.", seconds)
                    % {"count": seconds}
                ),
                _("Do you share the network with many people? One of them may have used up the tries."),
            ),
            note=_("Your registrations and your application are not affected."),
            links=_links((_("Start page"), "portal:start"), (_("Sign in"), "account_login")),
        ),
    )
    response.headers["Retry-After"] = str(seconds)
    return response


def too_big(request: HttpRequest) -> HttpResponse:
    return _page(
        request,
        413,
        lambda: Shown(
            kicker=_("Error 413"),
            heading=_("What you sent is too big"),
            lead=_("What you saved is safe. Only what you sent just now was not accepted."),
            points=(
                _("A photo? Take it again with a lower resolution, or send fewer files at once."),
                _("A text? Go back one page and make it shorter."),
            ),
            links=_links((_("Your applications"), "portal:home"), (_("Help and contact"), "portal:help")),
        ),
    )


def _comes_from_us(request: HttpRequest) -> bool:
    """Whether the form was sent by a page of ours. Only then may its content be offered for sending again: otherwise
    another site could fill a form in the reader's name and need but one press of a button."""
    origin = request.headers.get("Origin", "")
    if origin and origin != "null":
        return origin == f"{request.scheme}://{request.get_host()}"
    return request.headers.get("Sec-Fetch-Site", "") == "same-origin"


def _carried(request: HttpRequest) -> list[tuple[str, str]]:
    """What was typed, to be sent again. Files cannot be: a browser gives them once."""
    fields = [
        (name, value) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken" for value in values
    ]
    return fields if sum(len(name) + len(value) for name, value in fields) <= CARRIED_AT_MOST else []


def session_ended(request: HttpRequest) -> HttpResponse:
    """A form arrived after its sender was signed out: keep what was typed in the page, and send it again from there.

    For views that need a person and got a POST from nobody. Signing in happens in another tab.
    """
    return _send_again(request, signed_out=True)


def form_too_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose protection token is missing or old: mostly a page that stayed open over a sign-in.

    Named by `CSRF_FAILURE_VIEW`.
    """
    return _send_again(request, signed_out=False)


def _to_send_again(request: HttpRequest) -> dict[str, Any]:
    """What the template needs to offer the form once more; no fields where it may not."""
    here = request.get_full_path()
    safe = url_has_allowed_host_and_scheme(here, allowed_hosts={request.get_host()})
    fields = _carried(request) if safe and _comes_from_us(request) else []
    return {"fields": fields, "files": bool(request.FILES), "here": here, "token": get_token(request)}


def _send_again(request: HttpRequest, *, signed_out: bool) -> HttpResponse:
    carried = _to_send_again(request)
    fields = carried["fields"]

    def words() -> Shown:
        kept = _("What you typed is kept on this page. What you saved is safe.")
        gone = _("What you saved is safe. What you sent just now was not accepted.")
        return Shown(
            kicker=_("Error 403") if not signed_out else "",
            heading=_("You were signed out") if signed_out else _("This page was open for too long"),
            lead=kept if fields else gone,
            points=()
            if fields
            else (
                _("Go back one page: what you typed is often still there."),
                _("Load that page again, then send it once more."),
                _("Your browser has to accept cookies from this site."),
            ),
            links=() if fields else _links((_("Sign in"), "account_login"), (_("Start page"), "portal:start")),
        )

    return _page(
        request,
        403,
        words,
        "web/send_again.html",
        signed_out=signed_out,
        **carried,
        sign_in=link_to("account_login") or settings.LOGIN_URL,
    )
