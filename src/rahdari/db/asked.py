"""Queries that nearly each page asks, in which only values differ: Django makes the text once in each process.

To build such a query and its text takes Django twice as long as to send it and to read the row.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Hashable
from contextvars import ContextVar
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, cast

from django.db import connections
from django.db.models import Model, QuerySet

from .postgres.compiler import Told, learned, same

type Value = str | uuid.UUID | dt.datetime | list[str] | list[uuid.UUID]
# What `db.together.ahead` has read for the code within it, by the query and its values.
AHEAD: ContextVar[dict[Hashable, list[Any]] | None] = ContextVar("AHEAD", default=None)

# Longer lists are rare, and each length has a text of its own.
MOST = 50
log = logging.getLogger("rahdari.db")


@dataclass(frozen=True)
class _Known:
    queryset: Any
    told: Told
    # Each value of the text, of the values given.
    places: tuple[Callable[[list[Any]], Any], ...]


class Asked[Row: Model]:
    """The rows of `make(*values)`, a query of which the text depends on nothing but how many values a list has.

    `make` is called with values of its own: UUIDs, moments, texts that are a UUID each, and lists for `in`. They have
    to come back in the text as they are; a text may be within a longer one, or a UUID. Where the text is not what
    Django makes of the values given, it is asked as Django has it, and the log says so.
    """

    def __init__(self, make: Callable[..., QuerySet[Row]]) -> None:
        self._make = make
        self._known: dict[tuple[int | type, ...], _Known | None] = {}

    def __call__(self, *values: Value) -> list[Row]:
        later = self.later(*values)
        if [] in later.values:
            return []
        found = AHEAD.get()
        if found and later.key in found:
            return list(found[later.key])
        return list(self._query(later.values))

    def later(self, *values: Value) -> "Later[Row]":
        """The same query, not asked yet: for `db.together.ahead`."""
        # Django asks for each once; nothing is `in` an empty list.
        once = tuple(cast(Value, list(dict.fromkeys(each))) if isinstance(each, list) else each for each in values)
        return Later(self, once)

    def _query(self, values: tuple[Value, ...]) -> QuerySet[Row]:
        shape = tuple(len(each) if isinstance(each, list) else type(each) for each in values)
        if any(isinstance(length, int) and length > MOST for length in shape):
            return self._make(*values)
        if shape not in self._known:
            self._known[shape] = self._learn(values)
        known = self._known[shape]
        if known is None:
            return self._make(*values)
        rows: QuerySet[Row] = known.queryset._chain()
        rows.query.told = known.told.with_values(_filled(known.places, values))  # type: ignore[attr-defined]
        return rows

    def one(self, *values: Value) -> Row:
        """The only row. Raises the model's `DoesNotExist` where there is none."""
        found = self(*values)
        return found[0] if found else self._make(*values).get()

    def _learn(self, values: tuple[Value, ...]) -> _Known | None:
        marks = tuple([_mark(each) for each in value] if isinstance(value, list) else _mark(value) for value in values)
        queryset = self._make(*marks)
        connection = connections[queryset.db]
        told = learned(queryset.query, connection)
        places = tuple(_place(each, _flat(marks)) for each in told.values)
        made = learned(self._make(*values).query, connection)
        filled = _filled(places, values)
        if same(made, told.with_values(filled)):
            return _Known(queryset, told, places)
        log.error("The text of a query depends on more than its values: %s", made.sql)
        if connection.ops.compiler("SQLCompiler").strict:  # type: ignore[attr-defined]
            raise AssertionError(f"{made.sql!r} {made.values!r}\nkept: {told.sql!r} {filled!r}")
        return None


@dataclass(frozen=True)
class Later[Row: Model]:
    """A query with its values. `key` is the same for the same of both."""

    asked: Asked[Row]
    values: tuple[Value, ...]

    @property
    def key(self) -> Hashable:
        return self.asked, *(tuple(each) if isinstance(each, list) else each for each in self.values)

    def query(self) -> QuerySet[Row] | None:
        """None for one that can find nothing."""
        return None if [] in self.values else self.asked._query(self.values)


def _place(value: Any, marks: list[Any]) -> Callable[[list[Any]], Any]:
    for number, mark in enumerate(marks):
        if type(value) is type(mark) and value == mark:
            return itemgetter(number)
        if isinstance(value, uuid.UUID) and str(value) == mark:
            return lambda given: uuid.UUID(given[number])
        if isinstance(value, str) and isinstance(mark, str) and mark in value:
            before, _, after = value.partition(mark)
            return lambda given: f"{before}{given[number]}{after}"
    return lambda _given: value


def _filled(places: tuple[Callable[[list[Any]], Any], ...], values: tuple[Value, ...]) -> tuple[Any, ...]:
    given = _flat(values)
    return tuple(place(given) for place in places)


def _flat(values: tuple[Any, ...]) -> list[Any]:
    return [part for each in values for part in (each if isinstance(each, list) else (each,))]


def _mark(value: Any) -> Any:
    """A value of this sort that stands nowhere else."""
    some = uuid.uuid4()
    if isinstance(value, uuid.UUID):
        return some
    if isinstance(value, dt.datetime):
        return dt.datetime.fromtimestamp(some.int % 2**31, tz=dt.UTC).replace(microsecond=some.int % 999_983)
    if type(value) is str:
        return str(some)
    raise TypeError(f"{value!r} is no value of a kept query")
