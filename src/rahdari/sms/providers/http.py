"""A gateway that takes a message by one HTTP request, and tells by another what became of it.

Every gateway has names of its own, so all of it is configuration: address, method, headers, the body with places for
`{to}`, `{text}`, `{id}`, what counts as taken, where the reference stands, how a report is signed.
"""

import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote

import urllib3

from rahdari.errors import RahdariError
from rahdari.sms import segments

from . import Accepted, Away, Outcome, Refused, Report, Text, Told, Unclear

PATIENCE = urllib3.Timeout(connect=5, read=15)
LARGEST_ANSWER = 64 * 1024
# Answers that say "later": nothing was taken (RFC 9110, 15.6.4; RFC 6585, 4).
LATER = frozenset({429, 503})
UNKNOWING = frozenset({502, 504})


class NotSigned(Exception):
    """A report without a signature that is right: from whoever, and believed by nobody."""


class NotReadable(RahdariError):
    """A report in which reference or outcome is not found. `.missing`"""

    says = "the report has no {missing}"
    missing: str


@dataclass(frozen=True)
class Success:
    """What an answer must be for the message to count as taken."""

    statuses: frozenset[int] = frozenset({200, 201, 202})
    path: str = ""
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reports:
    """How the gateway tells what became of a message, and how that is signed (HMAC over the body as it came)."""

    secret: str = field(repr=False)
    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    prefix: str = ""
    reference: str = "id"
    outcome: str = "status"
    reason: str = ""
    delivered: frozenset[str] = frozenset({"DELIVRD", "delivered"})
    waiting: frozenset[str] = frozenset({"ENROUTE", "ACCEPTD", "sent", "queued"})


@dataclass(frozen=True)
class Gateway:
    name: str
    url: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = ""
    success: Success = Success()
    reference: str = ""
    # Codes in the answer that say that the number itself is no good: no other provider is asked then.
    final_path: str = ""
    final: frozenset[str] = frozenset()
    # The gateway takes one `{id}` once, however often it is sent.
    repeatable: bool = False
    number: str = "e164"  # or "digits": without the plus
    reports: Reports | None = None


def found(given: Any, path: str) -> str:
    """The value at `messages.0.id`, as text; "" if there is none."""
    for step in path.split(".") if path else []:
        if isinstance(given, Mapping):
            given = given.get(step)
        elif isinstance(given, list) and step.isdigit() and int(step) < len(given):
            given = given[int(step)]
        else:
            return ""
    return "" if given is None or isinstance(given, Mapping | list) or not path else str(given)


def filled(template: str, values: Mapping[str, str], kind: str) -> str:
    """The template with its places filled, each value written as its surroundings want it."""
    for name, value in values.items():
        written = quote(value, safe="") if kind == "form" else json.dumps(value)[1:-1] if kind == "json" else value
        template = template.replace("{" + name + "}", written)
    return template


def kind_of(headers: Mapping[str, str]) -> str:
    declared = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return "form" if "x-www-form-urlencoded" in declared else "json" if "json" in declared else "plain"


class HttpProvider:
    def __init__(self, gateway: Gateway, *, told: Told) -> None:
        self.gateway, self.told = gateway, told
        self.name = gateway.name
        # No retries: whether a message may be sent again is not for a pool of connections to decide.
        self._pool = urllib3.PoolManager(timeout=PATIENCE, retries=False, maxsize=4)

    def send(self, text: Text, *, now: dt.datetime) -> Outcome:
        gateway = self.gateway
        to = text.to.removeprefix("+") if gateway.number == "digits" else text.to
        values = {"to": to, "text": text.body, "id": text.id}
        body = filled(gateway.body, values, kind_of(gateway.headers)).encode() if gateway.body else None
        try:
            answer = self._pool.request(
                gateway.method,
                filled(gateway.url, values, "form"),
                headers=dict(gateway.headers),
                body=body,
                redirect=False,
                preload_content=False,
            )
            content = answer.read(LARGEST_ANSWER)
            answer.release_conn()
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError):
            return Away("not reached")
        except urllib3.exceptions.SSLError:
            return Away("no secure connection")
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # The request may have arrived: only a gateway that takes one id once may be asked again.
            reason = f"no answer ({type(error).__name__})"
            return Away(reason) if gateway.repeatable else Unclear(reason)
        return self._judged(answer.status, content, text)

    def _judged(self, status: int, content: bytes, text: Text) -> Outcome:
        gateway, success = self.gateway, self.gateway.success
        try:
            given = json.loads(content)
        except (ValueError, RecursionError):
            given = dict(parse_qsl(content.decode(errors="replace"))) or None
        if gateway.final_path and found(given, gateway.final_path) in gateway.final:
            return Refused("the number is not taken", final=True)
        if status not in success.statuses:
            if status in LATER:
                return Away(f"busy (HTTP {status})")
            # These two come from something in between, which does not know what the gateway behind it did.
            if status in UNKNOWING and not gateway.repeatable:
                return Unclear(f"HTTP {status}")
            return Away(f"HTTP {status}") if status >= 500 else Refused(f"HTTP {status}")
        if success.path and found(given, success.path) not in success.values:
            return Refused("the answer does not say that it was taken")
        reference = found(given, gateway.reference) or (text.id if gateway.reference == "{id}" else "")
        return Accepted((reference,) if reference else (), segments.count(text.body))

    def read_report(self, headers: Mapping[str, str], body: bytes) -> Report:
        """Raises NotSigned, NotReadable."""
        reports = self.gateway.reports
        if reports is None:
            raise NotSigned
        digest = hmac.new(reports.secret.encode(), body, getattr(hashlib, reports.algorithm)).digest()
        right = digest.hex() if reports.encoding == "hex" else base64.b64encode(digest).decode()
        shown = next((value for name, value in headers.items() if name.lower() == reports.header.lower()), "")
        shown = shown.removeprefix(reports.prefix)
        shown = shown.lower() if reports.encoding == "hex" else shown
        if not hmac.compare_digest(right.encode(), shown.encode(errors="replace")):
            raise NotSigned
        try:
            given = json.loads(body)
        except (ValueError, RecursionError):
            given = dict(parse_qsl(body.decode(errors="replace")))
        reference, outcome = found(given, reports.reference), found(given, reports.outcome)
        if not reference or not outcome:
            raise NotReadable("reference" if not reference else "status")
        if outcome in reports.delivered:
            return Report(reference, "delivered")
        if outcome in reports.waiting:
            return Report(reference, "waiting")
        return Report(reference, "failed", found(given, reports.reason)[:20] or outcome[:20])

    def listen(self, *, now: dt.datetime) -> None:
        """Reports come by a request to us."""

    def close(self) -> None:
        self._pool.clear()
