"""What a correction says, in a sentence."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from rahdari.policy import Slot, Week
from rahdari.policy.corrections import Kind
from rahdari.policy.days import week_of
from rahdari.web.templatetags.rahdari import comma
from rahdari.web.values import clock_time, plain_ltr

from .models import CalendarCorrection


def what_it_says(found: CalendarCorrection) -> str:
    """Closed; Closed from 13:00 to 17:00; Open after all; Other office hours: Monday to Thursday 09:00-15:00."""
    times = {"start": clock_time(found.begins), "end": clock_time(found.ends)}
    if found.kind == Kind.HOURS:
        return _("Other office hours: %(hours)s") % {"hours": comma().join(hours_of(week_of(found.week)))}
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
