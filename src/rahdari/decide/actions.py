"""Acts on a case. One act is one transaction and one row of the journal; letters are written in the same transaction.

Invariants: the case is locked before it is looked at, so that of two acts at once the second meets the case as the
first left it; an act that `rules.MOVES` does not allow now raises `NotPossibleNow`; an officer acts only on a case that
is in the officer's own hands, and never on an application of their own; a rule grants and never refuses. The journal
names codes and never words about a person.
"""

from .assignment import AlreadyTaken, hand_over, record_check, record_checks, record_several, take_case
from .deadlines import close_unanswered
from .desk import record_looks
from .ending import NotYours, TooLate, end, go_on, go_on_due, pause
from .erasing import erase_words
from .evidence import EvidenceMissing
from .file_hold import end_hold, hold_file
from .granting import (
    ChecksMissing,
    confirm_grant,
    decide_by_rule,
    decide_late,
    grant,
    mark_entered,
    note_assessed,
    return_grant,
    return_provisional,
)
from .operators import NoOperatorToAsk, ask_operator
from .questions import NoMoreTime, TooLateToReopen, answer_question, ask_question, extend_question, save_answer_draft
from .queue_columns import keep_again
from .refusals import answer_notice, drop_refusal, propose_refusal, second_refusal
from .revocation import keep_registration, propose_taking_back, restore_registration, second_taking_back
from .transitions import (
    AlreadyAnswered,
    CodeNotUsable,
    MayNotSecond,
    NotAnOfficer,
    NotPossibleNow,
    NotYourCase,
    OwnApplication,
    ReasonNeeded,
    page_of,
)
from .unreached_addresses import NobodyToName, name_network, with_files

__all__ = [
    "AlreadyAnswered",
    "AlreadyTaken",
    "ChecksMissing",
    "CodeNotUsable",
    "EvidenceMissing",
    "MayNotSecond",
    "NoMoreTime",
    "NoOperatorToAsk",
    "NobodyToName",
    "NotAnOfficer",
    "NotPossibleNow",
    "NotYourCase",
    "NotYours",
    "OwnApplication",
    "ReasonNeeded",
    "TooLate",
    "TooLateToReopen",
    "answer_notice",
    "answer_question",
    "ask_operator",
    "ask_question",
    "close_unanswered",
    "confirm_grant",
    "decide_by_rule",
    "decide_late",
    "drop_refusal",
    "end",
    "end_hold",
    "erase_words",
    "extend_question",
    "go_on",
    "go_on_due",
    "grant",
    "hand_over",
    "hold_file",
    "keep_again",
    "keep_registration",
    "mark_entered",
    "name_network",
    "note_assessed",
    "page_of",
    "pause",
    "propose_refusal",
    "propose_taking_back",
    "record_check",
    "record_checks",
    "record_looks",
    "record_several",
    "restore_registration",
    "return_grant",
    "return_provisional",
    "save_answer_draft",
    "second_refusal",
    "second_taking_back",
    "take_case",
    "with_files",
]
