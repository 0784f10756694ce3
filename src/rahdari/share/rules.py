"""What becomes of a request to share an address, and of the question to each holder of it. Pure."""

import datetime as dt
from collections.abc import Iterable
from enum import StrEnum

from rahdari.inquiry.rules import SILENT, VOID, WAITING, WITHDRAWN

LONGEST_NAME = 80


# What those who were asked came to, together.
AGREED = "agreed"
DECLINED = "declined"
ANSWERS = frozenset({AGREED, DECLINED})
STATES = (WAITING, AGREED, DECLINED, SILENT, WITHDRAWN, VOID)


class Reply(StrEnum):
    WAITING = "waiting"
    YES = "yes"
    NO = "no"


REPLIES = frozenset({Reply.YES, Reply.NO})


def outcome(replies: Iterable[str]) -> str:
    """One no is a no, and yes takes all of them."""
    given = set(replies)
    if Reply.NO in given:
        return DECLINED
    return AGREED if given == {Reply.YES} else WAITING


def asks_again_at(*, state: str, ended_at: dt.datetime | None, again_after: dt.timedelta) -> dt.datetime | None:
    """From when on the same may be asked again; None: at once."""
    if ended_at is None or state not in {DECLINED, SILENT}:
        return None
    return ended_at + again_after
