"""A closed file that an officer keeps though its time is over: for an appeal, a complaint, or because a court says so.

Invariants: a hold has a last day, a year away at most, and ends by itself; what is erased is not held. Reads through
`queries`.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from rahdari.errors import RahdariError

from .models import Application
from .rules import GROUNDS_TO_HOLD

LONGEST = dt.timedelta(days=365)


class NotToHold(RahdariError):
    """There is no closed file to hold, or not until that day, or not on that ground. `.application`"""

    says = "{application} is not held like this"
    application: Application


def held(now: dt.datetime) -> Q:
    """Of applications. A hold lasts to the end of its last day, in the time of the office."""
    return Q(held_until__gte=timezone.localdate(now))


def is_held(application: Application, now: dt.datetime) -> bool:
    return application.held_until is not None and timezone.localdate(now) <= application.held_until


def files_on_hold(now: dt.datetime) -> QuerySet[Application]:
    return Application.objects.filter(held(now), erased_at__isnull=True).order_by("held_until", "id")


def last_days(now: dt.datetime) -> tuple[dt.date, dt.date]:
    """The first and the last day until which a file may be held from now on."""
    today = timezone.localdate(now)
    return today + dt.timedelta(days=1), today + LONGEST


@transaction.atomic
def hold_file(*, application: Application, until: dt.date, because: str, words: str, now: dt.datetime) -> None:
    """In the place of a hold that stands. The caller writes the journal. Raises NotToHold."""
    row = Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
    first, last = last_days(now)
    if row.closed_at is None or row.erased_at is not None or not first <= until <= last:
        raise NotToHold(row)
    if because not in GROUNDS_TO_HOLD or not words.strip():
        raise NotToHold(row)
    row.held_until, row.held_because, row.held_words = until, because, words.strip()
    row.save(update_fields=["held_until", "held_because", "held_words"])


@transaction.atomic
def end_hold(*, application: Application, now: dt.datetime) -> None:
    """The caller writes the journal. Raises NotToHold where none stands."""
    row = Application.objects.select_for_update(of=("self",)).get(pk=application.pk)
    if row.erased_at is not None or not is_held(row, now):
        raise NotToHold(row)
    row.held_until, row.held_because, row.held_words = None, "", ""
    row.save(update_fields=["held_until", "held_because", "held_words"])
