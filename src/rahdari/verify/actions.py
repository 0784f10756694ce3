"""The acts of verify: open and prove challenges, open and answer checks, record by hand, import a roster.

Each act is one transaction with one journal row (what the clock repeats is not journaled: looks are attempts).
The network is never asked inside a transaction.
"""

from .answers import CheckRequest
from .challenges import (
    ChallengeNotPending,
    LinkOutcome,
    LinkUnknown,
    TooManyLooks,
    TooSoonToLook,
    ask_for_a_look,
    expire_challenges,
    look_at_token,
    look_at_tokens_due,
    open_challenge,
    open_link,
    share_proof,
    withdraw_challenges,
)
from .checking import NotACheckOutcome, answer_check, answer_waiting, look_again, open_checks, record_by_hand
from .rosters import RosterReport, RosterUnusable, UnknownRoster, import_roster

__all__ = [
    "ChallengeNotPending",
    "CheckRequest",
    "LinkOutcome",
    "LinkUnknown",
    "NotACheckOutcome",
    "RosterReport",
    "RosterUnusable",
    "TooManyLooks",
    "TooSoonToLook",
    "UnknownRoster",
    "answer_check",
    "answer_waiting",
    "ask_for_a_look",
    "expire_challenges",
    "import_roster",
    "look_again",
    "look_at_token",
    "look_at_tokens_due",
    "open_challenge",
    "open_checks",
    "open_link",
    "record_by_hand",
    "share_proof",
    "withdraw_challenges",
]
