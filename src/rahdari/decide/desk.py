"""Rows of the queue and of the approvals, least time left first.

All open cases are looked at for each page: their time left is computed and not stored, so the database cannot sort by
it. What the policy, the clock and the checks need comes in a handful of queries, whatever the number of cases.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rahdari.apply.models import Endpoint
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.policy import Text
from rahdari.verify import queries as verify
from rahdari.verify.models import Check, Outcome

from . import queries, rules
from .clocks import ClockFace, clock_of, policy_of
from .models import Case, Decision, Notice
from .rules import CannotSecond, NoticeState, Status, Urgency

PER_PAGE = 25
HOUR = dt.timedelta(hours=1)


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


def kinds_of(checks: Iterable[Check]) -> list[Kind]:
    found: dict[tuple[str, str], Kind] = {}
    for check in checks:
        key = (check.kind, check.title.get("en", ""))
        found[key] = Kind(check.title, found[key].count + 1 if key in found else 1)
    return list(found.values())


@dataclass(frozen=True)
class Row:
    case: Case
    clock: ClockFace
    service: Text
    endpoints: tuple[Endpoint, ...]
    checks: tuple[Check, ...]
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
    def passed(self) -> int:
        return sum(check.outcome == Outcome.PASSED for check in self.checks)

    @property
    def failed(self) -> list[Check]:
        return [check for check in self.checks if check.outcome == Outcome.FAILED and check.required]

    @property
    def waiting(self) -> list[Check]:
        return [check for check in self.checks if check.outcome == Outcome.WAITING]

    @property
    def failed_kinds(self) -> list[Kind]:
        return kinds_of(self.failed)

    @property
    def waiting_kinds(self) -> list[Kind]:
        return kinds_of(self.waiting)

    @property
    def more(self) -> int:
        return len(self.endpoints) - 1

    @property
    def needs_second(self) -> bool:
        return self.case.standing.notice == NoticeState.RIPE

    @property
    def waits_for_applicant(self) -> bool:
        return self.clock.waits_for == "applicant"


@dataclass(frozen=True)
class Desk:
    rows: Sequence[Row]
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


def _open_rows(officer: User, now: dt.datetime) -> list[Row]:
    found = list(
        queries.of_others(queries.cases(), officer)
        .filter(status=Status.OPEN)
        .exclude(application__status="withdrawn")
        .prefetch_related("application__endpoints")
    )
    checks = verify.checks_of_subjects([case.application.subject for case in found])
    is_director = people.has_rank(officer, "director")
    return sorted(
        (_row(case, officer, is_director, checks.get(case.application.subject, []), now) for case in found),
        key=lambda row: (row.clock.paused, row.clock.remaining, row.reference),
    )


def _row(case: Case, officer: User, is_director: bool, checks: Sequence[Check], now: dt.datetime) -> Row:
    policy = policy_of(case.application)
    notice = queries.open_notice(case)
    return Row(
        case=case,
        clock=clock_of(case, now),
        service=policy.services[case.application.service].short,
        endpoints=tuple(one for one in case.application.endpoints.all() if one.removed_at is None),
        checks=tuple(checks),
        notice=notice,
        cannot_second=None
        if notice is None
        else rules.may_second(
            proposer=notice.proposed_by_id,
            second=officer.pk,
            is_director=is_director,
            reasons=[policy.reasons[code] for code in notice.codes],
            ripe=notice.state == NoticeState.RIPE,
        ),
        is_mine=case.assigned_to_id == officer.pk,
    )


VIEWS: dict[str, Callable[[Row], bool]] = {
    "open": lambda row: not row.waits_for_applicant,
    "late": lambda row: row.clock.urgency == Urgency.LATE,
    "hour": lambda row: not row.clock.paused and dt.timedelta() <= row.clock.remaining <= HOUR,
    "mine": lambda row: row.is_mine,
    "applicant": lambda row: row.waits_for_applicant,
    "second": lambda row: row.needs_second,
}


def desk(*, officer: User, filters: Filters, now: dt.datetime) -> Desk:
    rows = _open_rows(officer, now)
    counts = {name: sum(map(fits, rows)) for name, fits in VIEWS.items()}
    shown = [row for row in rows if VIEWS.get(filters.view, VIEWS["open"])(row) and _fits(row, filters)]
    pages = max(1, -(-len(shown) // PER_PAGE))
    page = min(max(1, filters.page), pages)
    start = (page - 1) * PER_PAGE
    by_rule, by_officers = _decided_today(now)
    return Desk(
        rows=shown[start : start + PER_PAGE],
        total=len(shown),
        first=start + 1,
        pages=pages,
        counts=counts,
        by_rule_today=by_rule,
        by_officers_today=by_officers,
        filters=Filters(filters.view, filters.q, filters.service, filters.checks, filters.who, page),
    )


def _decided_today(now: dt.datetime) -> tuple[int, int]:
    midnight = now.astimezone(queries.policy_in_force().calendar.zone_info).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    today = Decision.objects.filter(at__gte=midnight, at__lte=now, voided_at__isnull=True)
    by_rule = today.filter(decided_by__startswith="rule:").count()
    return by_rule, today.count() - by_rule


def _fits(row: Row, filters: Filters) -> bool:
    application = row.case.application
    if filters.service and application.service != filters.service:
        return False
    if filters.who == "me" and not row.is_mine:
        return False
    if filters.who == "nobody" and row.case.assigned_to_id is not None:
        return False
    if filters.checks == "failed" and not row.failed:
        return False
    if filters.checks == "waiting" and not row.waiting:
        return False
    if filters.checks == "passed" and (row.failed or row.waiting):
        return False
    wanted = filters.q.strip().casefold()
    if not wanted:
        return True
    texts = [application.reference, row.holder, *(endpoint.address_text for endpoint in row.endpoints)]
    return any(wanted in text.casefold() for text in texts)


def next_for(*, officer: User, now: dt.datetime, after: Case) -> Case | None:
    """The case with the least time left that is the officer's or nobody's, and that is not the applicant's turn."""
    for row in _open_rows(officer, now):
        if row.case.pk == after.pk or row.clock.paused or row.needs_second:
            continue
        if row.is_mine or row.case.assigned_to_id is None:
            return row.case
    return None


def proposals(*, officer: User, now: dt.datetime) -> list[Row]:
    """What waits for a second officer, those first that this officer may decide."""
    waiting = [row for row in _open_rows(officer, now) if row.notice is not None]
    return sorted(waiting, key=lambda row: row.cannot_second is not None)


def for_me(*, officer: User) -> int:
    """How many proposals this officer may decide now, for the navigation: one query and no clock."""
    is_director = people.has_rank(officer, "director")
    ripe = (
        Notice.objects.filter(
            case__in=queries.of_others(Case.objects.filter(status=Status.OPEN), officer),
            withdrawn_at__isnull=True,
            concluded_at__isnull=True,
        )
        .exclude(answered_at__isnull=True, ran_out_at__isnull=True)
        .exclude(proposed_by=officer)
        .select_related("case__application")
    )
    count = 0
    for notice in ripe:
        reasons = policy_of(notice.case.application).reasons
        count += is_director or all(reasons[code].rank != "director" for code in notice.codes)
    return count
