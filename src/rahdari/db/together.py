"""Several queries in one statement, for a page that needs the answers of all of them.

    checks, letters = checks_of(subject), letters_about(subject)
    ask(checks, letters)

Each query keeps its own text; the statement has one row with a column for each, in which the rows stand as JSON. What a
query of Django's has read is put where it keeps its rows, so that whoever is handed the query later asks nothing again.
A plan is made for each of them as ever. What has no place in JSON (a span of time) is refused.
"""

import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet

from .asked import AHEAD, Later


def ask(*found: QuerySet[Any, Any]) -> None:
    """Read them all; afterwards each holds its rows. Those that were read before, or can find nothing, ask nothing."""
    compiled = [(each, *made) for each in found if each._result_cache is None and (made := _compiled(each))]
    if not compiled:
        return
    with connection.cursor() as cursor:
        texts = ", ".join(
            f"(SELECT json_agg(row)::text FROM ({sql}) AS row ({names}))"  # noqa: S608 - of Django's own texts
            for _, _, sql, _, names in compiled
        )
        cursor.execute(f"SELECT {texts}", [value for _, _, _, values, _ in compiled for value in values])
        answers = cast("tuple[str | None, ...]", cursor.fetchone())
    for (each, compiler, *_), answer in zip(compiled, answers, strict=True):
        _fill(each, compiler, json.loads(answer) if answer else [])


@contextmanager
def ahead(*wanted: Later[Any]) -> Iterator[None]:
    """Read these in one statement; whoever asks one of them within is given what was read. Nothing is written within,
    as nobody who asks would see it.
    """
    known = AHEAD.get() or {}
    queries = {each.key: query for each in wanted if each.key not in known and (query := each.query()) is not None}
    ask(*queries.values())
    before = AHEAD.set(known | {key: list(query) for key, query in queries.items()})
    try:
        yield
    finally:
        AHEAD.reset(before)


@dataclass(frozen=True)
class Part:
    """What a room adds to a page of another: its queries, read with those of the page, and what is shown of them."""

    read: Sequence[QuerySet[Any, Any]]
    shown: Callable[[], Any]


def share(owners: Iterable[Model], related: str, rows: QuerySet[Any] | Sequence[Any], *, by: str) -> None:
    """Give each owner those of the rows, which were read, that point at it `by` this field: as `prefetch_related`
    leaves them."""
    for owner in owners:
        mine: Any = rows.all() if isinstance(rows, QuerySet) else getattr(owner, related).all()
        mine._result_cache, mine._prefetch_done = [], True
        for row in rows:
            if getattr(row, f"{by}_id") == owner.pk:
                setattr(row, by, owner)
                mine._result_cache.append(row)
        vars(owner).setdefault("_prefetched_objects_cache", {})[related] = mine


def totals(found: QuerySet[Any], **counted: Any) -> QuerySet[Any, dict[str, Any]]:
    """What `aggregate` asks, as a query of one row for `ask`."""
    made: QuerySet[Any, dict[str, Any]] = found.order_by().annotate(**counted).values(*counted)
    made.query.group_by = None
    return made


def _compiled(found: QuerySet[Any, Any]) -> tuple[Any, str, Any, str] | None:
    """Its compiler, text and values, and names for its columns; None for what can find nothing."""
    compiler = found.query.get_compiler(connection=connection)
    try:
        sql, values = compiler.as_sql()
    except EmptyResultSet:
        found._result_cache = []
        return None
    if compiler.has_extra_select:
        raise TypeError("it is ordered by what it does not read")
    return compiler, sql, values, ", ".join(f"c{at}" for at in range(len(compiler.select)))


def _fill(found: QuerySet[Any, Any], compiler: Any, read: list[dict[str, Any]]) -> None:
    kinds = [_from_json(expression.output_field) for expression, _, _ in compiler.select]
    rows = [
        tuple(
            value if value is None or kind is None else kind(value)
            for kind, value in zip(kinds, row.values(), strict=True)
        )
        for row in read
    ]
    compiler.execute_sql = lambda *_given, **_named: iter([rows])
    query = found.query
    # For as long as its rows are made: a copy of the query is asked as ever.
    vars(query)["get_compiler"] = lambda *_given, **_named: compiler
    try:
        found._result_cache = list(cast("Iterator[Any]", found._iterable_class(found)))
    finally:
        del vars(query)["get_compiler"]


def _from_json(field: Any) -> Callable[[Any], Any] | None:
    """How a value of this field, as JSON has it, becomes what the driver would have given; None where it is that."""
    while field.remote_field is not None and field.is_relation:
        field = field.target_field
    kind = field.get_internal_type()
    if kind == "DurationField":
        raise TypeError("a span of time has no place in JSON")
    return _KINDS.get(kind)


_KINDS: dict[str, Callable[[Any], Any]] = {
    "DateTimeField": dt.datetime.fromisoformat,
    "DateField": dt.date.fromisoformat,
    "TimeField": dt.time.fromisoformat,
    "UUIDField": uuid.UUID,
    "BinaryField": lambda text: bytes.fromhex(text.removeprefix("\\x")),
    "JSONField": json.dumps,
    "DecimalField": lambda number: decimal.Decimal(str(number)),
}
