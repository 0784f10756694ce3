"""What the office says of its days after the file was written: closed, other hours, worked after all.

A correction is in force from the moment a second officer confirmed it until another one replaced it. Of two that are in
force about the same day the later one holds. The file's own holidays stay closed in a season of other hours.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from .clock import Calendar, Slot, Week


class Kind(StrEnum):
    CLOSED = "closed"  # the whole day, or between two times of it
    HOURS = "hours"  # a week of other hours, such as in Ramadan
    WORKED = "worked"  # after all: a day off that is none, or an order that was withdrawn


@dataclass(frozen=True, slots=True)
class Correction:
    """Of each day from the first to the last. `begins` and `ends` bound the part of a day that is closed, or the hours
    of one that is worked; without them it is the whole day, and a worked one has its usual hours."""

    kind: Kind
    first: date
    last: date
    since: datetime
    until: datetime | None = None
    begins: time | None = None
    ends: time | None = None
    week: Week = ()

    def is_in_force(self, at: datetime) -> bool:
        return self.since <= at and (self.until is None or at < self.until)

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=each) for each in range((self.last - self.first).days + 1)]


def corrected(calendar: Calendar, corrections: Iterable[Correction]) -> Calendar:
    """The calendar of the file with all that is in force, and what was in force before (`Calendar.earlier`), where a
    time could end later by it."""
    given = sorted(corrections, key=lambda one: one.since)
    moments = sorted({at for one in given for at in (one.since, one.until) if at is not None})
    versions = [calendar, *(_with(calendar, [one for one in given if one.is_in_force(at)]) for at in moments)]
    now, *before = reversed(versions)
    earlier: list[tuple[datetime, Calendar]] = []
    for until, version in zip(reversed(moments), before, strict=True):
        if not any(_ends_no_earlier(later, version) for later in (now, *(each for _, each in earlier))):
            earlier.append((until, version))
    return replace(now, earlier=tuple(earlier))


def _with(calendar: Calendar, corrections: Sequence[Correction]) -> Calendar:
    usual = dict[date, tuple[Slot, ...]]()
    for one in corrections:
        if one.kind == Kind.HOURS:
            usual |= {day: one.week[day.weekday()] for day in one.days}
    found = {day: () if calendar.is_holiday(day) else slots for day, slots in usual.items()}
    for one in corrections:
        for day in one.days if one.kind != Kind.HOURS else ():
            if one.kind == Kind.WORKED and one.begins is not None and one.ends is not None:
                found[day] = (Slot(one.begins, one.ends),)
            elif one.kind == Kind.WORKED:
                found[day] = usual.get(day, calendar.usual_on(day))
            else:
                found[day] = tuple(_without(found.get(day, calendar.slots_on(day)), one.begins, one.ends))
    return replace(calendar, own_hours=found)


def _without(slots: Iterable[Slot], begins: time | None, ends: time | None) -> Iterator[Slot]:
    """What is left of them; nothing where the day is closed whole."""
    if begins is None or ends is None:
        return
    for slot in slots:
        if slot.opens < begins:
            yield replace(slot, closes=min(slot.closes, begins))
        if ends < slot.closes:
            yield replace(slot, opens=max(slot.opens, ends))


def _ends_no_earlier(calendar: Calendar, other: Calendar) -> bool:
    """Whether no time ends by it earlier than by the other: each day is the same, or closed. A day that is open for a
    shorter time may count where a pause touched the rest of it."""
    days = calendar.own_hours.keys() | other.own_hours.keys()
    return all(calendar.slots_on(day) in ((), other.slots_on(day)) for day in days)
