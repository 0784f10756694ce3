"""Recompute a published month from the database, and explain every difference."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from .actions import counted_again
from .cells import Row, rows_of
from .counting import asked
from .definitions import load
from .queries import Month


class Exit(IntEnum):
    """What `rahdari figures verify` ends with."""

    SAME = 0
    EXPLAINED = 1
    UNEXPLAINED = 3


@dataclass(frozen=True)
class Difference:
    """A cell that comes out otherwise now. `why` is empty where nothing explains it."""

    published: Row
    now: Row | None
    why: tuple[str, ...]


def differences(month: Month) -> Iterator[Difference]:
    """Each cell of the last word on a month that the database does not bear out. Raises PartsChanged."""
    now = {row.key: row for row in _as_then(month)}
    why: dict[str, tuple[str, ...]] = {}
    for row in month.standing.values():
        if (found := now.get(row.key)) is None or (found.value, found.mark) != (row.value, row.mark):
            if row.figure not in why:
                why[row.figure] = tuple(_reasons(row.figure, month))
            yield Difference(row, found, why[row.figure])


def _as_then(month: Month) -> Iterator[Row]:
    """Each figure as the edition would say it now that has the last word on it: under those before that one."""
    counted, figures = counted_again(month)
    last = {row.figure: place for place, edition in enumerate(month.editions) for row in edition.rows}
    for place in sorted(set(last.values())):
        before = [edition.rows for edition in month.editions[:place]]
        yield from (row for row in rows_of(counted, figures, before) if last.get(row.figure) == place)


def _reasons(id: str, month: Month) -> Iterator[str]:
    """Of the figure, and of those that are bound to it: a cell may be withheld because of another one."""
    definitions = load()
    if id not in definitions.figures:
        yield f"{id} is not defined any more"
        return
    for bound in sorted(definitions.together_with(id), key=lambda other: (other != id, other)):
        figure, rows = definitions.figures[bound], month.rows_of(bound)
        published = next((row.version for row in rows), figure.version)
        since = _published_at(month, bound)
        if published != figure.version:
            yield f"{bound}: published by version {published} of its definition, counted now by {figure.version}"
        if figure.changed and (number := asked(figure.changed, month.month, since)):
            yield f"{bound}: {number} of its cases changed after it was published"
        if figure.erased and (number := asked(figure.erased, month.month, since)):
            yield f"{bound}: of {number} of its cases what is counted is erased"


def _published_at(month: Month, id: str) -> dt.datetime:
    """When the last edition that has this figure was published."""
    editions = [each for each in month.editions if any(row.figure == id for row in each.rows)]
    return (editions or month.editions)[-1].at


def outcome(found: list[Difference]) -> Exit:
    if not found:
        return Exit.SAME
    return Exit.EXPLAINED if all(each.why for each in found) else Exit.UNEXPLAINED
