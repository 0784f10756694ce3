"""Announced work, as the room `maintenance` has it: whether a window covers a connection, and what is past its window.

In a window nobody is alarmed, and measuring goes on. Whoever announced it is asked when it is over and the connection
is not back, or when nobody has said that the work is over.
"""

import datetime as dt

from rahdari.maintenance import queries as maintenance
from rahdari.maintenance.models import Work
from rahdari.maintenance.queries import Window
from rahdari.register.models import Entry


def window_over(entry: Entry, now: dt.datetime) -> Window | None:
    """That which ends last of those that cover it now."""
    found = maintenance.windows(asns=entry.asns, block=entry.block, at=now, part=entry.part)
    return max(found, key=lambda each: each.ends_at, default=None)


def overruns(now: dt.datetime) -> list[Work]:
    """Past their window, with a registered connection in what they affect."""
    return [each for each in maintenance.overrun(now=now) if maintenance.hits(each)]


def is_over(reference: str, now: dt.datetime) -> bool:
    """Whether somebody has said that it is over, or called it off."""
    return not maintenance.overrun(now=now).filter(reference=reference).exists()
