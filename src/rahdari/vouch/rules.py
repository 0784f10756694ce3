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


# An address is sent the questions of all applicants together so many times as those of one.
APPLICANTS_TO_ADDRESS = 3


@dataclass(frozen=True)
class Written:
    """How often was asked lately: by this applicant, and by them at this address. How many questions were sent to the
    address and to its domain, whoever asked. Whether the address wants no mail, and whether it said so to them."""

    by_applicant: int = 0
    by_them_to_address: int = 0
    to_address: int = 0
    to_domain: int = 0
    stopped: bool = False
    stopped_them: bool = False


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].strip().rstrip(".").lower()


def why_not(*, address: str, written: Written, rules: Vouching) -> WhyNot | None:
    """Why an applicant may not ask. It depends on the address and on what they did themselves alone."""
    if domain_of(address) in rules.free_mail:
        return WhyNot.FREE_MAIL
    if written.stopped_them:
        return WhyNot.STOPPED
    too_many = written.by_applicant >= rules.most_by_applicant or written.by_them_to_address >= rules.most_to_address
    return WhyNot.TOO_MANY if too_many else None


def goes_out(*, written: Written, rules: Vouching) -> bool:
    """Nobody can use us to write to strangers: few questions to an address and to a domain, none to who wants none."""
    return (
        not written.stopped
        and written.to_address < rules.most_to_address * APPLICANTS_TO_ADDRESS
        and written.to_domain < rules.most_to_domain
    )


def language_for(address: str, applicants: str) -> str:
    """The language of the letter: the applicant's within the country, English elsewhere. The page has both."""
    return applicants if domain_of(address).endswith(".pk") else "en"
