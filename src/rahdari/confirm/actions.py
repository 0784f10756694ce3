"""The acts of confirm: ask, answer, withdraw, erase; files of answers; tokens; callbacks.

Each act is one transaction with one journal row. No server of an operator's is asked inside a transaction.
"""

from rahdari.programs.tokens import TooManyTokens
from rahdari.programs.webhooks import PlaceNotTaken

from .bulk import FileNotTaken, corrected, delete_old_files, judged, keep_file, send_file
from .callbacks import (
    change_callback_secret,
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
    read_and_answer,
    withdraw_questions,
)
from .tokens import end_keys_made_by, end_operator, make_token, note_fetched, revoke_token

__all__ = [
    "AnswerNotTaken",
    "FileNotTaken",
    "PlaceNotTaken",
    "TooManyTokens",
    "answer",
    "ask",
    "change_callback_secret",
    "corrected",
    "delete_old_files",
    "deliver_due",
    "end_callback",
    "end_keys_made_by",
    "end_operator",
    "judged",
    "keep_file",
    "make_token",
    "note_fetched",
    "read_and_answer",
    "register_callback",
    "revoke_token",
    "send_file",
    "send_test_event",
    "tell",
    "withdraw_questions",
]
