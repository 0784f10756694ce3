"""What incidents came to, by month and operator: for the page on which anybody sees how the service stands.

Invariants: an incident counts once, in the month in which it ended; of fewer than so many connections, or holders, of
an operator nothing is said of that operator, so that no operator is judged by one server and no holder is found; each
number is of whole months that are over.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from django.db.models import Count, Q, QuerySet

from .models import Incident
from .rules import DISCLAIMS, Proof, State

# Of an operator with fewer holders whose connections were cut, or fewer incidents, in the time that is asked for.
FEWEST_HOLDERS, FEWEST_INCIDENTS = 5, 3


@dataclass(frozen=True)
class Told:
    """`minutes`: the median time for which it was cut. `by_reason` are coded reasons, `measured` what the verdict said.
    `unproved`: said to be mended while it was not. `by_itself` and `false_alarms` are counted, too."""

    incidents: int = 0
    connections: int = 0
    proved_by_looks: int = 0
    proved_by_holders: int = 0
    by_itself: int = 0
    false_alarms: int = 0
    answered_in_time: int = 0
    mended_in_time: int = 0
    unproved: int = 0
    disputed: int = 0
    minutes: int | None = None
    by_reason: dict[str, int] = field(default_factory=dict)
    measured: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class OfOperator:
    """None where it is too few to say."""

    slug: str
    name: str
    told: Told | None


def ended_between(start: dt.datetime, end: dt.datetime) -> QuerySet[Incident]:
    """All that ended in [start, end), merged ones aside."""
    found = Incident.objects.filter(ended_at__gte=start, ended_at__lt=end).exclude(state=State.MERGED)
    # Of what was erased nothing says whose it was: counted by report, of which each stays.
    standing = Q(reports__withdrawn_at__isnull=True)
    return found.select_related("operator").annotate(connections=Count("reports", standing, distinct=True))


def told_of(incidents: Iterable[Incident]) -> Told:
    """The numbers of these. Those that nobody's network caused count as false alarms, and in no time."""
    found = list(incidents)
    cut = [each for each in found if each.state != State.FALSE_ALARM]
    spans = [each.back_at - each.began_at for each in cut if each.back_at is not None]
    return Told(
        incidents=len(found),
        connections=sum(getattr(each, "connections", 0) for each in found),
        proved_by_looks=sum(each.proof == Proof.LOOKS for each in cut),
        proved_by_holders=sum(each.proof == Proof.HOLDERS for each in cut),
        by_itself=sum(each.state == State.CLOSED_BY_ITSELF for each in cut),
        false_alarms=len(found) - len(cut),
        answered_in_time=sum(each.late_answer_at is None for each in cut),
        mended_in_time=sum(each.late_mend_at is None for each in cut),
        unproved=sum(each.unproved_at is not None for each in found),
        disputed=sum(each.disputes > 0 for each in found),
        minutes=round(median(span / dt.timedelta(minutes=1) for span in spans)) if spans else None,
        by_reason=_counted(each.reason for each in cut if each.reason not in ("", *DISCLAIMS)),
        measured=_counted(each.measured for each in cut if each.measured),
    )


def _counted(keys: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def of_all(start: dt.datetime, end: dt.datetime) -> Told:
    return told_of(ended_between(start, end))


def by_operator(start: dt.datetime, end: dt.datetime) -> list[OfOperator]:
    """Each operator that had one, by name, with its numbers where they are enough."""
    groups: dict[str, list[Incident]] = {}
    for each in (
        ended_between(start, end)
        .filter(operator__isnull=False)
        .annotate(holders=Count("reports__holder", distinct=True))
    ):
        assert each.operator is not None  # noqa: S101 - asked for above
        groups.setdefault(each.operator.slug, []).append(each)
    found = []
    for slug, those in sorted(groups.items()):
        holders = sum(getattr(each, "holders", 0) for each in those)
        operator = those[0].operator
        assert operator is not None  # noqa: S101 - asked for above
        enough = len(those) >= FEWEST_INCIDENTS and holders >= FEWEST_HOLDERS
        found.append(OfOperator(slug, operator.name_en, told_of(those) if enough else None))
    return found


def open_now() -> dict[str, int]:
    """How many are open now, and of how many of them the answer or the mending is late."""
    live = Incident.objects.filter(ended_at__isnull=True)
    found = live.aggregate(
        open=Count("pk"),
        late_answers=Count("pk", filter=Q(late_answer_at__isnull=False)),
        late=Count("pk", filter=Q(late_mend_at__isnull=False)),
        without_operator=Count("pk", filter=Q(operator__isnull=True)),
    )
    return {name: int(number) for name, number in found.items()}
