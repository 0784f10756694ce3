"""When an entry counts at an operator. Pure.

While the feed is fresh, each entry's own end is honoured at once. When it is stale (its signatures have run out and
nothing newer came), an entry that ended meanwhile is kept for a time of grace and flagged: it may well have been
renewed, and what this list is for is that nobody is cut. An entry that ended while the feed was fresh does not return.
"""

import datetime as dt


def is_stale(*, now: dt.datetime, fresh_until: dt.datetime) -> bool:
    return now >= fresh_until


def kept_after(*, now: dt.datetime, fresh_until: dt.datetime, grace: dt.timedelta) -> dt.datetime:
    """An entry counts when it has begun and ends after this moment."""
    if not is_stale(now=now, fresh_until=fresh_until):
        return now
    return max(fresh_until, now - grace)
