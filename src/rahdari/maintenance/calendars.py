"""A holder's calendar of announced work: made, given away as a link, ended. No sign-in, so the link is the secret."""

import datetime as dt
import hashlib
import uuid

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from rahdari.journal import actions as journal

from . import notes, queries
from .models import CalendarFeed


@transaction.atomic
def make_calendar(*, holder: uuid.UUID, language: str, actor: str, now: dt.datetime) -> CalendarFeed:
    """The calendar of this holder; the one that there is, or else a new one."""
    known = queries.calendar_of(holder)
    if known is not None:
        return known
    try:
        with transaction.atomic():
            made = CalendarFeed.objects.create(holder=holder, language=language, made_at=now, made_by=actor)
    except IntegrityError:  # two taps
        return CalendarFeed.objects.get(holder=holder, ended_at__isnull=True)
    journal.record(act="maintenance.made_calendar", actor=actor, subject=f"calendar:{made.pk}", now=now)
    return made


@transaction.atomic
def end_calendar(*, holder: uuid.UUID, actor: str, now: dt.datetime) -> bool:
    """Its address answers no more, and no other calendar has it again. Returns whether there was one."""
    found = CalendarFeed.objects.select_for_update().filter(holder=holder, ended_at__isnull=True).first()
    if found is None:
        return False
    found.ended_at = now
    found.save(update_fields=["ended_at"])
    journal.record(act="maintenance.ended_calendar", actor=actor, subject=f"calendar:{found.pk}", now=now)
    return True


def read(feed: CalendarFeed, *, now: dt.datetime) -> tuple[bytes, str]:
    """The calendar as it is now, and its tag, which is the same while nothing in it changes. It is counted."""
    today = timezone.localdate(now)
    CalendarFeed.objects.filter(pk=feed.pk).update(reads=F("reads") + 1, read_on=today)
    with translation.override(feed.language):
        content = notes.calendar_of(queries.in_calendar(feed.holder, now=now), name=_("Planned work at your addresses"))
    return content, hashlib.sha256(content).hexdigest()[:32]
