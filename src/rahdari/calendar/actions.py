"""A supervisor says what is different about a day; another officer confirms it, and then it is in force."""

import datetime as dt
from typing import Any

from django.db import transaction

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.access import actor_of
from rahdari.people.models import User

from . import seen
from .models import CalendarCorrection


class NotASupervisor(RahdariError):
    """Only a supervisor enters a correction. `.user`"""

    says = "{user} is no supervisor"
    user: User


class MayNotConfirm(RahdariError):
    """Who entered it does not confirm it, nor does whoever is no officer, or is one since today. `.user`"""

    says = "{user} may not confirm it"
    user: User


class NotPossibleNow(RahdariError):
    """It was confirmed, dropped or replaced meanwhile. `.correction`"""

    says = "{correction} is not as it was"
    correction: CalendarCorrection


class ReasonNeeded(RahdariError):
    """What replaces or drops another one says why."""

    says = "a reason is needed"


@transaction.atomic
def propose(
    *, officer: User, replaces: CalendarCorrection | None = None, why: str = "", now: dt.datetime, **facts: Any
) -> CalendarCorrection:
    """Enter one; it is not in force. `facts`: the columns that say what it is about.
    Raises NotASupervisor, ReasonNeeded, NotPossibleNow for one to replace that is not in force."""
    if not people.is_supervisor(officer):
        raise NotASupervisor(officer)
    if replaces is not None:
        if not why.strip():
            raise ReasonNeeded
        if not _is_in_force(_locked(replaces)):
            raise NotPossibleNow(replaces)
    made = CalendarCorrection.objects.create(
        replaces=replaces, why=why.strip(), proposed_by=officer, proposed_at=now, **facts
    )
    _record(made, "proposed", officer, now)
    return made


@transaction.atomic
def confirm(*, correction: CalendarCorrection, officer: User, now: dt.datetime) -> CalendarCorrection:
    """It is in force, and what it replaces is not any more. Raises MayNotConfirm, NotPossibleNow."""
    found = _locked(correction)
    if not people.is_officer(officer) or seconding.why_not(officer, [found.proposed_by_id], now) is not None:
        raise MayNotConfirm(officer)
    if not found.waits or (found.replaces is not None and not _is_in_force(_locked(found.replaces))):
        raise NotPossibleNow(found)
    found.confirmed_by, found.confirmed_at = officer, now
    found.save(update_fields=["confirmed_by", "confirmed_at"])
    _record(found, "confirmed", officer, now)
    seen.forget()
    wake()
    return found


@transaction.atomic
def drop(*, correction: CalendarCorrection, officer: User, why: str, now: dt.datetime) -> CalendarCorrection:
    """Not confirmed, by whom and why; its author may do it too. Raises MayNotConfirm, ReasonNeeded, NotPossibleNow."""
    found = _locked(correction)
    if not people.is_officer(officer):
        raise MayNotConfirm(officer)
    if not why.strip():
        raise ReasonNeeded
    if not found.waits:
        raise NotPossibleNow(found)
    found.dropped_by, found.dropped_at, found.dropped_why = officer, now, why.strip()
    found.save(update_fields=["dropped_by", "dropped_at", "dropped_why"])
    _record(found, "dropped", officer, now)
    return found


def _locked(correction: CalendarCorrection) -> CalendarCorrection:
    return CalendarCorrection.objects.select_for_update().get(pk=correction.pk)


def _is_in_force(found: CalendarCorrection) -> bool:
    replaced = CalendarCorrection.objects.filter(replaces=found, confirmed_at__isnull=False)
    return found.confirmed_at is not None and not replaced.exists()


def _record(found: CalendarCorrection, act: str, officer: User, now: dt.datetime) -> None:
    role = "supervisor" if people.is_supervisor(officer) else "officer"
    detail = {"kind": found.kind, "first": found.first.isoformat(), "last": found.last.isoformat()}
    if found.replaces_id is not None:
        detail["replaces"] = str(found.replaces_id)
    journal.record(act=f"calendar.{act}", actor=actor_of(officer, role), subject=str(found), now=now, detail=detail)
