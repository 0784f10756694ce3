"""`POST /feed/receipt`: an operator's agent says what it has applied; `GET /metrics`: what a monitoring system asks.

Errors of the first are problem+json (RFC 9457), one type each:

401 unauthorised            no token or certificate, or one that is not (or no longer) an operator's
405 method-not-allowed
413 too-large               a body above 64 KB
415 not-json                another media type
422 invalid-receipt         `field` names what is wrong
422 unsupported-format      another major version than ours
"""

import json
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from rahdari.feed import InvalidReceipt, SignedReceipt, UnsupportedFormat
from rahdari.feed import certificate as certificates
from rahdari.feed.receipt import LONGEST_BODY
from rahdari.web import metrics_access as watching

from . import actions, metrics, queries
from .credentials import NewCredential


@csrf_exempt  # a bearer token is sent by programs only, never by a browser on its own
@never_cache
def receipt(request: HttpRequest) -> HttpResponse:
    """201 for a new receipt, 200 for one that was there already; `standing` is good, drift or incomplete."""
    if request.method != "POST":
        return _problem(405, "method-not-allowed", "Receipts are sent with POST.", headers={"Allow": "POST"})
    now = timezone.now()
    operator = queries.holder(_shown(request), now=now)
    if operator is None:
        return _problem(
            401,
            "unauthorised",
            "No active operator has this token or certificate. Send the token that was given to you as "
            "`Authorization: Bearer <token>`.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if request.content_type != "application/json":
        return _problem(415, "not-json", "A receipt is sent as application/json.")
    body = request.read(LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        return _problem(413, "too-large", f"A receipt has at most {LONGEST_BODY} bytes.")
    try:
        given = SignedReceipt.from_json(json.loads(body))
        recorded = actions.record_receipt(operator=operator, receipt=given, now=now)
    except UnsupportedFormat as error:
        return _problem(422, "unsupported-format", "This server speaks format 1.", found=error.found[:20])
    except InvalidReceipt as error:
        return _problem(422, "invalid-receipt", f"`{error.field}` is missing or not acceptable.", field=error.field)
    except (ValueError, RecursionError):
        return _problem(422, "invalid-receipt", "The body is no JSON.", field="receipt")
    answer = {"standing": str(recorded.standing), "sequence": recorded.head}
    return JsonResponse(answer, status=201 if recorded.new else 200)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Told to this machine, and to who has the token; to anybody else there is no such page."""
    if not watching.may_watch(request):
        raise Http404
    text = metrics.exposition(now=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _shown(request: HttpRequest) -> list[NewCredential]:
    token, der = _bearer(request), _certificate(request)
    return [*([NewCredential.token(token)] if token else []), *([NewCredential.certificate(der)] if der else [])]


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _certificate(request: HttpRequest) -> bytes | None:
    """The client's certificate, when a proxy that we trust says that it saw its key used."""
    header = settings.FEED_CERTIFICATE_HEADER
    value = request.headers.get(header, "") if header else ""
    proxies = _networks(tuple(settings.TRUSTED_PROXIES))
    if not value or not certificates.is_from(request.META.get("REMOTE_ADDR", ""), proxies):
        return None
    return certificates.der_of(value.encode("latin-1", "replace"))


@lru_cache(maxsize=8)
def _networks(listed: tuple[str, ...]) -> tuple[certificates.Network, ...]:
    return certificates.networks(" ".join(listed))


def _problem(
    status: int, kind: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> HttpResponse:
    content = {"type": f"urn:rahdari:problem:{kind}", "title": kind, "status": status, "detail": detail, **more}
    return JsonResponse(content, status=status, content_type="application/problem+json", headers=headers)
