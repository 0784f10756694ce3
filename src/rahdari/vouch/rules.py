"""Whether somebody may be written to, and what they may answer. Pure."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from rahdari.policy import Vouching

# What the page takes, and what the link "Stop emailing me" comes to.
BUTTONS = frozenset({"yes", "no", "not_me"})
STOPPED = "stopped"
ANSWERS = BUTTONS | {STOPPED}

# The letter may be sent once more, when it has had this time: a mail that was overlooked, not one that was refused.
AGAIN_AFTER = dt.timedelta(days=1)


def may_send_again_from(*, asked_at: dt.datetime, resent_at: dt.datetime | None) -> dt.datetime | None:
    """From when the letter may be sent once more; None when it was already."""
    return asked_at + AGAIN_AFTER if resent_at is None else None


class WhyNot(StrEnum):
    """Why nobody is written to."""

    FREE_MAIL = "free_mail"
    STOPPED = "stopped"
    TOO_MANY = "too_many"


@dataclass(frozen=True)
class Written:
    """How often was written lately: for this applicant, to this address, to this domain."""

    by_applicant: int
    to_address: int
    to_domain: int


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().rstrip(".").lower()


def why_not(*, address: str, stopped: bool, written: Written, rules: Vouching) -> WhyNot | None:
    """Nobody can use us to write to strangers: few times for a person, fewer to an address, not to free mail."""
    if domain_of(address) in rules.free_mail:
        return WhyNot.FREE_MAIL
    if stopped:
        return WhyNot.STOPPED
    too_many = (
        written.by_applicant >= rules.most_by_applicant
        or written.to_address >= rules.most_to_address
        or written.to_domain >= rules.most_to_domain
    )
    return WhyNot.TOO_MANY if too_many else None


def language_for(address: str, applicants: str) -> str:
    """The language of the letter: the applicant's within the country, English elsewhere. The page has both."""
    return applicants if domain_of(address).endswith(".pk") else "en"
