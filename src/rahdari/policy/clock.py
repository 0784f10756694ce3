"""Deadlines are a pure function of events, calendar and allowance. Nothing counts down; nothing is stored but events.

Invariants, each held by a property test:
- a pause never makes a deadline earlier, and a pause outside office hours adds nothing to a clock of working time;
- a holiday that is added, however late it was declared, never makes a deadline earlier;
- nothing that the office says of its days later makes a deadline earlier than it was told: not a day that is worked
  after all, not an order that another one replaced (`Calendar.earlier`);
- "from" excludes the first day, "to" includes the last (General Clauses Act, s. 9), and a last day on which the
  office is closed moves to the next open one (s. 10), unless the allowance says otherwise.

A clock of working hours consumes office hours, slot by slot: lunch, Friday prayers and nights are not in a slot and so
are never counted. A clock of days ends with the last moment of its last day. Days are those of the calendar's zone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

UNITS = ("minutes", "hours", "working_hours", "working_days", "calendar_days", "months")
DAY = timedelta(days=1)
# No allowance in law or practice comes near this. Reaching it means a calendar that never opens.
HORIZON_DAYS = 366 * 30


class CalendarNeverOpens(Exception):
    """The calendar has no office hours left before the horizon, so a clock of working time would never end."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long something may take: a number, its unit, and on what the number rests."""

    length: int
    unit: str
    excludes_first_day: bool = True
    last_day_closed: str = "next_open"  # next_open | stays
    basis: str = "proposal"  # law | practice | proposal
    source: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still from `from_at` until `until_at`; `None` means that it still does."""

    from_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    opens: time
    closes: time


Week = tuple[tuple[Slot, ...], ...]  # seven days, Monday first


@dataclass(frozen=True, slots=True)
class Holiday:
    date: date
    name: Mapping[str, str] = field(default_factory=dict, hash=False)
    status: str = "notified"  # estimated | notified | superseded
    source: str = ""

    @property
    def closes_the_office(self) -> bool:
        return self.status != "superseded"


@dataclass(frozen=True, slots=True)
class Season:
    """Days with other office hours, such as Ramadan. Later seasons in the list win over earlier ones."""

    name: str
    from_date: date
    until_date: date  # inclusive, as notifications are written
    week: Week
    status: str = "notified"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Calendar:
    zone: str
    week: Week
    holidays: tuple[Holiday, ...] = ()
    seasons: tuple[Season, ...] = ()
    # Days of which the office said something else since the file was written (`corrections`), with their hours.
    own_hours: Mapping[date, tuple[Slot, ...]] = field(default_factory=dict, hash=False)
    # What was in force before, each until a moment: a time that began by then was told by it.
    earlier: tuple[tuple[datetime, "Calendar"], ...] = ()
    # Another one for other corrections; empty where there are none to know of.
    mark: str = ""

    @property
    def zone_info(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def slots_on(self, day: date) -> tuple[Slot, ...]:
        if (corrected := self.own_hours.get(day)) is not None:
            return corrected
        return () if self.is_holiday(day) else self.usual_on(day)

    def is_holiday(self, day: date) -> bool:
        """Whether it is one in the file."""
        return any(holiday.date == day and holiday.closes_the_office for holiday in self.holidays)

    def usual_on(self, day: date) -> tuple[Slot, ...]:
        """The hours of the week or season, whether or not it is a holiday."""
        week = self.week
        for season in self.seasons:
            if season.status != "superseded" and season.from_date <= day <= season.until_date:
                week = season.week
        return week[day.weekday()]

    def is_open(self, day: date) -> bool:
        return bool(self.slots_on(day))

    def is_open_at(self, at: datetime) -> bool:
        return any(opens <= at < closes for opens, closes in self.spans_on(at.astimezone(self.zone_info).date()))

    def told_since(self, start: datetime) -> Iterator["Calendar"]:
        """Each calendar by which the end of a time that began then was told, or is."""
        yield self
        yield from (before for until, before in self.earlier if until > start)

    def spans_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        zone = self.zone_info
        for slot in self.slots_on(day):
            yield datetime.combine(day, slot.opens, zone), datetime.combine(day, slot.closes, zone)

    def spans_between(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """When the office is open between two moments, the first and the last span cut to them."""
        for day in _days_from(start.astimezone(self.zone_info).date()):
            if day > end.astimezone(self.zone_info).date():
                return
            for opens, closes in self.spans_on(day):
                if max(opens, start) < min(closes, end):
                    yield max(opens, start), min(closes, end)


def add(*, start: datetime, allowance: Allowance, calendar: Calendar) -> datetime:
    """When the allowance ends if nothing stops the clock."""
    return due_at(started_at=start, allowance=allowance, calendar=calendar, pauses=())


def due_at(
    *,
    started_at: datetime,
    allowance: Allowance,
    calendar: Calendar,
    pauses: Sequence[Pause] = (),
    now: datetime | None = None,
) -> datetime:
    """When the allowance ends: no earlier than by any calendar that was in force since it began. A pause that is still
    open counts up to `now`, or not at all if no `now` is given. Raises ValueError for a unit that no clock counts in.
    """
    stops = _joined(pauses, now)
    return max(_end(started_at, allowance, each, stops) for each in calendar.told_since(started_at))


def _end(
    started_at: datetime, allowance: Allowance, calendar: Calendar, stops: Sequence[tuple[datetime, datetime]]
) -> datetime:
    """By one calendar alone."""
    match allowance.unit:
        case "minutes":
            return _after_wall_time(started_at, timedelta(minutes=allowance.length), stops)
        case "hours":
            return _after_wall_time(started_at, timedelta(hours=allowance.length), stops)
        case "working_hours":
            return _after_office_time(started_at, timedelta(hours=allowance.length), calendar, stops)
        case "working_days" | "calendar_days" | "months":
            return _after_days(started_at, allowance, calendar, stops)
    raise ValueError(f"No clock counts in {allowance.unit!r}.")


def remaining(
    *,
    now: datetime,
    started_at: datetime,
    allowance: Allowance,
    calendar: Calendar,
    pauses: Sequence[Pause] = (),
) -> timedelta:
    """Time left, negative when late. Clocks of working hours answer in office time, all others in wall time."""
    due = due_at(started_at=started_at, allowance=allowance, calendar=calendar, pauses=pauses, now=now)
    if allowance.unit != "working_hours":
        return due - now
    if now <= due:
        return office_time(now, due, calendar, _joined(pauses, now))
    return -office_time(due, now, calendar, _joined(pauses, now))


def used_share(
    *,
    now: datetime,
    started_at: datetime,
    allowance: Allowance,
    calendar: Calendar,
    pauses: Sequence[Pause] = (),
) -> float:
    """How much of the allowance is gone: 0.0 at the start, 1.0 when due, more when late."""
    stops = _joined(pauses, now)
    shares = (_share(now, started_at, allowance, each, stops) for each in calendar.told_since(started_at))
    return max(0.0, min(shares))


def _share(
    now: datetime,
    started_at: datetime,
    allowance: Allowance,
    calendar: Calendar,
    stops: Sequence[tuple[datetime, datetime]],
) -> float:
    due = _end(started_at, allowance, calendar, stops)
    if allowance.unit != "working_hours":
        return 1 - (due - now) / (due - started_at)
    late, left = now > due, office_time(min(now, due), max(now, due), calendar, stops)
    return 1 - (-left if late else left) / timedelta(hours=allowance.length)


def used_at(
    *, share: float, started_at: datetime, allowance: Allowance, calendar: Calendar, pauses: Sequence[Pause] = ()
) -> datetime:
    """When this share of the allowance is gone, as `used_share` counts it. A pause that is still open is left out."""
    stops = _joined(pauses, None)

    def by(calendar: Calendar) -> datetime:
        if allowance.unit == "working_hours":
            return _after_office_time(started_at, timedelta(hours=allowance.length) * share, calendar, stops)
        return started_at + (_end(started_at, allowance, calendar, stops) - started_at) * share

    return max(by(each) for each in calendar.told_since(started_at))


def office_time(
    start: datetime, end: datetime, calendar: Calendar, stops: Sequence[tuple[datetime, datetime]] = ()
) -> timedelta:
    """Office hours between two moments, without those in `stops`."""
    spans = (span for opens, closes in calendar.spans_between(start, end) for span in _without(opens, closes, stops))
    return sum((finish - begin for begin, finish in spans), timedelta())


def _joined(pauses: Iterable[Pause], now: datetime | None) -> list[tuple[datetime, datetime]]:
    """Pauses as sorted spans that do not overlap, so that two pauses at once are not counted twice."""
    spans = sorted(
        (pause.from_at, until)
        for pause in pauses
        if (until := pause.until_at or now) is not None and until > pause.from_at
    )
    joined: list[tuple[datetime, datetime]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _without(
    start: datetime, end: datetime, stops: Sequence[tuple[datetime, datetime]]
) -> Iterator[tuple[datetime, datetime]]:
    """The parts of a span in which the clock runs."""
    for stop_start, stop_end in stops:
        if stop_end <= start or stop_start >= end:
            continue
        if stop_start > start:
            yield start, stop_start
        start = max(start, stop_end)
    if start < end:
        yield start, end


def _after_wall_time(start: datetime, length: timedelta, stops: Sequence[tuple[datetime, datetime]]) -> datetime:
    left = length
    for stop_start, stop_end in stops:
        if stop_end <= start:
            continue
        if stop_start - start >= left:
            break
        left -= max(stop_start - start, timedelta())
        start = stop_end
    return start + left


def _after_office_time(
    start: datetime, length: timedelta, calendar: Calendar, stops: Sequence[tuple[datetime, datetime]]
) -> datetime:
    left = length
    for day in _days_from(start.astimezone(calendar.zone_info).date()):
        for opens, closes in calendar.spans_on(day):
            for begin, finish in _without(max(opens, start), closes, stops):
                if finish - begin >= left:
                    return begin + left
                left -= finish - begin
    raise CalendarNeverOpens


def _after_days(
    start: datetime, allowance: Allowance, calendar: Calendar, stops: Sequence[tuple[datetime, datetime]]
) -> datetime:
    zone = calendar.zone_info
    first = start.astimezone(zone).date()
    length = _days_in_months(first, allowance.length) if allowance.unit == "months" else allowance.length
    counted = 0
    for day in _days_from(first + DAY if allowance.excludes_first_day else first):
        if _counts(day, allowance, calendar, stops):
            counted += 1
        if counted >= length and (allowance.last_day_closed == "stays" or calendar.is_open(day)):
            return datetime.combine(day, time.max, zone)
    raise CalendarNeverOpens


def _counts(day: date, allowance: Allowance, calendar: Calendar, stops: Sequence[tuple[datetime, datetime]]) -> bool:
    """A day on which the clock stood still, if only for a minute, is not counted: in favour of who waits."""
    if allowance.unit == "working_days":
        spans = list(calendar.spans_on(day))
        if not spans:
            return False
    else:
        zone = calendar.zone_info
        spans = [(datetime.combine(day, time(), zone), datetime.combine(day + DAY, time(), zone))]
    return not any(start < closes and end > opens for start, end in stops for opens, closes in spans)


def _days_in_months(first: date, months: int) -> int:
    """From the same day of a later month; a month that has no such day lends its last one."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    for day in range(first.day, 0, -1):
        try:
            return (date(year, month + 1, day) - first).days
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def _days_from(first: date) -> Iterator[date]:
    for offset in range(HORIZON_DAYS):
        yield first + timedelta(days=offset)
