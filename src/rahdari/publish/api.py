"""`POST /feed/receipt`: an operator's agent says what it has applied. Errors: problem+json (RFC 9457), one type each.

401 unauthorised            no token, or one that is not (or no longer) an operator's
405 method-not-allowed
413 too-large               a body above 64 KB
415 not-json                another media type
422 invalid-receipt         `field` names what is wrong
422 unsupported-format      another major version than ours
"""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from rahdari.proof import InvalidReceipt, Receipt, UnsupportedFormat
from rahdari.proof.receipt import LONGEST_BODY

from . import actions, queries


@csrf_exempt  # a bearer token is sent by programs only, never by a browser on its own
@never_cache
def receipt(request: HttpRequest) -> HttpResponse:
    """201 for a new receipt, 200 for one that was there already; `standing` is good, drift or incomplete."""
    if request.method != "POST":
        return _problem(405, "method-not-allowed", "Receipts are sent with POST.", headers={"Allow": "POST"})
    operator = queries.operator_by_token(_bearer(request))
    if operator is None:
        return _problem(
            401,
            "unauthorised",
            "No active operator has this token. Send the one that was given to you as `Authorization: Bearer <token>`.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if request.content_type != "application/json":
        return _problem(415, "not-json", "A receipt is sent as application/json.")
    body = request.read(LONGEST_BODY + 1)
    if len(body) > LONGEST_BODY:
        return _problem(413, "too-large", f"A receipt has at most {LONGEST_BODY} bytes.")
    try:
        given = Receipt.from_json(json.loads(body))
        recorded = actions.record_receipt(operator=operator, receipt=given, now=timezone.now())
    except UnsupportedFormat as error:
        return _problem(422, "unsupported-format", "This server speaks format 1.", found=error.found[:20])
    except InvalidReceipt as error:
        return _problem(422, "invalid-receipt", f"`{error.field}` is missing or not acceptable.", field=error.field)
    except (ValueError, RecursionError):
        return _problem(422, "invalid-receipt", "The body is no JSON.", field="receipt")
    head = queries.latest_edition()
    answer = {"standing": str(recorded.standing), "sequence": head.sequence if head else None}
    return JsonResponse(answer, status=201 if recorded.new else 200)


def _bearer(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _problem(
    status: int, kind: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any
) -> HttpResponse:
    content = {"type": f"urn:rahdari:problem:{kind}", "title": kind, "status": status, "detail": detail, **more}
    return JsonResponse(content, status=status, content_type="application/problem+json", headers=headers)
