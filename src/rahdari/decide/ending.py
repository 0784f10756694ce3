"""What a holder does with a registration as a whole: end it, pause it, have it go on. Each with a letter to everybody
who gets letters of this holder, so that nobody hears of it last.

Invariants: nothing here is a decision, and nothing is for ever: a pause has an end that is known from the start, and an
end is undone for `UNDONE_WITHIN`; the number stays, and no proof is asked for again. A letter is written in the
transaction of its act.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.urls import reverse

from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import UNDONE_WITHIN, Standing

from .rules import ENDED_AT_REQUEST, PAUSED_AT_REQUEST


class NotYours(Exception):
    """It was not the holder who ended or paused it, so the holder cannot have it go on by a press. `.registration`"""

    def __init__(self, registration: Registration) -> None:
        super().__init__(f"{registration} was not ended by its holder")
        self.registration = registration


class TooLate(Exception):
    """The time in which an end can be undone is over, or the term is. `.registration`"""

    def __init__(self, registration: Registration) -> None:
        super().__init__(f"{registration} can no longer be restored")
        self.registration = registration


@transaction.atomic
def end(*, registration: Registration, actor: str, now: dt.datetime) -> Registration:
    """Doing it twice changes nothing, and writes one letter. Raises register.NotValid."""
    was = entries.fresh(registration)
    registration = register.strike_out(registration=registration, code=ENDED_AT_REQUEST, actor=actor, now=now)
    if was.struck_out_at is None:
        tell(registration, "registration_ended", now, until=min(now + UNDONE_WITHIN, registration.stays_until))
    return registration


@transaction.atomic
def pause(*, registration: Registration, days: int, actor: str, now: dt.datetime) -> Registration:
    """Out of the feed for so many days, and no longer than its term. Doing it twice changes nothing. Raises
    register.NotValid."""
    was = entries.fresh(registration)
    until = min(now + dt.timedelta(days=days), was.stays_until)
    registration = register.suspend(
        registration=registration, code=PAUSED_AT_REQUEST, until=until, actor=actor, now=now
    )
    if was.suspended_at is None:
        tell(registration, "registration_paused", now, until=registration.suspended_until)
    return registration


@transaction.atomic
def go_on(*, registration: Registration, actor: str, now: dt.datetime) -> tuple[Registration, list[Entry]]:
    """Undo an end or a pause of the holder's own. Returns it, and the addresses that somebody else has got meanwhile.

    Doing it twice changes nothing. Raises NotYours, TooLate.
    """
    was = entries.fresh(registration)
    standing = entries.standing(was, now)
    lost: list[Entry] = []
    if standing is Standing.VALID:
        return was, []
    if standing is Standing.SUSPENDED:
        if was.suspended_code != PAUSED_AT_REQUEST:
            raise NotYours(was)
        found = register.resume(registration=was, actor=actor, now=now)
    elif standing is Standing.STRUCK_OUT and was.struck_out_code == ENDED_AT_REQUEST:
        if not entries.may_be_undone(was, now):
            raise TooLate(was)
        found, lost = register.restore(registration=was, actor=actor, now=now)
    elif standing is Standing.EXPIRED:
        raise TooLate(was)
    else:
        raise NotYours(was)
    tell(found, "registration_goes_on", now, lost=len([each for each in lost if each.part_of_id is None]))
    return found, lost


def go_on_due(*, now: dt.datetime) -> int:
    """A step of the line: pauses whose day has come. Returns how many."""
    done = register.resume_due(now=now)
    for registration in done:
        tell(registration, "registration_goes_on", now, lost=0)
    return len(done)


def tell(registration: Registration, template: str, now: dt.datetime, **context: Any) -> None:
    """Everybody who gets letters about this holder."""
    for reader in people.people_to_tell(registration.holder):
        letters.write_letter(
            to=reader,
            template=template,
            about=f"registration:{registration.pk}",
            context={
                "registration": registration.reference,
                "url": reverse("portal:registration", args=[registration.reference]),
                **context,
            },
            now=now,
        )
