"""Why our clock stood still, from when to when: questions, notices, hearings, and days of a closed office."""

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.calendar import queries as calendars
from rahdari.calendar.words import what_it_says
from rahdari.decide import case_clock
from rahdari.decide.models import Case

QUESTION, NOTICE, HEARING, ENTRY, CLOSED = WHY = ("question", "notice", "hearing", "entry", "closed")


@dataclass(frozen=True)
class Stop:
    """`why` is one of `WHY`; without `until` it stands still. Days that are closed may be to come."""

    why: str
    since: dt.datetime
    until: dt.datetime | None
    text: str


def stops_of(case: Case | None, now: dt.datetime) -> list[Stop]:
    """In the order in which they begin; none before the time of an officer runs."""
    if case is None:
        return []
    texts = {
        QUESTION: _("You were asked a question"),
        NOTICE: _("You had time to answer our notice"),
        HEARING: _("You asked for a hearing"),
        ENTRY: _("The grant could not be entered"),
    }
    found = [
        Stop(why, each.from_at, each.until_at if each.until_at and each.until_at <= now else None, texts[why])
        for why, each in case_clock.reasons_of_pauses(case)
    ]
    ended = case.decided_at or case.closed_at
    until = ended if ended is not None else max(now, case_clock.clock_of(case, now).due_at)
    return sorted([*found, *_closed(case.started_at, until)], key=lambda stop: stop.since)


def _closed(start: dt.datetime, end: dt.datetime) -> list[Stop]:
    calendar, language = calendars.in_force(), get_language() or "en"
    zone = calendar.zone_info
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()

    def stop(begins: dt.date, ends: dt.date, text: str) -> Stop:
        at = dt.datetime.combine(begins, dt.time(), zone)
        return Stop(CLOSED, at, dt.datetime.combine(ends, dt.time.max, zone), text)

    titled = _("%(title)s: %(what)s")
    found = [
        stop(row.first, row.last, titled % {"title": row.title_in(language), "what": what_it_says(row)})
        for row in calendars.said_about(first, last)
    ]
    holidays = (day for day in calendar.holidays if first <= day.date <= last and calendar.usual_on(day.date))
    return found + [
        stop(day.date, day.date, titled % {"title": day.name[language], "what": _("Closed")})
        for day in holidays
        if not calendar.is_open(day.date)
    ]
