"""The acts of dyndns: connections and their tokens, reports of an address, and what is done when time passes."""

from .hosts import NewToken, choose_v6, close, erase, host_subject, let_go_of_closed, make_host, make_token, pause, tie
from .reporting import (
    Heard,
    forget_reports,
    let_go,
    list_reported,
    mark_notified,
    note_old_token,
    report,
    take_proved_claims,
)

__all__ = [
    "Heard",
    "NewToken",
    "choose_v6",
    "close",
    "erase",
    "forget_reports",
    "host_subject",
    "let_go",
    "let_go_of_closed",
    "list_reported",
    "make_host",
    "make_token",
    "mark_notified",
    "note_old_token",
    "pause",
    "report",
    "take_proved_claims",
    "tie",
]
