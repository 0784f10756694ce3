"""What everybody may read of disruptions: when, how long, which cause, at which operator.

Of a disruption that hit fewer than three holders nothing is said but that there was one: no operator is judged by one
server, and nobody finds a holder in it.
"""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q

from rahdari.figures.protection import rounded
from rahdari.publish.models import Operator

from . import queries, words
from .models import Incident
from .rules import DISCLAIMS, Reason, State

FEWEST_HOLDERS = 3
# Of an operator with fewer disruptions in the time that is asked for, how many were announced is not said.
FEWEST = 3
A_YEAR = dt.timedelta(days=365)
# Whose cause lies elsewhere, by the answer that stands.
ELSEWHERE = frozenset({*DISCLAIMS, Reason.UPSTREAM})


@dataclass(frozen=True)
class Published:
    """`cause`: a key of `rules.Reason`, empty while nobody gave one. `in_window`: announced work covered it."""

    reference: str
    operator: Operator
    began_at: dt.datetime
    back_at: dt.datetime | None
    is_live: bool
    lasted: dt.timedelta
    cause: str
    in_window: bool

    @property
    def cause_in_words(self) -> str:
        return words.reason(self.cause)


def lately(*, since: dt.datetime, now: dt.datetime) -> tuple[list[Published], int]:
    """Those that began since then or last, the latest first; and how many more there were of fewer holders, rounded.
    What was no disruption, and what is part of another one, is left out."""
    standing = Q(reports__withdrawn_at__isnull=True)
    found = (
        queries.incidents()
        .filter(Q(began_at__gte=since) | Q(ended_at__isnull=True))
        .exclude(state__in=[State.FALSE_ALARM, State.MERGED])
        .annotate(holders=Count("reports__holder", filter=standing, distinct=True))
        .select_related("operator")
        .order_by("-began_at", "id")
    )
    shown = [
        _published(each, each.operator, now)
        for each in found
        if each.operator is not None and each.holders >= FEWEST_HOLDERS
    ]
    return shown, rounded(len(found) - len(shown))


def _published(incident: Incident, operator: Operator, now: dt.datetime) -> Published:
    return Published(
        incident.reference,
        operator,
        incident.began_at,
        incident.back_at or incident.ended_at,
        incident.is_live,
        incident.lasted(now),
        incident.reason,
        in_window=bool(incident.work) and incident.overran_at is None,
    )


@dataclass(frozen=True)
class Unannounced:
    """Of the `disruptions` of an operator that hit three holders or more, whose cause lies at it, `outside` began in no
    announced window, or went on after it."""

    disruptions: int
    outside: int


def unannounced(*, now: dt.datetime) -> dict[str, Unannounced]:
    """Of 12 months, by the short name of the operator; those of few disruptions are left out."""
    by_operator: dict[str, list[Published]] = {}
    for each in lately(since=now - A_YEAR, now=now)[0]:
        if each.cause not in ELSEWHERE:
            by_operator.setdefault(each.operator.slug, []).append(each)
    return {
        slug: Unannounced(len(those), sum(not each.in_window for each in those))
        for slug, those in by_operator.items()
        if len(those) >= FEWEST
    }
