"""Reading from replicas of the database: which one may answer, and how a piece of work reads there (ADR 0048).

Invariants: a replica answers whom it has all that they wrote (`after`, a position in the log of the primary), and all
that the primary had written a moment ago (`Floor`). It is asked each time, so that none answers for another. A piece
of work reads on one connection; PostgreSQL refuses to write there, and to lock.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.utils import ConnectionHandler

from .postgres.base import WROTE

log = logging.getLogger("rahdari.db")

# The primary is asked for its position so often, in seconds: what is read is no older.
A_MOMENT = 5.0
# A replica that did not answer is asked again after so many seconds.
LEFT_ALONE = 10.0

WRITTEN = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"
# Nothing from a server that was made the primary, or that follows nobody: what it has may be another history.
REPLAYED = """
SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint
 WHERE pg_is_in_recovery() AND EXISTS (SELECT FROM pg_stat_wal_receiver)
"""


class Floor:
    """A position that the primary had reached a moment ago: the least that a replica must have for anybody."""

    def __init__(self, ask: Callable[[], int]) -> None:
        self._ask, self._known, self._until = ask, 0, 0.0

    def at(self, now: float) -> int:
        if now >= self._until:
            self._known, self._until = self._ask(), now + A_MOMENT
        return self._known


class Follows(Protocol):
    def replayed(self) -> int | None:
        """Up to where it has the primary's log; None where it may not be read."""


def first_that_has[Replica: Follows](position: int, among: Iterable[Replica]) -> Replica | None:
    for each in among:
        replayed = each.replayed()
        if replayed is not None and replayed >= position:
            return each
    return None


class Replica:
    """One of `settings.REPLICAS`. Each thread has a connection of its own, which stands in for the usual one."""

    def __init__(self, database: dict[str, Any]) -> None:
        self._connections = ConnectionHandler({DEFAULT_DB_ALIAS: database})
        self.name = f"{database['HOST']}:{database['PORT'] or 5432}"
        self._alone_until = 0.0

    @property
    def connection(self) -> Any:
        return self._connections[DEFAULT_DB_ALIAS]

    def close(self) -> None:
        self.connection.close()

    def replayed(self) -> int | None:
        if time.monotonic() < self._alone_until:
            return None
        self.connection.close_if_unusable_or_obsolete()
        was_open = self.connection.connection is not None
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(REPLAYED)
                found = cursor.fetchone()
        except Error as error:
            self.connection.close()
            if was_open:
                # It may have been started anew since it was asked last.
                return self.replayed()
            self._alone_until = time.monotonic() + LEFT_ALONE
            log.warning("The replica %s is not asked for %g s (%s).", self.name, LEFT_ALONE, type(error).__name__)
            return None
        return found[0] if found else None

    @contextmanager
    def read(self) -> Iterator[None]:
        """Within it whoever asks the database asks this one."""
        primary = _primary.connection = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self.connection
        try:
            yield
        finally:
            connections[DEFAULT_DB_ALIAS], _primary.connection = primary, None


class _Primary(threading.local):
    """The connection to it, while this thread reads from a replica."""

    connection: Any = None


_primary = _Primary()


@cache
def replicas() -> tuple[Replica, ...]:
    return tuple(Replica(database) for database in settings.REPLICAS)


def leave() -> bool:
    """What is read from here on is read from the primary. Whether that was a replica until now: what was not found may
    be there."""
    if _primary.connection is None:
        return False
    connections[DEFAULT_DB_ALIAS], _primary.connection = _primary.connection, None
    return True


@contextmanager
def at_primary() -> Iterator[None]:
    """For what is written though a page is only read: that somebody looked, how often somebody tried. It counts as no
    write of theirs."""
    replica, wrote = connections[DEFAULT_DB_ALIAS], WROTE.get()
    left = leave()
    try:
        yield
    finally:
        WROTE.set(wrote)
        if left:
            _primary.connection, connections[DEFAULT_DB_ALIAS] = connections[DEFAULT_DB_ALIAS], replica


def written() -> int:
    """Up to where the primary has written: not less than whatever was committed before."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(WRITTEN)
        return int(cursor.fetchone()[0])


floor = Floor(written)


def choose(after: int) -> Replica | None:
    """A replica that has the log up to there. None where the primary is to be asked, as within a transaction."""
    if not replicas() or connections[DEFAULT_DB_ALIAS].in_atomic_block:
        return None
    least = max(after, floor.at(time.monotonic()))
    return first_that_has(least, random.sample(replicas(), len(replicas())))
