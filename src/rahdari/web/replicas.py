"""Pages that are read from a replica of the database: `from_replica` marks them, all others are read from the primary.

Where in the log the last write of each person stands is kept by the primary (`web_position`), under a keyed hash, for
all their browsers. A replica that is read has what the primary had some seconds ago, so older positions say nothing.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from rahdari.db import replicas
from rahdari.db.postgres import base

log = logging.getLogger("rahdari.db")
View = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD")

_NOTE = f"""
INSERT INTO web_position AS held (key, position, at) VALUES (%s, ({replicas.WRITTEN}), clock_timestamp())
ON CONFLICT (key) DO UPDATE SET position = greatest(held.position, excluded.position), at = excluded.at
"""  # noqa: S608 - of our own texts


def from_replica(view: View) -> View:
    """For views that only read, below the decorators that say who may. What fails at the replica, or is not found
    there, is asked of the primary. What is recorded of the reading goes to the primary by itself."""

    @wraps(view)
    def read(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        replica = _chosen(request)
        if replica is not None:
            try:
                with replica.read():
                    response = view(request, *args, **kwargs)
                if response.status_code < 400 and not response.streaming:
                    return response
            except Exception as error:
                # One that lies in the view is met again at the primary.
                if isinstance(error, Error):
                    log.warning("%s could not be read from %s: %s", view.__qualname__, replica.name, error)
        return view(request, *args, **kwargs)

    read.is_read_from_replica = True  # type: ignore[attr-defined]
    return read


def _chosen(request: HttpRequest) -> replicas.Replica | None:
    if not settings.REPLICAS or request.method not in SAFE:
        return None
    # Who somebody is, and that they are still signed in, the primary says: it is read with the first look.
    return replicas.choose(position_of(request.user) if request.user.is_authenticated else 0)


def position_of(person: Any) -> int:
    """Where in the log the last write stands that this person made; 0 where that is long ago."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT position FROM web_position WHERE key = %s", [_key(person)])
        found = cursor.fetchone()
    return found[0] if found else 0


def note(person: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [_key(person)])


def _key(person: Any) -> str:
    return salted_hmac("rahdari.web.replicas", str(person.pk), algorithm="sha256").hexdigest()


def forget_old_positions() -> int:
    """Those that each replica that is read has long had; how many."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM web_position WHERE at < clock_timestamp() - interval '1 hour'")
        return int(cursor.rowcount)


class NoteWritesMiddleware:
    """Notes where the last write of each person stands, after it is committed and before they are answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REPLICAS:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        base.WROTE.set(False)
        response = self.get_response(request)
        if (request.method not in SAFE or base.WROTE.get()) and request.user.is_authenticated:
            try:
                note(request.user)
            except Error as error:
                # It was done, and is not to look as if it were not.
                log.error("Where a write stands could not be noted (%s).", type(error).__name__)
        return response
