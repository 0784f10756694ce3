"""What a holder was told goes when its time is over, or with the registration. The work itself names nobody, and stays:
the figures are made of it."""

import datetime as dt

from django.db.models import QuerySet

from rahdari.archive.actions import Box
from rahdari.journal import actions as journal
from rahdari.register import queries as register
from rahdari.register.models import Registration

from . import queries
from .models import CalendarFeed, Notice, Work


def erase(*, work: Work, box: Box, now: dt.datetime) -> int:
    """What each consumer was told of this work; returns how many notices went."""
    found = Notice.objects.filter(work=work)
    _forget_requests(found, box)
    box.take(found)
    count, _ = found.delete()
    journal.record(act="maintenance.erased", actor="clock", subject=work.subject, now=now, detail={"notices": count})
    return count


def forget(*, registration: Registration, box: Box) -> None:
    """What was told about a registration whose holder is forgotten, and the calendar of who holds no other."""
    found = Notice.objects.filter(registration=registration)
    _forget_requests(found, box)
    box.take(found)
    found.delete()
    others = register.registrations_of(holders=[registration.holder]).exclude(pk=registration.pk)
    if not others.exists():
        feeds = CalendarFeed.objects.filter(holder=registration.holder)
        box.take(feeds)
        feeds.delete()


def _forget_requests(notices: QuerySet[Notice], box: Box) -> None:
    """Who asked for another night, and why; that somebody did stays for the figures."""
    subjects = [each.subject for each in notices]
    queries.ANOTHER_NIGHT.erase_about(subjects=subjects, box=box, now=box.now)
