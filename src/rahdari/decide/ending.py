"""What a holder does with a registration as a whole: end it, pause it, have it go on. Each with a letter to everybody
who gets letters of this holder, so that nobody hears of it last.

Invariants: nothing here is a decision, and nothing is for ever: a pause has an end that is known from the start, and an
end can be undone until a day that its letter names (`register.undone_until`); the number stays, and no proof is asked
for again. A letter is written in the transaction of its act.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.urls import reverse

from rahdari import optional
from rahdari.db.queues import each_of
from rahdari.errors import RahdariError
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.people.rules import Act
from rahdari.register import actions as register
from rahdari.register import changes, pausing
from rahdari.register import queries as entries
from rahdari.register.models import Registration
from rahdari.register.rules import Standing

from . import case_clock
from .models import Revocation
from .rules import ENDED_AT_REQUEST, PAUSED_AT_REQUEST
from .transitions import begin, lock, record


class NotYours(RahdariError):
    """It was not the holder who ended or paused it, so no press of the holder's changes that. `.registration`"""

    says = "{registration} was not ended or paused by its holder"
    registration: Registration


class TooLate(RahdariError):
    """The time in which an end can be undone is over, or the term is. `.registration`"""

    says = "{registration} can no longer be restored"
    registration: Registration


@transaction.atomic
def end(*, registration: Registration, actor: str, now: dt.datetime) -> Registration:
    """One that is paused, too; not one that officers suspended: undone, it would stand as if they had not. Doing it
    twice changes nothing, and writes one letter. Raises register.NotValid, NotYours."""
    was = entries.fresh(registration)
    registration = register.strike_out(registration=registration, code=ENDED_AT_REQUEST, actor=actor, now=now)
    if was.struck_out_at is None:
        if registration.suspended_code not in {"", PAUSED_AT_REQUEST}:
            raise NotYours(registration)
        until = entries.undone_until(registration, now, case_clock.calendar())
        notify_holder(registration, "registration_ended", now, until=until)
    return registration


@transaction.atomic
def pause(*, registration: Registration, days: int, actor: str, now: dt.datetime) -> Registration:
    """Out of the feed for so many days, and no longer than its term. Doing it twice changes nothing. Raises
    register.NotValid."""
    was = entries.fresh(registration)
    until = min(now + dt.timedelta(days=days), was.stays_until)
    registration = pausing.suspend(registration=registration, code=PAUSED_AT_REQUEST, until=until, actor=actor, now=now)
    if was.suspended_at is None:
        notify_holder(registration, "registration_paused", now, until=registration.suspended_until)
    return registration


def resume(*, registration: Registration, actor: str, now: dt.datetime, why: str = "") -> Registration:
    """Its pause or suspension is over. Tells whoever gets its letters, with the words of whoever decided so."""
    found = pausing.resume(registration=registration, actor=actor, now=now)
    notify_holder(found, "registration_goes_on", now, lost=0, text=why)
    return found


def restore(*, registration: Registration, actor: str, now: dt.datetime, why: str = "") -> tuple[Registration, int]:
    """It was struck out, and stands again with all that came back: addresses, lines at home but of those who withdrew,
    mobile lines. Returns it, and how many addresses and lines did not come back. Tells whoever gets its letters, with
    the words of whoever decided so."""
    lines = optional.ask(__package__, "lost_with", registration) or 0
    never = {origin for each in optional.given(__package__, "never_restored") for origin in each(registration)}
    found, entries_lost = pausing.restore(registration=registration, actor=actor, now=now, without=never)
    lost = lines + sum(each.part_of_id is None for each in entries_lost)
    notify_holder(found, "registration_goes_on", now, lost=lost, text=why)
    return found, lost


@transaction.atomic
def undo_end(*, registration: Registration, actor: str, now: dt.datetime) -> tuple[Registration, int]:
    """Undo an end or a pause of the holder's own. Returns it, and how many addresses and lines did not come back.

    Doing it twice changes nothing. Raises NotYours, TooLate.
    """
    was = entries.fresh(registration)
    standing = entries.standing(was, now)
    if standing is Standing.VALID:
        return was, 0
    if standing is Standing.SUSPENDED:
        if was.suspended_code != PAUSED_AT_REQUEST:
            raise NotYours(was)
        found, lost = resume(registration=was, actor=actor, now=now), 0
    elif standing is Standing.STRUCK_OUT and was.struck_out_code == ENDED_AT_REQUEST:
        if not entries.may_be_undone(was, now, case_clock.calendar()):
            raise TooLate(was)
        found, lost = restore(registration=was, actor=actor, now=now)
    elif standing is Standing.EXPIRED:
        raise TooLate(was)
    else:
        raise NotYours(was)
    return found, lost


@each_of(entries.due_to_resume)
def resume_due(registration: Registration, now: dt.datetime) -> bool:
    """Pauses and suspensions whose day has come, however late it is seen."""
    return _resume_without_officer(registration, "end_suspension", "clock", now, until=now)


def restore_renewed(*, registration: Registration, now: dt.datetime) -> bool:
    """The evidence that had expired is there anew: a suspension for that, and for nothing else, is over at once, by
    rule. Whether it was."""
    taken = suspension_of(registration)
    if taken is None:
        return False
    known = case_clock.policy_of(taken.case.application).reasons
    if not all(known[code].ends_with_new_evidence for code in taken.codes):
        return False
    return _resume_without_officer(registration, "restore_by_rule", f"rule:{taken.rule_version}", now)


@transaction.atomic
def _resume_without_officer(
    registration: Registration,
    act: str,
    actor: str,
    now: dt.datetime,
    *,
    until: dt.datetime | None = None,
) -> bool:
    """`until`: only what ends by then; without it, only what officers suspended. The case is locked first, as officers
    do."""
    before = suspension_of(registration)
    case = lock(before.case) if before is not None else None
    taken = suspension_of(registration)
    try:
        found = changes.locked_valid(registration.pk, now)
    except changes.NotValid:
        return False
    ends_at, suspended_code = found.suspended_until, found.suspended_code
    is_suspension = taken is not None and suspended_code in taken.codes
    is_due = is_suspension if until is None else ends_at is not None and ends_at <= until
    if entries.standing(found, now) is not Standing.SUSPENDED or not is_due:
        return False
    found = pausing.resume(registration=found, actor=actor, now=now)
    if taken is not None and case is not None and is_suspension:
        begin(case, act, by=actor, now=now)
        taken.ended_at, taken.ended_by = now, actor
        taken.save(update_fields=["ended_at", "ended_by"])
        record(case, "suspension_ended", actor, now, reason=suspended_code)
    notify_holder(
        found,
        "registration_goes_on",
        now,
        lost=0,
        suspension_over=is_suspension,
        came=is_suspension and act == "restore_by_rule",
    )
    return True


def suspension_of(registration: Registration) -> Revocation | None:
    """The officers' suspension that stands, whether or not it is what it is suspended for now."""
    found = Revocation.objects.filter(
        registration=registration, kind="suspension", restored_at__isnull=True, ended_at__isnull=True
    )
    return found.select_related("case__application").order_by("-at", "-id").first()


def notify_holder(registration: Registration, template: str, now: dt.datetime, **context: Any) -> None:
    """Everybody who gets letters about this holder."""
    for reader in people.people_to_notify(registration.holder):
        letters.write_letter(
            to=reader,
            template=template,
            about=f"registration:{registration.pk}",
            context={
                "registration": registration.reference,
                "url": reverse("portal:registration", args=[registration.reference]),
                **_by_others(registration, template, reader),
                **context,
            },
            now=now,
        )


def _by_others(registration: Registration, template: str, reader: User) -> dict[str, bool]:
    """A technician or an accountant reads of it, and cannot undo it: the letter says who can."""
    if template not in {"registration_ended", "registration_paused"}:
        return {}
    may = people.acting_for(reader, registration.holder, Act.APPLY, service=registration.category)
    return {} if may is not None else {"by_others": True}
