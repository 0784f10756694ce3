"""`POST /feed/receipt`: an operator's agent says what it has applied; `GET /metrics`: what a monitoring system asks."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.feed import InvalidReceipt, SignedReceipt, UnsupportedFormat
from rahdari.feed import certificate as certificates
from rahdari.feed.receipt import LONGEST_BODY
from rahdari.programs import problems
from rahdari.programs.answers import Problem, bearer
from rahdari.programs.operation import Answer, Call, Interface, Ok, Operation
from rahdari.programs.problems import problem
from rahdari.programs.schema import Fault, choice, closed, whole
from rahdari.web import metrics_access as watching

from . import credentials, metrics
from . import receipts as publish_receipts
from .credentials import NewCredential
from .models import Operator
from .rules import ReceiptStanding

problems.declare(
    not_json=(415, "The body is not application/json"),
    invalid_receipt=(422, "This is no receipt"),
    unsupported_format=(422, "This server speaks another format"),
)


class Scope(StrEnum):
    RECEIPTS = "receipts"


def _who(request: HttpRequest, wanted: Operation) -> Operator:
    operator = credentials.holder(_shown(request), now=timezone.now())
    if operator is None:
        detail = "Send the token that was given to you as `Authorization: Bearer <token>`."
        detail = f"No active operator has this token or certificate. {detail}"
        raise problem("unauthorised", detail, {"WWW-Authenticate": "Bearer"})
    return operator


def _no_receipt(faults: Iterable[Fault], *, where: str = "body") -> Problem:
    return problem("invalid-receipt", "The body is no JSON.", field="receipt")


FEED = Interface(
    name="publish",
    base="/feed",
    title="Rahdari: receipts of agents",
    about="An operator's agent says what it has applied. docs/feed.md has the format of receipts.",
    who=_who,
    places={},
    modules=(),
    scopes={Scope.RECEIPTS: "Receipts of your operator's agents."},
    tokens="That of the feed, or a client's certificate in its place.",
    languages=("en",),
    longest_body=LONGEST_BODY,
    renamed={"invalid-request": "invalid-receipt", "unsupported-media-type": "not-json"},
    of_faults=_no_receipt,
)


RECORDED = closed({"standing": choice(*ReceiptStanding), "sequence": whole(0, 2**63)})
receipts = FEED.part("receipts", Scope.RECEIPTS)


@receipts(
    "POST",
    "/receipt",
    Ok("The receipt; 200 for one that was there already.", RECORDED, 201),
    body={"type": "object"},
    problems=("unsupported-format",),
)
def receipt(call: Call[Operator]) -> Answer:
    """Say what is applied.

    `standing` is good, drift or incomplete.
    """
    try:
        given = SignedReceipt.from_json(call.body)
        recorded = publish_receipts.record_receipt(operator=call.caller, receipt=given, now=call.now)
    except UnsupportedFormat as error:
        raise problem("unsupported-format", "This server speaks format 1.", found=error.found[:20]) from None
    except InvalidReceipt as error:
        detail = f"`{error.field}` is missing or not acceptable."
        raise problem("invalid-receipt", detail, field=error.field) from None
    answer = {"standing": str(recorded.standing), "sequence": recorded.head}
    return Answer(answer, 201 if recorded.new else 200)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Told to this machine, and to who has the token; to anybody else there is no such page."""
    if not watching.may_watch(request):
        raise Http404
    text = metrics.exposition(now=timezone.now())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _shown(request: HttpRequest) -> list[NewCredential]:
    token, der = bearer(request), _certificate(request)
    return [*([NewCredential.token(token)] if token else []), *([NewCredential.certificate(der)] if der else [])]


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
