"""What becomes of a request to share an address, and of the question to each holder of it. Pure."""

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum

LONGEST_NAME = 80


class SharingState(StrEnum):
    WAITING = "waiting"
    AGREED = "agreed"
    DECLINED = "declined"
    SILENT = "silent"  # the time to answer is over
    TAKEN_BACK = "taken_back"  # by whoever asked, or with the application
    VOID = "void"  # there is nothing to share: nobody has the address any more, or another thing stands there


class Reply(StrEnum):
    WAITING = "waiting"
    YES = "yes"
    NO = "no"


ANSWERS = frozenset({Reply.YES, Reply.NO})

# (from, act, to, by): every move of a request. What it came to stays.
MOVES: tuple[tuple[SharingState, str, SharingState, str], ...] = (
    (SharingState.WAITING, "answer", SharingState.AGREED, "holder"),
    (SharingState.WAITING, "answer", SharingState.DECLINED, "holder"),
    (SharingState.WAITING, "answer", SharingState.VOID, "holder"),
    (SharingState.WAITING, "end", SharingState.SILENT, "clock"),
    (SharingState.WAITING, "end", SharingState.VOID, "clock"),
    (SharingState.WAITING, "take_back", SharingState.TAKEN_BACK, "asker"),
)


def may_move(source: str, target: str) -> bool:
    return any((move[0], move[2]) == (source, target) for move in MOVES)


def outcome(replies: Iterable[str]) -> SharingState:
    """One no is a no, and yes takes all of them."""
    given = set(replies)
    if Reply.NO in given:
        return SharingState.DECLINED
    return SharingState.AGREED if given == {Reply.YES} else SharingState.WAITING


def asks_again_at(*, state: str, ended_at: dt.datetime | None, again_after: dt.timedelta) -> dt.datetime | None:
    """From when on the same may be asked again; None: at once."""
    if ended_at is None or state not in {SharingState.DECLINED, SharingState.SILENT}:
        return None
    return ended_at + again_after
