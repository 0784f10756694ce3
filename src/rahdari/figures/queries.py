"""What was published, for everybody: months, editions, and which row of a month is the last word."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.db.models import Max, QuerySet

from .cells import NUMBER, Row, from_json, share_of
from .definitions import ALL, Figure, load
from .models import GivenUp, Publication


@dataclass(frozen=True)
class Edition:
    number: int
    at: dt.datetime
    why_en: str
    why_ur: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Month:
    """A published month with all its editions, the first one in front."""

    month: dt.date
    editions: tuple[Edition, ...]

    @property
    def name(self) -> str:
        return f"{self.month:%Y-%m}"

    @cached_property
    def standing(self) -> dict[tuple[str, str, str], Row]:
        """The last word on each cell."""
        return {row.key: row for edition in self.editions for row in edition.rows}

    @property
    def is_made_up(self) -> bool:
        """It was not counted: a first edition says something of the month in a demonstration alone."""
        return bool(self.editions[0].why_en)

    def rows_of(self, figure: str) -> list[Row]:
        return [row for row in self.standing.values() if row.figure == figure]

    def total(self, figure: str) -> Row | None:
        return self.standing.get((figure, ALL, NUMBER))

    def share(self, row: Row) -> float | None:
        return share_of(row, self.standing)


def months(*, since: dt.date | None = None, until: dt.date | None = None) -> list[Month]:
    """The latest first."""
    found = Publication.objects.order_by("month", "edition")
    if since is not None:
        found = found.filter(month__gte=since)
    if until is not None:
        found = found.filter(month__lte=until)
    return _together(found)


def month(date: dt.date) -> Month | None:
    return next(iter(_together(Publication.objects.filter(month=date).order_by("edition"))), None)


def _together(publications: Iterable[Publication]) -> list[Month]:
    found: dict[dt.date, list[Edition]] = {}
    for each in publications:
        edition = Edition(each.edition, each.at, each.why_en, each.why_ur, tuple(from_json(each.cells)))
        found.setdefault(each.month, []).append(edition)
    return [Month(date, tuple(editions)) for date, editions in sorted(found.items(), reverse=True)]


def last_month() -> dt.date | None:
    last: dt.date | None = Publication.objects.aggregate(last=Max("month"))["last"]
    return last


def figures() -> Iterable[Figure]:
    return load().figures.values()


def given_up(since: dt.date) -> QuerySet[GivenUp]:
    return GivenUp.objects.filter(month__gte=since)
