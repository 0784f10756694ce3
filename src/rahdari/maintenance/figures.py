"""How each operator keeps to its announcements: notices given in time, windows kept. With denominators, of 12 months,
and never of few works: one that went wrong is no finding about an operator."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from rahdari.inquiry.rules import SILENT
from rahdari.publish import queries as networks
from rahdari.publish.models import Operator

from . import queries
from .models import Work
from .rules import MOVED, STAYS, State

A_YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Figures:
    """Of the works of one operator, the regulator's without one, whose window is past. `is_shown`: they are not too
    few; else nothing is said. `in_time` of `announced` were announced with the notice that is the rule, and as many
    windows `kept`: the work began in it and was said to be over before its end. Cancelled work is in neither."""

    operator: Operator | None
    is_shown: bool
    announced: int = 0
    in_time: int = 0
    kept: int = 0
    # Requests for another night whose time to answer is over; None where they are too few.
    requests: "Requests | None" = None


@dataclass(frozen=True)
class Requests:
    """Of `asked` so many were `answered` in time, and the work `moved` for so many."""

    asked: int
    answered: int
    moved: int


def figures_of(operator: Operator | None, *, now: dt.datetime) -> Figures:
    """For its own page, with the same floor: what it reads is what everybody reads."""
    return next(iter(_figures(_past(now).filter(operator=operator), [operator], now)))


def figures(*, now: dt.datetime) -> list[Figures]:
    """For everybody: of each active operator of networks, in the order of their names."""
    operators: list[Operator | None] = [each for each in networks.active_operators() if each.asns and not each.gateway]
    return _figures(_past(now), operators, now)


def _past(now: dt.datetime) -> QuerySet[Work]:
    found = Work.objects.exclude(state__in=[State.DRAFT, State.CANCELLED])
    return found.filter(ends_at__lt=now, ends_at__gte=now - A_YEAR).order_by()


def _figures(past: QuerySet[Work], operators: list[Operator | None], now: dt.datetime) -> list[Figures]:
    terms = queries.terms()
    in_time = Q(told_at__lte=F("starts_at") - terms.notice)
    kept = Q(state=State.COMPLETED, ended_at__lte=F("ends_at"))
    kept &= Q(started_at__isnull=True) | Q(started_at__gte=F("starts_at"))
    counted: Any = past.values("operator").annotate(
        announced=Count("pk"), in_time=Count("pk", filter=in_time), kept=Count("pk", filter=kept)
    )
    rows: dict[Any, dict[str, int]] = {row.pop("operator"): row for row in counted}
    requests = _requests(now)
    found = []
    for each in operators:
        key = each.pk if each is not None else None
        row, asked = rows.get(key), requests.get(key)
        asked = asked if asked is not None and asked.asked >= terms.fewest else None
        if row is None or row["announced"] < terms.fewest:
            found.append(Figures(each, is_shown=False, requests=asked))
        else:
            found.append(Figures(each, is_shown=True, requests=asked, **row))
    return found


def _requests(now: dt.datetime) -> dict[Any, Requests]:
    """By operator, those of 12 months to which there is an answer, or is none in time. An answer that comes counts in
    time: later ones are not taken."""
    over = queries.ANOTHER_NIGHT.rows.filter(asked_at__gte=now - A_YEAR, state__in=[MOVED, STAYS, SILENT]).order_by()
    counted: Any = over.values("work__operator").annotate(
        asked=Count("pk"),
        answered=Count("pk", filter=Q(state__in=[MOVED, STAYS])),
        moved=Count("pk", filter=Q(state=MOVED)),
    )
    return {row.pop("work__operator"): Requests(**row) for row in counted}
