"""What a correction says, in a sentence; and on which days to come the office is closed or has other hours."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from rahdari.policy import Slot, Week
from rahdari.policy.corrections import Kind
from rahdari.policy.days import week_of
from rahdari.web.templatetags.rahdari import comma
from rahdari.web.values import clock_time, plain_ltr

from . import queries
from .models import CalendarCorrection


@dataclass(frozen=True)
class Different:
    """Days, both included, on which the office is closed or has other hours: what, and why."""

    first: dt.date
    last: dt.date
    what: str
    title: str
    is_estimated: bool


def days_to_come(today: dt.date, language: str) -> list[Different]:
    """All that is in force of today and later days, the first in front: the holidays and seasons of the policy, and
    what the office said since."""
    calendar, found = queries.in_force(), []
    for day in calendar.holidays:
        if day.date >= today and day.closes_the_office and not calendar.is_open(day.date):
            name = day.name.get(language, "")
            found.append(Different(day.date, day.date, _("Closed"), name, day.status == "estimated"))
    for each in calendar.seasons:
        if each.until_date >= today and each.status != "superseded":
            # The file names a season in English alone.
            name, is_estimated = each.name if language == "en" else "", each.status == "estimated"
            found.append(Different(each.from_date, each.until_date, _other(each.week), name, is_estimated))
    for row in queries.said_about(today, dt.date.max):
        title, is_estimated = row.title_in(language), row.status == "estimated"
        found.append(Different(row.first, row.last, what_it_says(row), title, is_estimated))
    return sorted(found, key=lambda each: (each.first, each.last))


def _other(week: Week) -> str:
    return _("Other office hours: %(hours)s") % {"hours": comma().join(hours_of(week))}


def what_it_says(found: CalendarCorrection) -> str:
    """Closed; Closed from 13:00 to 17:00; Open after all; Other office hours: Monday to Thursday 09:00-15:00."""
    times = {"start": clock_time(found.begins), "end": clock_time(found.ends)}
    if found.kind == Kind.HOURS:
        return _other(week_of(found.week))
    if found.kind == Kind.WORKED:
        return _("Open after all, from %(start)s to %(end)s") % times if found.begins else _("Open after all")
    return _("Closed from %(start)s to %(end)s") % times if found.begins else _("Closed")


def hours_of(week: Week) -> Iterator[str]:
    """Each line of a week: days beside each other with the same hours stand together, closed ones are left out."""
    for slots, days in groupby(range(7), lambda day: week[day]):
        named = list(days)
        if not slots:
            continue
        names = {"first": WEEKDAYS[named[0]], "last": WEEKDAYS[named[-1]], "hours": spans(slots)}
        if len(named) == 1:
            yield _("%(first)s %(hours)s") % names
        else:
            yield _("%(first)s to %(last)s %(hours)s") % names


def spans(slots: Iterable[Slot]) -> str:
    return plain_ltr(", ".join(f"{clock_time(each.opens)}\u2013{clock_time(each.closes)}" for each in slots))
