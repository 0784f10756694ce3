"""The acts of confirm: ask, answer, withdraw, erase; files of answers; tokens; callbacks.

Each act is one transaction with one journal row. No server of an operator's is asked inside a transaction.
"""

from .bulk import FileNotTaken, corrected, delete_old_files, judged, keep_file, send_file
from .callbacks import (
    CallbackNotTaken,
    deliver_due,
    end_callback,
    register_callback,
    send_test_event,
    tell,
)
from .questions import (
    AnswerNotTaken,
    answer,
    ask,
    erase_addresses,
    erase_due,
    mark_carried,
    read_and_answer,
    withdraw_questions,
)
from .tokens import TooManyTokens, end_keys_made_by, end_operator, make_token, note_fetched, note_use, revoke_token

__all__ = [
    "AnswerNotTaken",
    "CallbackNotTaken",
    "FileNotTaken",
    "TooManyTokens",
    "answer",
    "ask",
    "corrected",
    "delete_old_files",
    "deliver_due",
    "end_callback",
    "end_keys_made_by",
    "end_operator",
    "erase_addresses",
    "erase_due",
    "judged",
    "keep_file",
    "make_token",
    "mark_carried",
    "note_fetched",
    "note_use",
    "read_and_answer",
    "register_callback",
    "revoke_token",
    "send_file",
    "send_test_event",
    "tell",
    "withdraw_questions",
]
