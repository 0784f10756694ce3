"""How the measured endpoints of an operator stood on a day: counted once when the day is over, and never anew.

A day is that of the office. What was reached and what was cut count, the time of a server that was down and the time of
which nothing can be said do not. Of few endpoints nothing is said, and a day on which few were cut is one in order: so
no operator is judged by one server, and nobody finds a server in it.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from rahdari.figures.protection import rounded
from rahdari.register import queries as register

from .models import Day
from .verdicts import State

# Of fewer endpoints nothing is said; where those of fewer holders were cut, not that they were.
FEWEST, FEWEST_HOLDERS = 10, 3
REACHED = (State.IN_ORDER, State.IMPAIRED)
CUT = (State.PATH_BLOCKED, State.THIS_OPERATOR)
# A round follows the one before within this, where nothing is wrong.
APART = dt.timedelta(minutes=10)
# An endpoint counts on a day of which so much was measured.
LEAST = dt.timedelta(hours=1)

# What was concluded last before the day, and in it, each until the next one and only while we measured.
_SECONDS = """
WITH measured AS (
  SELECT coalesce(range_agg(tstzrange(began_at, last_at + %(apart)s)) FILTER (WHERE NOT failed), '{}')
       - coalesce(range_agg(tstzrange(began_at, last_at, '[]')) FILTER (WHERE failed), '{}') AS spans
  FROM watch_measured WHERE began_at < %(end)s AND last_at > %(start)s - %(apart)s
), told AS (
  SELECT consent.feed_id, consent.holder, found.state, tstzrange(
    greatest(found.at, %(start)s), coalesce(lead(found.at) OVER each, %(end)s)) AS span
  FROM watch_consent consent CROSS JOIN LATERAL (
    (SELECT id, at FROM watch_seenfacts WHERE consent_id = consent.id AND at <= %(start)s
      ORDER BY at DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT id, at FROM watch_seenfacts WHERE consent_id = consent.id AND at > %(start)s AND at < %(end)s)
  ) seen CROSS JOIN LATERAL (
    SELECT seen.id, seen.at, state FROM watch_conclusion WHERE seen_id = seen.id ORDER BY version DESC LIMIT 1
  ) found
  WINDOW each AS (PARTITION BY consent.id ORDER BY found.at, found.id)
)
SELECT feed_id, holder, state = ANY(%(reached)s), sum(extract(epoch FROM upper(part) - lower(part)))
FROM told, measured, unnest(tstzmultirange(told.span) * measured.spans) AS part
WHERE state = ANY(%(reached)s) OR state = ANY(%(cut)s)
GROUP BY 1, 2, 3
"""


@dataclass
class _Stood:
    """One endpoint, in seconds."""

    holder: uuid.UUID
    reached: float = 0.0
    cut: float = 0.0


def count(date: dt.date, start: dt.datetime, end: dt.datetime, groups: Mapping[str, Iterable[int] | None]) -> int:
    """Write how the endpoints of each group stood between these two times, those groups that are not written yet.

    `groups`: by an opaque name the AS numbers that announce an endpoint; None: all endpoints. Returns how many rows.
    """
    known = set(Day.objects.filter(date=date, group__in=groups).values_list("group", flat=True))
    if known >= set(groups):
        return 0
    stood = {
        feed: each for feed, each in _stood(start, end).items() if each.reached + each.cut >= LEAST.total_seconds()
    }
    asns = register.networks_by_feed_id(stood)
    rows = []
    for group, numbers in groups.items():
        if group not in known:
            wanted = None if numbers is None else set(numbers)
            own = [each for feed, each in stood.items() if wanted is None or wanted & set(asns.get(feed, ()))]
            rows.append(_day(date, group, own))
    # Two workers count alike; the first one's row stays.
    return len(Day.objects.bulk_create(rows, ignore_conflicts=True))


def _day(date: dt.date, group: str, stood: list[_Stood]) -> Day:
    if len(stood) < FEWEST or len({each.holder for each in stood}) < FEWEST_HOLDERS:
        return Day(date=date, group=group)
    endpoints = rounded(len(stood))
    if len({each.holder for each in stood if each.cut}) < FEWEST_HOLDERS:
        return Day(date=date, group=group, endpoints=endpoints, reached=1000)
    reached, cut = sum(each.reached for each in stood), sum(each.cut for each in stood)
    # Below 1000, since some were cut.
    return Day(date=date, group=group, endpoints=endpoints, reached=min(999, round(1000 * reached / (reached + cut))))


def _stood(start: dt.datetime, end: dt.datetime) -> dict[str, _Stood]:
    values: dict[str, Any] = {
        "start": start,
        "end": end,
        "apart": APART,
        "reached": [each.value for each in REACHED],
        "cut": [each.value for each in CUT],
    }
    found: dict[str, _Stood] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SECONDS, values)
        for feed_id, holder, is_reached, seconds in cursor.fetchall():
            each = found.setdefault(feed_id, _Stood(holder))
            if is_reached:
                each.reached = float(seconds)
            else:
                each.cut = float(seconds)
    return found
