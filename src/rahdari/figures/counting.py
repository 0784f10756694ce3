"""Counts a month by the SQL of the definitions, in a transaction that can only read and that ends a statement which
takes too long. What comes out here is exact and for no page: `cells.rows_of` says what is published of it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from rahdari import policy
from rahdari.errors import RahdariError

from .cells import Counted
from .definitions import ALL, OTHER, Figure, Words, load

# A statement that takes longer is ended: no figure is worth a register that stands still.
PATIENCE = dt.timedelta(minutes=2)
SEVERAL = "several"
_OTHER = {
    "service": Words("A category of earlier rules", "پہلے کے قواعد کا زمرہ"),
    "refusal": Words("A reason of earlier rules", "پہلے کے قواعد کی وجہ"),
    "operator": Words("At no operator that follows the register", "رجسٹر پڑھنے والے کسی آپریٹر کے پاس نہیں"),
}
_SEVERAL = Words("At several operators", "کئی آپریٹرز کے پاس")
OPERATORS = """
SELECT slug, name_en, name_ur FROM publish_operator WHERE active AND NOT gateway AND asns <> '{}' ORDER BY slug"""


class UnknownPart(RahdariError):
    """The SQL of a definition told a part that the definition does not name. `.figure`, `.part`"""

    says = "{figure} has no part {part}"
    figure: str
    part: str


def bounds(month: dt.date) -> dict[str, dt.datetime]:
    """From when until before when: the month by the time of the office."""
    zone = timezone.get_default_timezone()
    after = (month.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
    return {
        "start": dt.datetime.combine(month, dt.time(), zone),
        "end": dt.datetime.combine(after, dt.time(), zone),
    }


@contextmanager
def reading() -> Iterator[Any]:
    """A cursor that reads one state of the database and writes nothing."""
    outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION {'ISOLATION LEVEL REPEATABLE READ ' if outermost else ''}READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = {PATIENCE // dt.timedelta(milliseconds=1)}")
        yield cursor
        # Nothing was written; and both settings go with it, also where this is a part of a greater transaction.
        transaction.set_rollback(True)


def count(month: dt.date, ids: Iterable[str], parts: Mapping[str, Mapping[str, Words]] | None = None) -> Counted:
    """Count these figures of a month. `parts`: those of its first edition, which a correction keeps.
    Raises UnknownPart."""
    figures, when = load().figures, bounds(month)
    parts_found: dict[str, Mapping[str, Words]] = {}
    numbers: dict[str, Mapping[str, int]] = {}
    times: dict[str, Mapping[str, tuple[float, float]]] = {}
    with reading() as cursor:
        for figure in (figures[id] for id in ids):
            known = (parts or {}).get(figure.id) or parts_of(figure, cursor)
            cursor.execute(figure.sql, when)
            if figure.is_time:
                times[figure.id] = {part: (half, most) for part, half, most in cursor.fetchall()}
            else:
                parts_found[figure.id] = known
                numbers[figure.id] = _numbers(figure, known, cursor.fetchall())
    return Counted(parts_found, numbers, times)


def _numbers(figure: Figure, parts: Mapping[str, Words], rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    numbers = dict.fromkeys(parts, 0) or {ALL: 0}
    for told, number in rows:
        part = told if told in numbers else OTHER
        if part not in numbers:
            raise UnknownPart(figure=figure.id, part=told)
        numbers[part] += number
    return numbers


def parts_of(figure: Figure, cursor: Any) -> Mapping[str, Words]:
    """In the order in which they are shown. They do not depend on what is counted."""
    if not figure.parts_from:
        return figure.parts
    rules, other = policy.current(settings.POLICY_FILE), {OTHER: _OTHER[figure.parts_from]}
    if figure.parts_from == "service":
        return {key: Words(each.short.en, each.short.ur) for key, each in rules.services.items()} | other
    if figure.parts_from == "refusal":
        refusals = (each for each in rules.reasons.values() if each.kind == "refusal")
        return {each.code: Words(each.text.en, each.text.ur) for each in refusals} | other
    cursor.execute(OPERATORS)
    return {slug: Words(en, ur or en) for slug, en, ur in cursor.fetchall()} | {SEVERAL: _SEVERAL} | other


def asked(sql: str, month: dt.date, since: dt.datetime) -> int:
    """How many rows of a month may be otherwise, or are gone, since then (`changed` and `erased` of a definition)."""
    with reading() as cursor:
        cursor.execute(sql, {**bounds(month), "since": since})
        return int(cursor.fetchone()[0])
