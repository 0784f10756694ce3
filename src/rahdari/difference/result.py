"""A result as a body publishes it (`judge --format json`), read by somebody who did not make it.

Bounded and closed: each word is one of a list and the rest is numbers, so nothing in it can name a network, a place, a
pair or an address. A finding that does not follow from its own numbers is refused.
"""

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import Any

from rahdari.errors import RahdariError
from rahdari.probe import Method

from .judging import RULES_VERSION, Finding, Needed
from .plan import MOST

MOST_BYTES, MOST_ROWS = 2**18, 2_000
A_WEEK = 7 * 24 * 60  # minutes
COLUMNS = ("week", "protocol", "finding", "difference_percent", "chance", "pairs", "networks", "minutes")
# What the kit of the release before wrote where nothing was computed.
BEFORE = {"difference_percent": 0.0, "chance": 1.0}
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)


class ResultRefused(RahdariError):
    """`.why` is a sentence for whoever sent it."""

    says = "{why}"
    why: str


@dataclass(frozen=True)
class Row:
    """One protocol in one ISO week (`2026-W48`). Where too few pairs count, neither the difference nor its chance was
    computed."""

    week: str
    protocol: Method
    finding: Finding
    difference_percent: float | None
    chance: float | None
    pairs: int
    networks: int
    minutes: int


@dataclass(frozen=True)
class Result:
    rules_version: int
    rows: tuple[Row, ...]


def read(content: bytes, *, today: dt.date) -> Result:
    """Raises ResultRefused."""
    if len(content) > MOST_BYTES:
        raise ResultRefused(f"The file has more than {MOST_BYTES // 1024} KiB.")
    try:
        found = json.loads(content, object_pairs_hook=_object, parse_constant=_no_number)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        why = "The file is not JSON. Send what `rahdari difference judge --format json` prints."
        raise ResultRefused(why) from None
    _closed(found, ("rules_version", "weeks"), "The file")
    if found["rules_version"] != RULES_VERSION:
        raise ResultRefused(f"It is of rules_version {found['rules_version']!r}; known here is {RULES_VERSION}.")
    if not isinstance(found["weeks"], list) or not 0 < len(found["weeks"]) <= MOST_ROWS:
        raise ResultRefused(f"`weeks` has 1 to {MOST_ROWS} rows.")
    rows = tuple(_row(each, number, today) for number, each in enumerate(found["weeks"], 1))
    if len({(each.week, each.protocol) for each in rows}) < len(rows):
        raise ResultRefused("A protocol has two findings for one week.")
    return Result(RULES_VERSION, rows)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ResultRefused("A name stands twice in one object.")
    return found


def _no_number(word: str) -> Any:
    raise ResultRefused(f"{word} is no number.")


def _closed(found: Any, names: tuple[str, ...], what: str) -> None:
    if not isinstance(found, dict) or set(found) != set(names):
        more = sorted(set(found) - set(names)) if isinstance(found, dict) else []
        said = f", and never {', '.join(map(repr, more[:5]))}" if more else ""
        raise ResultRefused(f"{what} has {', '.join(names)}{said}. A result names no operator, place or address.")


def _row(found: Any, place: int, today: dt.date) -> Row:
    what = f"Row {place}"
    _closed(found, COLUMNS, what)
    _hold_week(found["week"], what, today)
    if found["protocol"] not in set(Method) or found["finding"] not in set(Finding):
        raise ResultRefused(f"{what}: protocol or finding is not one of those that the kit writes.")
    for name, limit in (("pairs", MOST), ("networks", 1000), ("minutes", MOST * 1000 * A_WEEK)):
        if type(found[name]) is not int or not 0 <= found[name] <= limit:
            raise ResultRefused(f"{what}: {name} is a whole number from 0 to {limit}.")
    is_computed = found["pairs"] >= Needed().pairs
    for name, least, most in (("difference_percent", -100, 100), ("chance", 0, 1)):
        number = found[name]
        if not is_computed and number in (None, BEFORE[name]):
            found = found | {name: None}
        elif isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
            raise ResultRefused(f"{what}: {name} is a number from {least} to {most}.")
        elif not is_computed:
            raise ResultRefused(f"{what}: {name} is computed of {Needed().pairs} pairs or more.")
    row = Row(**found | {"protocol": Method(found["protocol"]), "finding": Finding(found["finding"])})
    if row.minutes > row.pairs * row.networks * A_WEEK or row.finding not in _follows(row):
        raise ResultRefused(f"{what}: the finding does not follow from its numbers.")
    return row


def _hold_week(week: Any, what: str, today: dt.date) -> None:
    parts = _WEEK.fullmatch(week) if isinstance(week, str) else None
    try:
        monday = dt.date.fromisocalendar(int(parts[1]), int(parts[2]), 1) if parts else None
    except ValueError:
        monday = None
    if monday is None or monday > today:
        raise ResultRefused(f"{what}: week is an ISO week that has begun, like 2026-W48.")


def _follows(row: Row) -> set[Finding]:
    """What `judge` may have said to these numbers; both where the difference is rounded to the limit itself."""
    needed = Needed()
    if row.chance is None or row.difference_percent is None or row.networks < needed.networks:
        return {Finding.NOT_ENOUGH}
    beyond = Finding.DIFFERENCE if row.chance <= needed.chance else Finding.NOT_ENOUGH
    off = abs(row.difference_percent) * 10 - needed.least
    return {Finding.NO_DIFFERENCE, beyond} if abs(off) < 0.1 else {beyond if off > 0 else Finding.NO_DIFFERENCE}
