"""Who may have an address listed before its papers, how often, and how long it stays. Pure."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from rahdari.policy import Urgent
from rahdari.register.rules import Standing

# The database holds it, whatever a policy says (`policy.urgent.MOST`).
MOST = dt.timedelta(days=30)
A_YEAR = dt.timedelta(days=365)
A_SECOND = dt.timedelta(seconds=1)
# Codes that are asked for in a day for one holder: with three tries each, a guess in a month stays below one in a
# thousand.
ASKED, PER_SECONDS = 5, 24 * 3600


class State(StrEnum):
    ASKED = "asked"  # the code is on its way, or the holder is called back
    SPOKEN = "spoken"  # on the telephone the holder is known; a second officer must agree
    GIVEN = "given"  # on the register, until its end or its papers
    CONFIRMED = "confirmed"  # its papers came
    ENDED = "ended"  # they did not, or the holder or the registration ended it
    CLOSED = "closed"  # nothing was listed


OPEN = frozenset({State.ASKED, State.SPOKEN, State.GIVEN})


class Way(StrEnum):
    PAGE = "page"  # by whoever has it, signed in, with the code
    CODE = "code"  # on the telephone: the code is read out to an officer
    CALL = "call"  # where no SMS goes out: an officer calls the number on file


class Why(StrEnum):
    """Why nothing was listed, or why it ended."""

    LATE = "late"  # not finished in its minutes
    NOT_THIS_WAY = "not_this_way"
    NOT_NOW = "not_now"  # the holder may not, any more
    DECLINED = "declined"  # by the second officer, or the one who had the call
    STOPPED = "stopped"  # by the holder
    TIME = "time"  # by itself: no papers came
    WITH_IT = "with_it"  # its registration ended


class Cannot(StrEnum):
    """Why a holder cannot do it now."""

    NOT_OFFERED = "not_offered"
    NOT_VALID = "not_valid"
    PROVISIONAL = "provisional"
    PROPOSED = "proposed"
    NO_ADDRESS = "no_address"
    NO_NUMBER = "no_number"
    NEW_NUMBER = "new_number"
    NEW_MEMBER = "new_member"
    ONE_OPEN = "one_open"
    USED_UP = "used_up"


@dataclass(frozen=True)
class Facts:
    """What is known of a registration and of whoever asks. `number_since`: since when their mobile number is confirmed;
    `member_since`: since when they belong to the organisation, None of a person's own."""

    standing: Standing
    is_provisional: bool
    is_proposed: bool
    has_address: bool
    number_since: dt.datetime | None
    member_since: dt.datetime | None
    has_open: bool
    # What was listed, and what was refused for its address: whoever mistypes an address loses no listing by it, and
    # nobody tries out many.
    in_year: int
    refused_in_year: int


def cannot(facts: Facts, terms: Urgent | None, now: dt.datetime) -> Cannot | None:
    """None: they can."""
    if terms is None:
        return Cannot.NOT_OFFERED
    if facts.standing is not Standing.VALID:
        return Cannot.NOT_VALID
    if facts.is_provisional:
        return Cannot.PROVISIONAL
    if facts.is_proposed:
        return Cannot.PROPOSED
    if not facts.has_address:
        return Cannot.NO_ADDRESS
    if facts.has_open:
        return Cannot.ONE_OPEN
    if facts.number_since is None:
        return Cannot.NO_NUMBER
    known_since = now - terms.known_for
    if facts.number_since > known_since:
        return Cannot.NEW_NUMBER
    if facts.member_since is not None and facts.member_since > known_since:
        return Cannot.NEW_MEMBER
    return Cannot.USED_UP if max(facts.in_year, facts.refused_in_year) >= terms.most_in_year else None


def listed_until(*, now: dt.datetime, terms: Urgent, stays_until: dt.datetime) -> dt.datetime | None:
    """When it ends by itself: before its registration does, so that no renewal takes it along unproved. None: there is
    no time left."""
    until = min(now + min(terms.term, MOST), stays_until - A_SECOND)
    return until if until >= now + A_SECOND else None
