"""Corrections of the calendar as the office enters and confirms them."""

import datetime as dt
from typing import Any

from rahdari.calendar import actions
from rahdari.calendar.models import CalendarCorrection
from rahdari.people.models import User
from rahdari.policy.corrections import Kind

FACTS = {"title_en": "Sample closure", "title_ur": "نمونے کی تعطیل", "source": "No. 1/2026", "status": "notified"}


def entered(
    by: User, first: dt.date, last: dt.date | None = None, *, now: dt.datetime, **more: Any
) -> CalendarCorrection:
    facts = {"kind": Kind.CLOSED, **FACTS, **more}
    return actions.propose(officer=by, first=first, last=last or first, now=now, **facts)


def in_force(
    by: User, second: User, first: dt.date, last: dt.date | None = None, *, now: dt.datetime, **more: Any
) -> CalendarCorrection:
    return actions.confirm(correction=entered(by, first, last, now=now, **more), officer=second, now=now)
