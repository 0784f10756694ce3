"""publish -> watch: how the measured endpoints of each operator stood, counted when a day is over."""

import datetime as dt

from rahdari.calendar import queries as calendars
from rahdari.publish import queries as operators
from rahdari.watch import daily

# After midnight, so that the last round of the day is written; and of the days before, where nobody counted.
AN_HOUR = dt.timedelta(hours=1)
DAYS_BACK = 3


def count_days(now: dt.datetime) -> int:
    """Nobody waits for it, so it moves nothing: it rests after each time."""
    groups = operators.announced_by()
    zone = calendars.in_force().zone_info
    today = (now - AN_HOUR).astimezone(zone).date()
    for back in range(DAYS_BACK, 0, -1):
        date = today - dt.timedelta(days=back)
        start, end = (dt.datetime.combine(each, dt.time(), zone) for each in (date, date + dt.timedelta(days=1)))
        daily.count(date, start, end, {"": None, **groups})
    return 0
