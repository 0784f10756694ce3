"""Which other officers have a case open, by the reads of it that are on record."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rahdari.journal.models import JournalEntry
from rahdari.people.models import User

# Whoever opened it longer ago has most likely left it.
RECENT = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class OpenElsewhere:
    """An officer, empty where no name is known, and how long ago they opened the case or acted in it."""

    name: str
    ago: dt.timedelta


def others_reading(
    rows: Iterable[JournalEntry], *, reader: User, staff: Iterable[User], now: dt.datetime
) -> Sequence[OpenElsewhere]:
    """Each once, who opened it last in front. `rows` of the journal about the case, newest first."""
    names, last = {str(each.pk): each.name for each in staff}, dict[str, dt.datetime]()
    for row in rows:
        if row.at < now - RECENT:
            break
        kind, _colon, officer = row.actor.partition(":")
        if row.act == "decide.read_case" and kind in {"officer", "supervisor"} and officer != str(reader.pk):
            last.setdefault(officer, row.at)
    return [OpenElsewhere(names.get(officer, ""), max(now - at, dt.timedelta())) for officer, at in last.items()]
