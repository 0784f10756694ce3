"""One question for many queues: in which of them anything waits.

    gate = Gate(queues, under=policy_in_force)
    gate.ask(now)  # the queues that hold something, by one statement of PostgreSQL

To make the SQL of sixty queues costs thirty milliseconds, and to plan it ten. Both are kept: the text for a minute, of
which from one question to the next the time alone is another, and the plan as long as PostgreSQL keeps it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from psycopg import ClientCursor
from psycopg.adapt import Buffer, Dumper

from .queues import attempt

NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
KEPT = dt.timedelta(minutes=1)
NOTHING = "false"
NOW = "\N{SYMBOL FOR START OF TEXT}now"
# To plan it takes ten times as long as to answer it, and PostgreSQL would rather do that again for each time. A plan
# for any time has no numbers to go by: it is kept from reading a table whole, and from starting processes beside it
# for the third of a large table that it takes to be due.
PLANNED_ONCE = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('enable_seqscan', 'off', false), "
    "set_config('max_parallel_workers_per_gather', '0', false)"
)
# NULL is what each was when the connection began.
AS_USUAL = (
    "SELECT set_config('plan_cache_mode', NULL, false), set_config('enable_seqscan', NULL, false), "
    "set_config('max_parallel_workers_per_gather', NULL, false)"
)


class Waits(Protocol):
    @property
    def found(self) -> Callable[[dt.datetime], QuerySet[Any]]:
        """What waits at this time."""


class Gate[Queue: Waits]:
    """Whether anything waits in each of these queues.

    What else went into their queries than the time is a minute old at most: a day, what a table said. `under` names
    what must not be older than the question: with another one the text is made anew at once.
    """

    def __init__(self, queues: Sequence[Queue], *, under: Callable[[], object]) -> None:
        self.queues, self._under = queues, under
        self._text, self._made_at, self._made_under = "", NEVER, object()

    def ask(self, now: dt.datetime) -> frozenset[Queue]:
        """Those that hold something."""
        under = self._under()
        if abs(now - self._made_at) >= KEPT or under is not self._made_under:
            self._text = _text_of(self.queues, _Moment.of(now))
            self._made_at, self._made_under = now, under
        with connection.cursor() as cursor:
            cursor.execute(PLANNED_ONCE)
            try:
                cursor.execute(self._text, {"now": now})
                answers = cursor.fetchone()
            finally:
                cursor.execute(AS_USUAL)
        return frozenset(queue for queue, waits in zip(self.queues, answers, strict=True) if waits)

    def ask_or_all(self, name: str, now: dt.datetime) -> Collection[Queue]:
        """The same; all of them when that cannot be found out. Raises only when the database is away. A question of
        that name that fails is put back and counted as an item is."""
        waiting: Collection[Queue] = self.queues

        def ask() -> int:
            nonlocal waiting
            waiting = self.ask(now)
            return 0

        attempt(name, "what waits", ask, now)
        return waiting


@dataclass(frozen=True)
class Batch:
    """An act on all that is found, or on a part of it. Returns how many it moved."""

    found: Callable[[dt.datetime], QuerySet[Any]]
    act: Callable[..., int]

    def __call__(self, now: dt.datetime) -> int:
        return self.act(now=now)


class Jobs:
    """What a loop does: each batch when something waits for it; once a minute all of them, and what is by the clock."""

    def __init__(self, name: str, *batches: Batch, each_minute: Sequence[Callable[..., int]] = ()) -> None:
        self._name, self._batches, self._each_minute = name, batches, each_minute
        self._gate, self._all_at = Gate(batches, under=lambda: None), NEVER

    def __call__(self, now: dt.datetime) -> None:
        if abs(now - self._all_at) < KEPT:
            waiting = self._gate.ask_or_all(self._name, now)
            due: list[Callable[..., int]] = [batch for batch in self._batches if batch in waiting]
        else:
            self._all_at, due = now, [*self._batches, *self._each_minute]
        for each in due:
            each(now=now)


class _Moment(dt.datetime):
    """The time of a question. What is reckoned from it is one too, and so is known among the parameters of a query."""

    @classmethod
    def of(cls, now: dt.datetime) -> "_Moment":
        return cls.combine(now.date(), now.timetz())


def as_planned(now: dt.datetime) -> dt.datetime:
    """The same time, for what may be a minute older than the question: it is written into the question's text, and
    PostgreSQL plans by it, where it knows nothing of a time that is given with each question."""
    return dt.datetime.combine(now.date(), now.timetz())


@dataclass(frozen=True)
class _After:
    """A parameter: so long after the time of the question, which is the statement's one parameter."""

    time: dt.timedelta


class _AsSum(Dumper):
    def dump(self, obj: Any) -> Buffer:
        return f"({NOW} + '{obj.time // dt.timedelta(microseconds=1)} microseconds'::interval)".encode()

    quote = dump


def text_at_any_time(found: Callable[[dt.datetime], QuerySet[Any]], *, locking: str = "") -> str:
    """The text of a query in which the time alone is open, as the parameter `now`; `locking` is put behind it. It is
    made once: what else goes into the query must never change."""
    sql, given = found(moment := _Moment.of(dt.datetime.now(dt.UTC))).query.get_compiler(connection.alias).as_sql()
    return _with_time_open(f"{sql} {locking}", given, moment)


def _text_of(queues: Iterable[Waits], now: _Moment) -> str:
    parts, parameters = [], list[Any]()
    for queue in queues:
        try:
            # In the order of the queue, for which it has its index. PostgreSQL leaves out the order of what stands in
            # EXISTS, and may then look through a whole table for a first row that is not there.
            sql, given = queue.found(now).values("pk")[:1].query.get_compiler(connection.alias).as_sql()
        except EmptyResultSet:
            parts.append(NOTHING)
            continue
        parts.append(f"({sql}) IS NOT NULL")
        parameters += given
    return _with_time_open(f"SELECT {', '.join(parts)}", parameters, now)


def _with_time_open(sql: str, parameters: Iterable[Any], now: _Moment) -> str:
    connection.ensure_connection()
    cursor = ClientCursor(connection.connection)
    cursor.adapters.register_dumper(_After, _AsSum)
    shifted = [_After(each - now) if isinstance(each, _Moment) else each for each in parameters]
    text = cursor.mogrify(sql, shifted)
    return text.replace("%", "%%").replace(NOW, "%(now)s::timestamptz")
