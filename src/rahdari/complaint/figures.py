"""How many complaints were decided, how, and in which time: for the page on which anybody sees how the service stands.

Invariant: no figure tells what came of one complaint, or whether something is registered. They are of whole months that
are over, of no kind with few complaints, and each is rounded, so that one more or less is not seen.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Q
from django.utils import timezone

from rahdari.figures.protection import rounded

from .models import Complaint
from .rules import KINDS, Kind, Outcome

FEWEST = 20


class Median(Aggregate):
    function, template = "PERCENTILE_CONT", "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True)
class OfKind:
    """Of one kind in 12 months. `days`: the median time to a decision. Where they were too few, nothing is said."""

    kind: Kind
    is_shown: bool
    decided: int = 0
    outcomes: tuple[tuple[Outcome, int], ...] = ()
    anonymous: int = 0
    again: int = 0
    late: int = 0
    days: int = 0


def months(now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """The 12 whole months before this one, by the time of the office."""
    end = timezone.localtime(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return end.replace(year=end.year - 1), end


def figures(now: dt.datetime) -> list[OfKind]:
    start, end = months(now)
    decided = Complaint.objects.filter(decided_at__gte=start, decided_at__lt=end, copy_of__isnull=True).order_by()
    first = Q(part_of__isnull=True)
    rows: Any = decided.values("kind").annotate(
        decided=Count("pk", filter=first),
        anonymous=Count("pk", filter=Q(is_anonymous=True)),
        again=Count("pk", filter=~first),
        late=Count("pk", filter=first & Q(overdue_at__isnull=False)),
        median=Median(F("decided_at") - F("received_at"), filter=first),
        **{each.value: Count("pk", filter=first & Q(outcome=each)) for each in Outcome},
    )
    return [_of_kind(kind, {row["kind"]: row for row in rows}.get(kind)) for kind in KINDS]


def _of_kind(kind: Kind, row: dict[str, Any] | None) -> OfKind:
    if row is None or row["decided"] < FEWEST:
        return OfKind(kind, is_shown=False)
    return OfKind(
        kind,
        is_shown=True,
        outcomes=tuple((each, rounded(row[each.value])) for each in KINDS[kind].outcomes),
        days=round(row["median"] / dt.timedelta(days=1)),
        **{name: rounded(row[name]) for name in ("decided", "anonymous", "again", "late")},
    )
