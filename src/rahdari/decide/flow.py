"""How cases of officers come and go, which questions are asked most, and where what was sent ended without a decision:
numbers for the office, of cases and never of an officer."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from rahdari.people.models import User

from . import conflicts_of_interest
from .models import Case, CaseQuestion
from .queues import APPLICANTS_TURN
from .rules import Lane, Status

WEEKS, DAYS = 8, 90
WEEK = dt.timedelta(days=7)
# Cases that a page names; the latest.
SHOWN = 100


@dataclass(frozen=True)
class Week:
    """Seven days until `end`: cases that came to officers, and those that left them, decided or closed."""

    end: dt.datetime
    came: int
    went: int


@dataclass(frozen=True)
class Queue:
    """Cases of one service: open now, of these with the applicant, and how many came and went in four weeks."""

    service: str
    open: int
    waiting: int
    came: int
    went: int

    @property
    def grew(self) -> int:
        return self.came - self.went


@dataclass(frozen=True)
class Asked:
    """A question by its code, of the last `DAYS`: how often it was asked, how many of these wait for an answer, and how
    many were not answered in time."""

    code: str
    number: int
    waiting: int
    lapsed: int


def _of_officers() -> QuerySet[Case]:
    return Case.objects.filter(lane=Lane.REVIEW).order_by()


def _went(start: dt.datetime, end: dt.datetime) -> Q:
    decided = Q(decided_at__gte=start, decided_at__lt=end)
    return decided | Q(closed_at__gte=start, closed_at__lt=end)


def weeks(now: dt.datetime) -> list[Week]:
    """The latest first."""
    found = []
    for back in range(WEEKS):
        end = now - back * WEEK
        start = end - WEEK
        numbers = _of_officers().aggregate(
            came=Count("pk", filter=Q(opened_at__gte=start, opened_at__lt=end)),
            went=Count("pk", filter=_went(start, end)),
        )
        found.append(Week(end, **numbers))
    return found


def queues(now: dt.datetime) -> list[Queue]:
    """That which grew most in front."""
    start = now - 4 * WEEK
    rows = (
        _of_officers()
        .values("service")
        .annotate(
            open=Count("pk", filter=Q(status=Status.OPEN)),
            waiting=Count("pk", filter=Q(status=Status.OPEN) & APPLICANTS_TURN),
            came=Count("pk", filter=Q(opened_at__gte=start)),
            went=Count("pk", filter=_went(start, now)),
        )
    )
    found = [Queue(**row) for row in rows if row["service"]]
    return sorted((each for each in found if each.open or each.came or each.went), key=lambda each: -each.grew)


def questions(now: dt.datetime) -> list[Asked]:
    """That which was asked most in front."""
    rows = (
        CaseQuestion.objects.filter(asked_at__gte=now - dt.timedelta(days=DAYS))
        .order_by()
        .values("code")
        .annotate(
            number=Count("pk"),
            waiting=Count("pk", filter=Q(answered_at__isnull=True, case__status=Status.OPEN)),
            lapsed=Count("pk", filter=Q(lapsed_at__isnull=False)),
        )
        .order_by("-number", "code")
    )
    return [Asked(row["code"], row["number"], row["waiting"], row["lapsed"]) for row in rows]


def cases_asked(code: str, *, officer: User, now: dt.datetime) -> list[Case]:
    """The cases behind it, those that this officer may decide, the latest first."""
    since = now - dt.timedelta(days=DAYS)
    asked = CaseQuestion.objects.filter(code=code, asked_at__gte=since).values("case")
    return _shown(Case.objects.filter(pk__in=asked), officer)


def _shown(cases: QuerySet[Case], officer: User) -> list[Case]:
    found = conflicts_of_interest.of_others(cases, officer)
    return list(found.select_related("application").order_by("-opened_at", "id")[:SHOWN])


# How what was sent ended without a decision: withdrawn, by whether a question waited for an answer then; not pursued.
_ASKED = Exists(CaseQuestion.objects.filter(case=OuterRef("pk"), answered_at__isnull=True).order_by())
ENDED: Mapping[str, Q] = {
    "withdrawn-asked": Q(status=Status.WITHDRAWN) & Q(_ASKED),
    "withdrawn": Q(status=Status.WITHDRAWN) & ~Q(_ASKED),
    "not-pursued": Q(status=Status.NOT_PURSUED),
}


def cases_ended(how: str, *, officer: User, since: dt.datetime) -> list[Case]:
    """The cases behind one of these, those that this officer may decide, the latest first."""
    return _shown(Case.objects.filter(ENDED[how], closed_at__gte=since), officer)


def ended_without_decision(since: dt.datetime) -> dict[str, int]:
    ended = Case.objects.filter(closed_at__gte=since).order_by()
    return {how: ended.filter(condition).count() for how, condition in ENDED.items()}
