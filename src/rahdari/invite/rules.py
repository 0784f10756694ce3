"""Who may invite whom, how often, and what the inviter is told at the end. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rahdari.figures.protection import rounded
from rahdari.policy import Inviting

# The inviter is told one number, once, after the end: from here on, rounded as every number that is told.
FEWEST = 20
A_DAY, LAST_BEFORE = dt.timedelta(days=1), dt.timedelta(days=3)


class Whom(StrEnum):
    """Whom a body invites, in words of ours: nobody who invites writes a word of the page."""

    MEMBERS = "members"
    CUSTOMERS = "customers"
    STUDENTS = "students"
    STAFF = "staff"


class End(StrEnum):
    """How a campaign ended. A link of one that has ended begins nothing."""

    RUNS = ""
    OVER = "over"
    STOPPED = "stopped"  # by whoever invited
    WITHDRAWN = "withdrawn"  # by the office, with a reason


class Why(StrEnum):
    """Why the office withdrew one."""

    LIST = "list"  # the addresses were not the inviter's to use
    NAME = "name"  # whoever invited was not who it said
    PRESSED = "pressed"  # people were pressed
    ASKED = "asked"  # the inviter asked for it


@dataclass(frozen=True)
class Inviter:
    """A body that may invite: how it is known here, by which name the register knows it, and whom it may invite."""

    key: str
    name: str
    whom: tuple[Whom, ...]


class Cannot(StrEnum):
    """Why a campaign cannot begin."""

    NOT_THEIRS = "not_theirs"  # the rules do not let this body invite these
    TOO_MANY_LINKS = "too_many_links"
    TOO_LONG = "too_long"
    TOO_MANY_OPEN = "too_many_open"
    TOO_MANY_IN_YEAR = "too_many_in_year"


def cannot(
    inviter: Inviter, whom: Whom, *, links: int, days: int, running: int, in_year: int, terms: Inviting
) -> Cannot | None:
    """None: it can. `running` and `in_year` count the inviter's campaigns before this one."""
    found: Sequence[tuple[bool, Cannot]] = (
        (whom not in inviter.whom, Cannot.NOT_THEIRS),
        (not 1 <= links <= terms.most_links, Cannot.TOO_MANY_LINKS),
        (not 1 <= days <= terms.longest.days, Cannot.TOO_LONG),
        (running >= terms.most_running, Cannot.TOO_MANY_OPEN),
        (in_year >= terms.most_in_year, Cannot.TOO_MANY_IN_YEAR),
    )
    return next((why for is_so, why in found if is_so), None)


def reminders(now: dt.datetime, ends_at: dt.datetime) -> list[dt.datetime]:
    """When somebody who wants it is reminded, twice at most: halfway, and three days before the end. A moment that is
    less than a day away reminds nobody."""
    moments = {now + (ends_at - now) / 2, ends_at - LAST_BEFORE}
    return sorted(moment for moment in moments if moment - now >= A_DAY)


def is_counted(whom: str) -> bool:
    """Of staff nothing is counted: an employer is told nothing, so there is nothing to tell."""
    return whom != Whom.STAFF


def told(finished: int | None, *, whom: str, end: str) -> int | None:
    """What the inviter is told: nothing of staff, nothing of a campaign that was ended before its day, nothing below
    FEWEST, else how many finished, rounded to 5."""
    if end != End.OVER or not is_counted(whom) or finished is None or finished < FEWEST:
        return None
    return rounded(finished)
