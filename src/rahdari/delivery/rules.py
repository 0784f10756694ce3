"""How long a letter is tried, when it may go out, and when a provider is left alone for a while. Pure."""

import datetime as dt
from dataclasses import dataclass

from rahdari.policy import QuietHours

# Waits between tries: a mail server that greylists answers after minutes, one that is down is back within a day.
WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60, 120, 240, 480))
MOST_TRIES = len(WAITS) + 1
# A letter that was taken for sending and not settled in this time was left by a process that died.
LEFT_ALONE = dt.timedelta(minutes=10)
# By a process whose connection to the database is gone, after this: it may be connecting anew, to say what it sent.
TAKER_GONE = dt.timedelta(seconds=15)

# How a letter travelled is forgotten after this, where the policy says nothing of it (retention.letter_delivery).
DELIVERY_KEPT = dt.timedelta(days=365)

CODE_LASTS = dt.timedelta(minutes=10)
# News by SMS that is older than this is no news: the letter itself went by email long ago.
NOTE_LASTS = dt.timedelta(days=2)
# A provider that failed so often in a row is left alone for a while, twice as long each time.
FAILURES_ALLOWED = 3
FIRST_REST, LONGEST_REST = dt.timedelta(minutes=1), dt.timedelta(minutes=30)


@dataclass(frozen=True)
class TryAgain:
    at: dt.datetime


@dataclass(frozen=True)
class GiveUp:
    pass


def after_failure(
    *, tries: int, now: dt.datetime, expires_at: dt.datetime | None, permanent: bool
) -> TryAgain | GiveUp:
    """What to do with a letter that did not go out at its `tries`-th try."""
    if permanent or tries >= MOST_TRIES:
        return GiveUp()
    at = now + WAITS[max(tries, 1) - 1]
    if expires_at is not None and at >= expires_at:
        return GiveUp()
    return TryAgain(at)


def is_permanent(answer: int | None) -> bool:
    """Whether the answer code of a mail server (RFC 5321, 4.2.1) says that trying again is of no use."""
    return answer is not None and 500 <= answer < 600


def rest_after(failures: int) -> dt.timedelta | None:
    """How long a provider is left alone after so many failures in a row. None: not at all."""
    if failures < FAILURES_ALLOWED:
        return None
    doubled: dt.timedelta = FIRST_REST * 2 ** min(failures - FAILURES_ALLOWED, 10)
    return min(doubled, LONGEST_REST)


def goes_out_at(now: dt.datetime, *, quiet: QuietHours | None, channel: str, urgent: bool) -> dt.datetime:
    """Now, or the end of the quiet hours if it is in them. Half open: at `until` it goes out."""
    if quiet is None or urgent or channel not in quiet.channels:
        return now
    here = now.astimezone(quiet.zone)
    clock = here.time()
    if quiet.start <= quiet.end:
        inside = quiet.start <= clock < quiet.end
    else:
        inside = clock >= quiet.start or clock < quiet.end
    if not inside:
        return now
    day = here.date() + dt.timedelta(days=1 if clock >= quiet.end else 0)
    return dt.datetime.combine(day, quiet.end, quiet.zone).astimezone(now.tzinfo)
