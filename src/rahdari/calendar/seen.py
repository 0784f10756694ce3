"""One look in a request, or in a batch of the workflow, at whether the corrections are still the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse

# None is unconfirmed or deleted, so it is another one after each that was confirmed.
_MARK = """
    SELECT md5(concat_ws(' ', count(*), max(id), extract(epoch FROM max(confirmed_at))))
    FROM calendar_calendarcorrection WHERE confirmed_at IS NOT NULL
"""
# For a query; also read with whoever is signed in (`settings.OF_READER`).
MARK = RawSQL(f"({_MARK})", [], TextField())  # noqa: S611 - a constant


@dataclass
class _Once:
    request: Any = None
    mark: str | None = None


_once: ContextVar[_Once | None] = ContextVar("calendar_seen", default=None)


@contextmanager
def looking_once(request: HttpRequest | None = None) -> Iterator[None]:
    """Within it the corrections are looked at once, unless one is confirmed here (`forget`)."""
    token = _once.set(_Once(request))
    try:
        yield
    finally:
        _once.reset(token)


class LookOnceMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with looking_once(request):
            return self.get_response(request)


def forget() -> None:
    """One was confirmed here."""
    if (known := _once.get()) is not None:
        known.request, known.mark = None, None


def mark() -> str:
    """Another one whenever a correction came into force."""
    known = _once.get()
    if known is None:
        return _asked()
    if known.mark is None:
        came: str | None = getattr(getattr(known.request, "user", None), "calendar_mark", None)
        known.mark = _asked() if came is None else came
    return known.mark


def _asked() -> str:
    with connection.cursor() as cursor:
        cursor.execute(_MARK)
        return str(cursor.fetchone()[0])
