"""The acts of verify: open and prove challenges, open and answer checks, record by hand, import a roster.

Each act is one transaction with one journal row (what the clock repeats is not journaled: looks are attempts).
The network is never asked inside a transaction.
"""

from .answers import CheckRequest
from .attempts import TooManyLooks, TooSoonToLook, ask_for_a_look, look_at_due, look_once
from .challenges import (
    ChallengeNotPending,
    LinkOutcome,
    LinkUnknown,
    answer_by_operator,
    await_operator,
    expire_challenges,
    open_challenge,
    open_link,
    open_way,
    share_proof,
    withdraw_challenges,
)
from .checking import (
    NotACheckOutcome,
    answer_check,
    answer_waiting,
    ask_again,
    let_stand_for_now,
    look_again,
    open_checks,
    record_by_hand,
)
from .contacts import NothingToShow, answer_as_representative, end_waiting, leave_to_officer
from .contacts import send_code as send_code_to_contact
from .contacts import try_code as try_code_of_contact
from .erasing import erase_evidence, erase_findings, forget_reproofs
from .registries import CodeNotTaken, NoCodeNow, send_code, try_code
from .reported_proofs import prove_by_report
from .reproofs import begin_reproof, follow_reproof, repeat_proof
from .rosters import RosterReport, RosterUnusable, UnknownRoster, import_roster

__all__ = [
    "ChallengeNotPending",
    "CheckRequest",
    "CodeNotTaken",
    "LinkOutcome",
    "LinkUnknown",
    "NoCodeNow",
    "NotACheckOutcome",
    "NothingToShow",
    "RosterReport",
    "RosterUnusable",
    "TooManyLooks",
    "TooSoonToLook",
    "UnknownRoster",
    "answer_as_representative",
    "answer_by_operator",
    "answer_check",
    "answer_waiting",
    "ask_again",
    "ask_for_a_look",
    "await_operator",
    "begin_reproof",
    "end_waiting",
    "erase_evidence",
    "erase_findings",
    "expire_challenges",
    "follow_reproof",
    "forget_reproofs",
    "import_roster",
    "leave_to_officer",
    "let_stand_for_now",
    "look_again",
    "look_at_due",
    "look_once",
    "open_challenge",
    "open_checks",
    "open_link",
    "open_way",
    "prove_by_report",
    "record_by_hand",
    "repeat_proof",
    "send_code",
    "send_code_to_contact",
    "share_proof",
    "try_code",
    "try_code_of_contact",
    "withdraw_challenges",
]
