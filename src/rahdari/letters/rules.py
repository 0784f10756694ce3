"""How long a letter is tried. Pure."""

import datetime as dt
from dataclasses import dataclass

# Waits between tries: a mail server that greylists answers after minutes, one that is down is back within a day.
WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 240, 480))
MOST_TRIES = len(WAITS) + 1
# A letter that was taken for sending and not settled in this time was left by a process that died.
LEFT_ALONE = dt.timedelta(minutes=10)

CODE_LASTS = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class TryAgain:
    at: dt.datetime


@dataclass(frozen=True)
class GiveUp:
    pass


def after_failure(
    *, tries: int, now: dt.datetime, useless_at: dt.datetime | None, permanent: bool
) -> TryAgain | GiveUp:
    """What to do with a letter that did not go out at its `tries`-th try."""
    if permanent or tries >= MOST_TRIES:
        return GiveUp()
    at = now + WAITS[max(tries, 1) - 1]
    if useless_at is not None and at >= useless_at:
        return GiveUp()
    return TryAgain(at)


def is_permanent(answer: int | None) -> bool:
    """Whether the answer code of a mail server (RFC 5321, 4.2.1) says that trying again is of no use."""
    return answer is not None and 500 <= answer < 600
