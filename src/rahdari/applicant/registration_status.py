"""How a registration stands, in the word that the pages go by. An end that the holder asked for is no blame."""

import datetime as dt

from rahdari import optional
from rahdari.apply import queries as applications
from rahdari.apply import renewal
from rahdari.decide import case_clock
from rahdari.decide.rules import ENDED_AT_REQUEST, PAUSED_AT_REQUEST
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import Standing

ENDED, PAUSED = "ended", "paused"
# Its addresses and its term may become others: a pause of the holder's own is no hindrance.
CHANGEABLE = frozenset({Standing.VALID, PAUSED})


def standing_of(registration: Registration, now: dt.datetime) -> str:
    """`valid`, `expired`, `paused` or `ended` (at the holder's request), `suspended` or `struck_out` (for another
    reason)."""
    found = register.standing(registration, now)
    if found is Standing.STRUCK_OUT and registration.struck_out_code == ENDED_AT_REQUEST:
        return ENDED
    if found is Standing.SUSPENDED and registration.suspended_code == PAUSED_AT_REQUEST:
        return PAUSED
    return str(found)


def addresses_of(registration: Registration) -> int:
    """How many addresses it is for now: one with two services is one, and one that its holder left is none, although it
    is listed a while longer."""
    entries = list(register.endpoints_among(register.own_entries_of(registration).filter(ended_at__isnull=True)))
    changing = [entry for entry in entries if entry.kind == "dynamic"]
    reported = optional.ask(__package__, "reported_among", changing) or ()
    return len(
        {entry.block for entry in entries if (entry.pk in reported if entry.kind == "dynamic" else stays(entry))}
    )


def stays(entry: Entry) -> bool:
    """Whether it is on the list as long as its registration; one that its holder left ends before."""
    return entry.valid_until >= entry.registration.stays_until


def may_change(found: Registration, now: dt.datetime) -> bool:
    return standing_of(found, now) in CHANGEABLE


def awaits_evidence(found: Registration, now: dt.datetime) -> bool:
    """Whether it is suspended because evidence has expired, so that a renewal with new evidence ends that."""
    return standing_of(found, now) == Standing.SUSPENDED and renewal.awaits_new_evidence(
        found, applications.policy_in_force()
    )


def may_renew(found: Registration, now: dt.datetime) -> bool:
    return may_change(found, now) or awaits_evidence(found, now)


def may_go_on(found: Registration, now: dt.datetime) -> bool:
    """Whether a press is enough for it to stand again."""
    state = standing_of(found, now)
    return state == PAUSED or (state == ENDED and register.may_be_undone(found, now, case_clock.calendar()))
