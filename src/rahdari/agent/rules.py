"""When an entry counts at an operator. Pure.

While the feed is fresh, each entry's own end is honoured at once. When it is stale (its signatures have run out and
nothing newer came), an entry that ended meanwhile is kept for a time of grace and flagged: it may well have been
renewed, and this list is there to spare it. An entry that ended while the feed was fresh does not return.

A clock that is far ahead makes every feed look stale, and every time of grace over. So the time of grace is counted by
the server's clock, where that is known: it is longer by as much as this machine's clock is ahead.

And how much an update may take out by itself: whoever holds the publisher's online keys shall not be able to empty the
networks, at once or by many small steps.
"""

import datetime as dt


def is_stale(*, now: dt.datetime, fresh_until: dt.datetime) -> bool:
    return now >= fresh_until


def kept_after(*, now: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta) -> dt.datetime:
    """An entry counts when it has begun and ends after this moment. `grace`: with what the clock is ahead."""
    if not is_stale(now=now, fresh_until=fresh_until):
        return now
    return max(fresh_until, now - grace)


# Up to the greater of the two, removals within a day need no word from the offline keys or from the operator.
REMOVALS_PERCENT = 5
REMOVALS_COUNT = 20
REMOVALS_WINDOW = dt.timedelta(hours=24)
# Of these roles an entry that moves to another address counts as removed; dynamic entries move by their nature.
STEADY_ROLES = frozenset({"feed-static", "feed-canary"})


def removals_allowed(*, of: int, within_window: int) -> int:
    """How many more of so many entries may go, when others went within the window before."""
    return max(max(REMOVALS_COUNT, (of + within_window) * REMOVALS_PERCENT // 100) - within_window, 0)
