"""The acts of checks: open and answer checks, record by hand, write codes to contacts on a list, import a roster.

Each act is one transaction with one journal row.
"""

from .answers import CheckRequest
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
from .contacts import NothingToShow, answer_as_representative, end_waiting, leave_to_officer, send_code, try_code
from .erasing import erase_findings
from .rosters import RosterReport, RosterUnusable, UnknownRoster, import_roster

__all__ = [
    "CheckRequest",
    "NotACheckOutcome",
    "NothingToShow",
    "RosterReport",
    "RosterUnusable",
    "UnknownRoster",
    "answer_as_representative",
    "answer_check",
    "answer_waiting",
    "ask_again",
    "end_waiting",
    "erase_findings",
    "import_roster",
    "leave_to_officer",
    "let_stand_for_now",
    "look_again",
    "open_checks",
    "record_by_hand",
    "send_code",
    "try_code",
]
