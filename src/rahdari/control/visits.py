"""A visit to a link that proves the address it comes from.

Invariant: no browser proves anything by opening an address. Whatever led it there (a link, a redirect of ours, a page
that a stranger made), a person reads whose address is asked for and presses the button, or nothing happens.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from . import rules

View = Callable[..., HttpResponse]


def link_page(view: View) -> View:
    """For a view whose address is the secret of a link: read by GET, proved by POST. The form of the page carries a
    token, as every form does; programs have none, and need none (`rules.is_program`)."""
    protected = csrf_protect(view)

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        by_program = request.method == "POST" and rules.is_program(request.headers)
        response = (view if by_program else protected)(request, *args, **kwargs)
        # The address proves something: it goes to no other site and into no search. Not "no-referrer": then browsers
        # send our own form with the origin "null", and it could not be told from a forged one.
        response["Referrer-Policy"] = "same-origin"
        response["X-Robots-Tag"] = "noindex"
        return response

    return csrf_exempt(never_cache(require_http_methods(["GET", "HEAD", "POST"])(guarded)))


def is_confirmed(request: HttpRequest) -> bool:
    """Whether this visit is meant as the proof."""
    return request.method == "POST" or (request.method == "GET" and rules.proves_by_opening(request.headers))


def is_opened(request: HttpRequest) -> bool:
    """Whether somebody opened it, meant as the proof or not yet."""
    return is_confirmed(request) or (request.method == "GET" and rules.is_visit(request.headers))
