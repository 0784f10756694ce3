"""Months that were published, with the numbers of the demonstration: by the act that publishes, not by writing rows."""

import datetime as dt

from django.utils import timezone

from rahdari.figures import actions, queries
from rahdari.figures.definitions import Words
from rahdari.figures.queries import Month
from rahdari.ops.figure_samples import counted

ZONE = timezone.get_default_timezone()


def publish(month: dt.date, *, grown: float = 1.0, why: Words | None = None) -> Month:
    now = dt.datetime.combine(actions.after(month).replace(day=10), dt.time(6), ZONE)
    actions.publish_counted(month, counted(grown), now=now, why=why)
    found = queries.month(month)
    assert found is not None
    return found


def publish_year(last: dt.date, months: int = 12) -> list[Month]:
    """The latest first."""
    dates = [last]
    while len(dates) < months:
        dates.append((dates[-1] - dt.timedelta(days=1)).replace(day=1))
    return [publish(date, grown=1 - 0.05 * place + 0.02 * (place % 3)) for place, date in enumerate(dates)]
