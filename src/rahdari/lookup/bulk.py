"""Many addresses at once: the body is read within bounds, and each line of it gets its own answer."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from rahdari.errors import RahdariError

from . import answers
from .authentication import Caller
from .limits import BODY_BYTES, BULK_ADDRESSES, BULK_ALL, BULK_EACH, BULK_SHARE
from .query import NotAnAddress
from .views import Moment, View

LINES, JSON = "text/plain", "application/json"


class Refused(RahdariError):
    """`.status` and `.detail` say what is wrong with the request; `.wait` when to come again."""

    says = "{detail}"
    status: HTTPStatus
    detail: str
    wait: int | None = None


class Seats:
    """How many requests in bulk there are now: each holds a thread while its body comes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    @contextmanager
    def take(self, caller: Caller) -> Iterator[None]:
        """Raises Refused."""
        with self._lock:
            if self._taken >= BULK_ALL:
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Many are asking in bulk. Wait a moment.", 1)
            if caller.allowance.bulks >= BULK_EACH:
                raise Refused(HTTPStatus.TOO_MANY_REQUESTS, f"{BULK_EACH} requests in bulk at a time are answered.", 1)
            self._taken += 1
            caller.allowance.bulks += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1
                caller.allowance.bulks -= 1


def kind_of(environ: Mapping[str, Any]) -> str:
    """Raises Refused."""
    kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    if kind not in (LINES, JSON):
        detail = f"Send {LINES}, one address a line, or {JSON}, an array of addresses."
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    return kind


def body_of(environ: Mapping[str, Any]) -> bytes:
    """Raises Refused."""
    promised = str(environ.get("CONTENT_LENGTH") or "0")
    if not promised.isdecimal() or int(promised) > BODY_BYTES:
        raise _too_large()
    content, source = bytearray(), environ["wsgi.input"]
    while len(content) <= BODY_BYTES and (piece := source.read(BODY_BYTES + 1 - len(content))):
        content += piece
    if len(content) > BODY_BYTES:
        raise _too_large()
    return bytes(content)


def asked_of(kind: str, body: bytes) -> list[Any]:
    """Lines as bytes, or values of JSON. Raises Refused."""
    try:
        return answers.texts_of_json(body, BULK_ADDRESSES) if kind == JSON else answers.lines_of(body, BULK_ADDRESSES)
    except answers.TooMany:
        raise _too_large() from None
    except answers.NotUnderstood:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is no JSON array of addresses.") from None


def charge(caller: Caller, number: int) -> None:
    caller.allowance.left -= 1 + number / BULK_SHARE


def answer(
    kind: str, asked: list[Any], at: Moment, reading: threading.Lock, view: Callable[[], View]
) -> tuple[bytes, tuple[int, int, int]]:
    """The whole answer, and how many were found, not found, and not understood."""
    written: list[bytes] = []
    missing = faults = 0
    for start in range(0, len(asked), answers.AT_ONCE):
        part = asked[start : start + answers.AT_ONCE]
        texts = part if kind == JSON else answers.texts_of_lines(part)
        with reading:
            results = answers.found(view(), texts, at)
        missing += results.count(None)
        if NotAnAddress in set(map(type, results)):
            faults += sum(isinstance(result, NotAnAddress) for result in results)
        written.append(answers.as_json(results, at) if kind == JSON else answers.as_lines(part, results, at))
    body = b"[" + b",".join(written) + b"]\n" if kind == JSON else b"".join(written)
    return body, (len(asked) - missing - faults, missing, faults)


def _too_large() -> Refused:
    detail = f"At most {BULK_ADDRESSES} addresses and {BODY_BYTES} bytes are answered at once."
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
