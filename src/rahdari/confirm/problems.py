"""Answers to a program that went wrong: problem+json (RFC 9457), one type each, and what is done before any of them.

400 bad-cursor              the cursor was not given out by us
401 unauthorised            no key, or one that is not (or no longer) an operator's
403 sandbox-key             a key for practice at the real address
404 no-such-check           no check of this operator has the number
405 method-not-allowed
409 no-callback             there is no callback to test
413 too-large               a body above 256 KB, or more than 1,000 answers
415 not-json                another media type
422 invalid-body            the body is not what is asked for; `field` names what is wrong
422 answer-not-taken        `code` says why, `check` which
422 callback-not-taken      `code` says why
429 too-many-requests       `Retry-After` says when again
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from rahdari.programs import answers as programs
from rahdari.programs.answers import Problem as Problem
from rahdari.programs.answers import answer_of
from rahdari.web import visitor

from . import actions, queries
from .models import ApiToken

LONGEST_BODY = 256 * 1024
RATE, PER = 600, 60
# Keys that nobody has, from one household: they cannot be guessed, and asking for them costs us little this way.
UNKNOWN_RATE = 60
type Endpoint = Callable[..., HttpResponse]


def endpoint(*methods: str, sandbox: bool = False) -> Callable[[Endpoint], Endpoint]:
    """For a function (request, token, ...): lets in whoever shows a key, and turns a Problem into an answer."""

    def decorate(view: Endpoint) -> Endpoint:
        @csrf_exempt  # a bearer token is sent by programs only, never by a browser on its own
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, **given: Any) -> HttpResponse:
            try:
                if request.method not in methods:
                    allowed = ", ".join(methods)
                    raise Problem(405, "method-not-allowed", f"Use {allowed}.", {"Allow": allowed})
                return view(request, _token(request, sandbox=sandbox), **given)
            except Problem as problem:
                return answer_of(problem)

        return guarded

    return decorate


def _token(request: HttpRequest, *, sandbox: bool) -> ApiToken:
    now = timezone.now()
    token = queries.token_shown(programs.bearer(request), now=now)
    if token is None:
        seconds = programs.wait_for(f"confirm.unknown:{visitor.household(request)}", rate=UNKNOWN_RATE, per=PER)
        if seconds:
            raise Problem(429, "too-many-requests", f"Come again in {seconds} seconds.", {"Retry-After": seconds})
        raise Problem(
            401,
            "unauthorised",
            "No operator has this key. Send the key from the page of your system as `Authorization: Bearer <key>`.",
            {"WWW-Authenticate": "Bearer"},
        )
    if token.sandbox and not sandbox:
        raise Problem(403, "sandbox-key", "This key is for practice. Use it under /op/v1/sandbox/.")
    if seconds := programs.wait_for(f"confirm.api:{token.pk}", rate=RATE, per=PER):
        raise Problem(429, "too-many-requests", f"Come again in {seconds} seconds.", {"Retry-After": seconds})
    actions.note_use(token=token, now=now)
    return token


def body_of(request: HttpRequest, *known: str) -> dict[str, Any]:
    """The body as an object that has no other members than these."""
    if request.content_type != "application/json":
        raise Problem(415, "not-json", "Send the body as application/json.")
    content = programs.content_of(request, LONGEST_BODY)
    if content is None:
        raise Problem(413, "too-large", f"A body has at most {LONGEST_BODY} bytes. Send it in parts.")
    try:
        found = programs.read_json(content)
    except ValueError:
        raise Problem(422, "invalid-body", "The body is no JSON.", field="body") from None
    return members_of(found, *known)


def members_of(found: Any, *known: str, where: str = "") -> dict[str, Any]:
    if not isinstance(found, dict):
        raise Problem(422, "invalid-body", "A JSON object is expected here.", field=where or "body")
    if strange := sorted(set(found) - set(known)):
        raise Problem(
            422, "invalid-body", f"There is no member {strange[0][:40]!r} here.", field=where + strange[0][:40]
        )
    return found


def text_in(found: Mapping[str, Any], name: str, *, needed: bool = False, where: str = "") -> str:
    value = found.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or len(value) > 1000 or "\0" in value:
        raise Problem(422, "invalid-body", f"`{name}` is a text.", field=where + name)
    return value
