"""Rows of the queue and of the approvals, least time left first.

The database sorts, filters and counts by what is kept on each case (`keeping`), so that a page loads its own rows and
no others, in a number of queries that does not grow. The time that a row shows is computed for it, as on its own page.
Each page is put on record: who looked, what was asked, and whose applications were shown.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Case as When
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models import When as Where
from django.db.models.functions import Cast, Concat

from rahdari import policy
from rahdari.apply.models import Application
from rahdari.checks import queries as check_queries
from rahdari.checks.models import Outcome
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Allowance, Text

from . import conflicts_of_interest, queries, queue_columns, rules
from .case_clock import ClockFace, calendar, clock_of, policy_by, policy_of
from .models import Case, Decision, Notice
from .rules import CannotSecond, NoticeState, Status

PER_PAGE = 25
HOUR = Allowance(1, "working_hours")
APPLICANTS_TURN = Q(waits_for="applicant")


@dataclass(frozen=True)
class Filters:
    view: str = "open"
    q: str = ""
    service: str = ""
    checks: str = ""
    who: str = ""
    page: int = 1


@dataclass(frozen=True)
class Kind:
    """Checks of one title, which an application for many addresses has many of."""

    title: dict[str, str]
    count: int


@dataclass(frozen=True)
class QueueRow:
    case: Case
    clock: ClockFace
    service: Text
    passed: int
    failed_kinds: Sequence[Kind]
    waiting_kinds: Sequence[Kind]
    notice: Notice | None
    cannot_second: CannotSecond | None
    is_mine: bool

    @property
    def reference(self) -> str:
        return self.case.application.reference

    @property
    def holder(self) -> str:
        return self.case.application.holder_name

    @property
    def needs_second(self) -> bool:
        return self.case.standing.notice == NoticeState.RIPE

    @property
    def waits_for_applicant(self) -> bool:
        return self.clock.waits_for == "applicant"


@dataclass(frozen=True)
class Desk:
    rows: Sequence[QueueRow]
    total: int
    first: int
    pages: int
    counts: dict[str, int]
    by_rule_today: int
    by_officers_today: int
    filters: Filters = field(default_factory=Filters)

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def _open_cases(officer: User) -> QuerySet[Case]:
    """Those that were just withdrawn among them, until the workflow closes them: `_shown` leaves them out of a page."""
    return conflicts_of_interest.of_others(Case.objects.filter(status=Status.OPEN), officer)


def _shown(found: QuerySet[Case]) -> QuerySet[Case]:
    return found.exclude(application__status="withdrawn")


def _in_order(found: QuerySet[Case], *before: When) -> QuerySet[Case]:
    """Least time left in front; of equals those that came first. The index `cases_by_due_time` has this order."""
    return found.order_by(*before, F("due_at").asc(nulls_first=True), "started_at", "id")


def _ours_first() -> When:
    """What waits for us before what waits for the applicant: for views that have both."""
    return When(Where(APPLICANTS_TURN, then=1), default=0)


def views_of(officer: User, now: dt.datetime) -> dict[str, Q]:
    """Which cases are in which saved view. An hour is one of the office's hours, as the clocks count them."""
    in_an_hour = policy.add(start=now, allowance=HOUR, calendar=calendar())
    return {
        "open": ~APPLICANTS_TURN,
        "late": ~APPLICANTS_TURN & Q(late_at__lte=now),
        "hour": ~APPLICANTS_TURN & Q(due_at__gte=now, due_at__lte=in_an_hour),
        "mine": Q(assigned_to=officer),
        "applicant": APPLICANTS_TURN,
        "second": Q(waits_for="second"),
    }


VIEWS = ("open", "late", "hour", "mine", "applicant", "second")


def desk(*, officer: User, filters: Filters, now: dt.datetime) -> Desk:
    """One page of the queue, put on record."""
    cases, views = _open_cases(officer), views_of(officer, now)
    counts = cases.aggregate(**{name: Count("pk", filter=fits) for name, fits in views.items()})
    found = _filtered(cases.filter(views.get(filters.view, views["open"])), filters, officer)
    total = counts[filters.view] if not _narrows(filters) and filters.view in views else found.count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(1, filters.page), pages)
    start = (page - 1) * PER_PAGE
    before = [_ours_first()] if filters.view == "mine" else []
    rows = rows_of(_in_order(_shown(found), *before)[start : start + PER_PAGE], officer=officer, now=now)
    record_looks([row.case.application for row in rows], officer=officer, where="queue", asked=filters.q, now=now)
    by_rule, by_officers = _decided_today(now)
    return Desk(
        rows=rows,
        total=total,
        first=start + 1,
        pages=pages,
        counts=counts,
        by_rule_today=by_rule,
        by_officers_today=by_officers,
        filters=replace(filters, page=page),
    )


def record_looks(
    files: Sequence[Application],
    *,
    officer: User,
    where: str,
    act: str = "decide.read_list",
    why: str = "queue",
    asked: str = "",
    now: dt.datetime,
) -> None:
    """A page of a list is a look at each file on it: one row, with what was asked as keyed hashes of its words."""
    journal.record_list(
        act=act,
        actor=queries.actor_of(officer),
        where=f"desk:{where}",
        reason=why,
        shown=[each.subject for each in files],
        asked=sorted(queue_columns.hashes(asked.casefold().split())),
        now=now,
    )


# -- filters -----------------------------------------------------------------------------------------------------


def _narrows(filters: Filters) -> bool:
    return any((filters.q.strip(), filters.service, filters.checks, filters.who))


def _filtered(cases: QuerySet[Case], filters: Filters, officer: User) -> QuerySet[Case]:
    if filters.service:
        cases = cases.filter(application__service=filters.service)
    if filters.who == "me":
        cases = cases.filter(assigned_to=officer)
    if filters.who == "nobody":
        cases = cases.filter(assigned_to__isnull=True)
    subject = Concat(Value("application:"), Cast(OuterRef("application"), CharField()))
    failed = Exists(check_queries.failed_checks().filter(subject=subject))
    waiting = Exists(check_queries.waiting_checks().filter(subject=subject).order_by())
    match filters.checks:
        case "failed":
            cases = cases.filter(failed)
        case "waiting":
            cases = cases.filter(waiting)
        case "passed":
            cases = cases.filter(~failed, ~waiting)
    return cases.filter(_fits(filters.q.strip())) if filters.q.strip() else cases


def _fits(asked: str) -> Q:
    """Cases by the beginning of each word of a name, of each part of their number, of a company number. By no address:
    that is asked within a case or for a demand (`searching`)."""
    words = queue_columns.words_asked(asked)
    return Q(words__contains=sorted(words)) if words else Q(pk__in=[])


# -- rows ----------------------------------------------------------------------------------------------------------


def rows_of(found: QuerySet[Case], *, officer: User, now: dt.datetime) -> list[QueueRow]:
    """The cases of one page with what a row of it shows, in a handful of queries whatever their number. A row has a
    name, so it has no address: no list tells who is where. Checks are not loaded, only counted."""
    keys = list(found.values_list("pk", flat=True))
    by_key = {case.pk: case for case in queries.cases().filter(pk__in=keys)}
    cases = [by_key[key] for key in keys if key in by_key]
    checks: dict[str, list[tuple[Kind, str, bool]]] = defaultdict(list)
    for subject, title, outcome, required, count in check_queries.counted([case.application.subject for case in cases]):
        checks[subject].append((Kind(title, count), outcome, required))
    may = people.has_rank(officer, "director"), queries.is_new_in_office(officer, now)
    return [_row(case, officer, may, checks[case.application.subject], now) for case in cases]


def _row(
    case: Case,
    officer: User,
    may: tuple[bool, bool],
    checks: Sequence[tuple[Kind, str, bool]],
    now: dt.datetime,
) -> QueueRow:
    is_director, is_new = may
    rules_of_case = policy_of(case.application)
    notice = queries.open_notice(case)
    asked = case.application.checks_in(rules_of_case.services[case.application.service])
    passed = {kind.title["en"] for kind, outcome, _required in checks if outcome == Outcome.PASSED}
    stood_for = {rule.instead_of for rule in asked if rule.title.en in passed}
    not_needed = {rule.title.en for rule in asked if rule.kind in stood_for}
    return QueueRow(
        case=case,
        clock=clock_of(case, now),
        service=rules_of_case.services[case.application.service].short,
        passed=sum(kind.count for kind, outcome, _required in checks if outcome == Outcome.PASSED),
        failed_kinds=[
            kind
            for kind, outcome, required in checks
            if outcome == Outcome.FAILED and required and kind.title["en"] not in not_needed
        ],
        waiting_kinds=[kind for kind, outcome, _required in checks if outcome == Outcome.WAITING],
        notice=notice,
        cannot_second=None
        if notice is None
        else rules.may_second(
            proposer=notice.proposed_by_id,
            second=officer.pk,
            is_director=is_director,
            reasons=[rules_of_case.reasons[code] for code in notice.codes],
            ripe=notice.state == NoticeState.RIPE,
            is_new=is_new,
        ),
        is_mine=case.assigned_to_id == officer.pk,
    )


def _decided_today(now: dt.datetime) -> tuple[int, int]:
    midnight = now.astimezone(calendar().zone_info).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Decision.objects.filter(at__gte=midnight, at__lte=now, voided_at__isnull=True)
    counted = today.aggregate(all=Count("pk"), by_rule=Count("pk", filter=Q(decided_by__startswith="rule:")))
    return counted["by_rule"], counted["all"] - counted["by_rule"]


def next_for(*, officer: User, now: dt.datetime, after: Case, filters: Filters) -> Case | None:
    """The one with the least time left that fits the filter, is the officer's or nobody's, and waits for an officer."""
    fits = views_of(officer, now).get(filters.view, Q()) & Q(waits_for="officer")
    free = _open_cases(officer).filter(fits, Q(assigned_to=officer) | Q(assigned_to__isnull=True))
    left = _shown(_filtered(free.exclude(pk=after.pk), filters, officer))
    for key in _in_order(left).values_list("pk", flat=True)[:1]:
        return queries.cases().get(pk=key)
    return None


@dataclass(frozen=True)
class Proposals:
    rows: Sequence[QueueRow]
    mine: int
    total: int
    first: int
    page: int
    pages: int

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def proposals(*, officer: User, page: int, now: dt.datetime) -> Proposals:
    """What waits for a second officer, those first that this officer may decide. One page, put on record."""
    found = _shown(_open_cases(officer).filter(pk__in=_standing_notices().values("case")))
    mine, total = _for_me(officer), found.count()
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(1, page), pages)
    start = (page - 1) * PER_PAGE
    for_me_first = When(Where(pk__in=mine, then=0), default=1)
    rows = rows_of(_in_order(found, for_me_first, _ours_first())[start : start + PER_PAGE], officer=officer, now=now)
    record_looks([row.case.application for row in rows], officer=officer, where="approvals", now=now)
    return Proposals(rows, len(mine), total, start + 1, page, pages)


def _standing_notices() -> QuerySet[Notice]:
    return Notice.objects.filter(withdrawn_at__isnull=True, concluded_at__isnull=True).order_by()


def for_me(*, officer: User) -> int:
    """How many proposals this officer may decide now, for the navigation: one query and no clock."""
    return len(_for_me(officer))


def _for_me(officer: User) -> list[Any]:
    is_director = people.has_rank(officer, "director")
    ripe = (
        _standing_notices()
        .filter(case__in=_shown(_open_cases(officer).filter(waits_for="second")))
        .exclude(proposed_by=officer)
    )
    rows = ripe.values_list("case", "codes", "case__application__policy")
    return [
        case
        for case, codes, digest in rows
        if is_director or all(policy_by(digest).reasons[code].rank != "director" for code in codes)
    ]
