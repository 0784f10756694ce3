"""A word in the log when an operator falls behind or holds another set, and one when it is in sync again.

It is said once by each process of the publisher, not at every round; the metrics and the pages say it all the time.
"""

import datetime as dt
import logging

from . import operator_lag
from .rules import LagState

log = logging.getLogger("rahdari.publish")

EVERY = dt.timedelta(minutes=1)
SAID = {
    LagState.BEHIND: "operator %s is behind: an edition has been out for longer than is allowed, and is not in force",
    LagState.DRIFT: "operator %s holds another set than was published",
    LagState.INCOMPLETE: "operator %s could not load the set everywhere",
}
_last: dict[str, LagState] = {}
_looked_at: list[dt.datetime] = []


def watch_operators(*, now: dt.datetime) -> None:
    """Look at most once a minute, and say what has changed since the last look."""
    if _looked_at and dt.timedelta(0) <= now - _looked_at[-1] < EVERY:
        return
    _looked_at[:] = [now]
    for each in operator_lag.operators_with_lag(now):
        before = _last.get(each.operator.slug, LagState.IN_SYNC)
        _last[each.operator.slug] = each.state
        if each.state == before:
            continue
        if each.state in SAID:
            log.warning(SAID[each.state], each.operator.slug)
        elif each.state is LagState.IN_SYNC and before in SAID:
            log.info("operator %s is in sync again", each.operator.slug)
