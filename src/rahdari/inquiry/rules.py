"""What may become of an inquiry, and when. Pure.

Somebody outside is asked once. The state is `waiting`, one of three ends that every kind has, or the answer in the
words of the kind.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

WAITING = "waiting"
SILENT = "silent"  # the time to answer is over
WITHDRAWN = "withdrawn"  # by whoever asked, or because nobody waits for the answer any more
VOID = "void"  # there is nothing to ask any more
ANSWERED = "answered"  # stands for any answer in MOVES; no inquiry is stored with it


class Move(StrEnum):
    ANSWER = "answer"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    REOPEN = "reopen"
    CORRECT = "correct"
    DROP = "drop"


# (from, move, to, by): what was answered stays answered, but for kinds that may reopen, correct or drop it for a while.
MOVES: tuple[tuple[str, Move, str, str], ...] = (
    (WAITING, Move.ANSWER, ANSWERED, "addressee"),
    (WAITING, Move.EXPIRE, SILENT, "clock"),
    (WAITING, Move.WITHDRAW, WITHDRAWN, "asker"),
    (WAITING, Move.LAPSE, VOID, "clock"),
    (ANSWERED, Move.REOPEN, WAITING, "addressee"),
    (ANSWERED, Move.CORRECT, ANSWERED, "addressee"),
    (ANSWERED, Move.DROP, WITHDRAWN, "asker"),
)
USUAL = frozenset({Move.ANSWER, Move.EXPIRE, Move.WITHDRAW})
# How each move stands in the journal, behind the room's name. A room declares those that it makes.
ACTS = {
    Move.ANSWER: "answered",
    Move.EXPIRE: "expired",
    Move.WITHDRAW: "withdrew",
    Move.LAPSE: "lapsed",
    Move.REOPEN: "reopened",
    Move.CORRECT: "corrected",
    Move.DROP: "dropped",
}


def stage(state: str, answers: Collection[str]) -> str:
    return ANSWERED if state in answers else state


def may_move(move: Move, source: str, target: str, *, answers: Collection[str]) -> bool:
    """Whether this move leads from one state to the other, in the words of the kind."""
    stages = (stage(source, answers), move, stage(target, answers))
    return any(each[:3] == stages for each in MOVES)


@dataclass(frozen=True)
class Terms:
    """Until when somebody answers, when they are reminded, and how long after the end what is sealed is kept."""

    due_at: dt.datetime
    kept: dt.timedelta
    remind_at: dt.datetime | None = None

    @classmethod
    def spans(cls, now: dt.datetime, *, answer: dt.timedelta, remind: dt.timedelta, kept: dt.timedelta) -> "Terms":
        return cls(now + answer, kept, now + remind)


def erase_at(*, due_at: dt.datetime, erase_at: dt.datetime, ended_at: dt.datetime, expires: bool) -> dt.datetime:
    """So long after the end as it would have been after the time to answer. Silence ended when that time was over,
    whenever we see that it is."""
    return (min(ended_at, due_at) if expires else ended_at) + (erase_at - due_at)
