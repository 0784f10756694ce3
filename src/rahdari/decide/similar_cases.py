"""Earlier cases in which the same was in the way, for whoever decides: when, how and by which codes, and nothing of
whose they were. The database keeps on each case that an officer decided what was in the way, and an index finds it."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import CharField, Func, QuerySet, UUIDField, Value

from . import remedies
from .models import Case, Decision
from .rules import Status

AT_MOST = 5


@dataclass(frozen=True)
class SimilarCase:
    """`set_aside`: an appeal set an earlier decision in it aside; `codes` and `outcome` are of the one that stands."""

    at: dt.datetime
    outcome: str
    codes: Sequence[str]
    set_aside: bool


def decisions_like(case: Case) -> QuerySet[Decision]:
    """All decisions in the last such cases, oldest first: of the same service, with the same kinds of required checks
    that did not pass or that an officer answered."""
    key = Value(case.application_id, output_field=UUIDField())
    of_this = Func(key, function="decide_likeness", output_field=CharField())
    same = Case.objects.filter(status=Status.DECIDED, likeness=of_this).exclude(likeness="").exclude(pk=case.pk)
    last = same.order_by("-decided_at", "-id").values("pk")[:AT_MOST]
    return Decision.objects.filter(case__in=last).order_by("at", "id")


def told_by(found: Iterable[Decision]) -> list[SimilarCase]:
    """The cases of these decisions, newest first."""
    by_case: dict[object, list[Decision]] = {}
    for each in found:
        by_case.setdefault(each.case_id, []).append(each)
    shown = [
        SimilarCase(stands.at, stands.outcome, stands.codes, any(_was_set_aside(each) for each in decisions))
        for decisions in by_case.values()
        if (stands := decisions[-1]).voided_at is None
    ]
    return sorted(shown, key=lambda each: each.at, reverse=True)


def _was_set_aside(decision: Decision) -> bool:
    return decision.voided_why in {remedies.ALLOWED, remedies.SENT_BACK}
