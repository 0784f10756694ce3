"""The calendar in force, and what was said about its days."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db.models import Count, QuerySet

from rahdari import policy
from rahdari.db import replicas, together
from rahdari.errors import RahdariError
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Calendar
from rahdari.policy.corrections import corrected

from . import seen
from .models import CalendarCorrection

# What the public reads goes so far back: who asks why a clock stood still has a case of these days.
PUBLIC_FOR = dt.timedelta(days=120)


class CorrectionNotFound(RahdariError):
    """There is none of this number. `.id`"""

    says = "no correction of the calendar {id}"
    id: int


@dataclass(frozen=True)
class _Known:
    """Of the file's calendar and the corrections by this mark."""

    file: Calendar
    mark: str
    calendar: Calendar
    rows: Sequence[CalendarCorrection]


_known: _Known | None = None


def _now_known() -> _Known:
    global _known
    file = policy.current(settings.POLICY_FILE).calendar
    # A replica may lack what the mark is of, and this process would keep it so.
    with replicas.at_primary():
        mark, known = seen.mark(), _known
        if known is None or known.file is not file or known.mark != mark:
            rows = confirmed()
            calendar = replace(corrected(file, [row.in_words for row in rows]), mark=mark)
            known = _known = _Known(file, mark, calendar, rows)
    return known


def in_force() -> Calendar:
    """That of the policy in force, with all that is in force besides, and what was before it."""
    return _now_known().calendar


def confirmed() -> list[CalendarCorrection]:
    """All that were ever in force, each with the one that replaced it, by their days."""
    rows = list(corrections().filter(confirmed_at__isnull=False).order_by("first", "id"))
    replaced = {row.replaces_id: row for row in rows if row.replaces_id is not None}
    for row in rows:
        row.replaced_by = replaced.get(row.pk)
    return rows


def said_about(start: dt.date, end: dt.date) -> list[CalendarCorrection]:
    """What is in force of days between these, both included. Asks nothing that `in_force` did not ask."""
    return [row for row in _now_known().rows if row.replaced_by is None and row.first <= end and start <= row.last]


def published(now: dt.datetime) -> list[CalendarCorrection]:
    """What anybody reads: what is in force or was, of days to come and not long ago, the latest day first."""
    since = (now - PUBLIC_FOR).date()
    return [row for row in reversed(_now_known().rows) if row.last >= since]


def corrections() -> QuerySet[CalendarCorrection]:
    return CalendarCorrection.objects.select_related("proposed_by", "confirmed_by", "dropped_by", "replaces")


def waiting() -> QuerySet[CalendarCorrection]:
    return corrections().filter(confirmed_at__isnull=True, dropped_at__isnull=True).order_by("first", "id")


def waiting_for(officer: User) -> QuerySet[CalendarCorrection, dict[str, int]]:
    """How many this officer may confirm (`number`), for `db.together.ask`."""
    return together.totals(waiting().exclude(proposed_by__in=people.accounts_of(officer)), number=Count("*"))


def correction(id: int) -> CalendarCorrection:
    """Raises CorrectionNotFound."""
    found = corrections().filter(pk=id).first()
    if found is None:
        raise CorrectionNotFound(id)
    found.replaced_by = corrections().filter(replaces=found, confirmed_at__isnull=False).first()
    return found
