"""Whether a kept connection to the database still serves, seen without asking it.

Django asks `SELECT 1` at the first query of each request. A connection that was in use a moment ago and whose socket is
silent needs no asking: a server that stopped or ended it has said so there. One that has lain idle, or on whose socket
something has come, is asked as before, so that an outage without a word (a machine without power, a wall that forgets)
is met by the same question.
"""

import select
import time
from typing import Any

from django.core.signals import request_started
from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Seconds.
A_MOMENT = 5.0


def trust_what_is_in_use(**_: Any) -> None:
    """At the start of a request, after Django has marked its connections as those to be asked."""
    now = time.monotonic()
    for connection in connections.all(initialized_only=True):
        last = getattr(connection, "used_at", None)
        connection.used_at = now  # type: ignore[attr-defined]
        if last is not None and now - last < A_MOMENT and is_silent(connection):
            connection.health_check_done = True  # type: ignore[attr-defined]


def begin() -> None:
    """The same at the start of a piece of work that is no request of Django's."""
    close_old_connections()
    trust_what_is_in_use()


def is_silent(connection: BaseDatabaseWrapper) -> bool:
    """Whether it is open, outside any transaction, and nothing has come from the server since its last answer."""
    opened = connection.connection
    if opened is None or opened.closed or connection.in_atomic_block:
        return False
    waiting = select.poll()
    waiting.register(opened.fileno(), select.POLLIN | select.POLLPRI | select.POLLHUP | select.POLLERR)
    return not waiting.poll(0)


def connect() -> None:
    """Once for each process."""
    request_started.connect(trust_what_is_in_use, dispatch_uid="rahdari.db.connections")


def backend_of(connection: BaseDatabaseWrapper) -> int:
    """The process of PostgreSQL that serves it, by its number in `pg_stat_activity`: it ends with ours."""
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)
