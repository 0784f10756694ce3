"""Rows of the queue and of the approvals, least time left first.

The database sorts, filters and counts by what is kept on each case (`queue_columns`), so that a page loads its own rows
and no others, in a number of queries that does not grow. The time that a row shows is computed for it, as on its own
page. Each page is put on record: who looked, what was asked, and whose applications were shown.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Case as When
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models import When as Where

from rahdari import policy
from rahdari.apply.models import Application
from rahdari.apply.rules import Status as Progress
from rahdari.calendar import queries as calendars
from rahdari.checks import queries as check_queries
from rahdari.checks.models import Outcome
from rahdari.db import together
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.models import DIRECTOR, User
from rahdari.policy import Allowance, DeskQueue, Reason, Text

from . import conflicts_of_interest, notes, queries, queue_columns, queues, rules
from .case_clock import ClockFace, calendar, clock_of, policy_in_force, policy_of
from .models import Case, Decision, Notice, Revocation, SavedView
from .queues import APPLICANTS_TURN, OUR_TURN, SAVED
from .rules import CannotSecond, HearingState, NoticeState, Status
from .seconding import is_ripe

PER_PAGE = 25
# So many that a search finds are counted and can be turned to: whoever wants others says more of the name.
MOST_FOUND = 1000
HOUR = Allowance(1, "working_hours")


@dataclass(frozen=True)
class Filters:
    # Of `VIEWS`; without one what is open, or all of a queue of the policy.
    view: str = ""
    q: str = ""
    service: str = ""
    checks: str = ""
    who: str = ""
    # One of the policy's.
    queue: str = ""
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
    # Of the refusal that the notice proposes.
    reasons: Sequence[Reason]
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
    def may_be_granted(self) -> bool:
        """Whether it can be chosen for a grant: nobody else has it, and nobody's answer is awaited."""
        return self.clock.waits_for == "officer" and (self.is_mine or self.case.assigned_to_id is None)

    @property
    def waits_for_applicant(self) -> bool:
        return self.clock.waits_for == "applicant"

    @property
    def waits_for_hearing(self) -> bool:
        return self.clock.waits_for == "hearing"


@dataclass(frozen=True)
class Desk:
    rows: Sequence[QueueRow]
    total: int
    first: int
    has_next: bool
    counts: dict[str, int]
    by_rule_today: int
    by_officers_today: int
    for_me: int
    filters: Filters = field(default_factory=Filters)
    # Those of the policy and the officer's own, each with its number; one more than `queues.MOST_COUNTED` says more.
    queues: Sequence[tuple[DeskQueue, int]] = ()
    saved: Sequence[tuple[SavedView, int]] = ()

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def has_some_to_grant(self) -> bool:
        return any(row.may_be_granted for row in self.rows)

    @property
    def is_more(self) -> bool:
        """Whether more were found than are counted."""
        return self.total > MOST_FOUND and bool(self.filters.q.strip())

    @property
    def ends_early(self) -> bool:
        """Whether more were found than can be turned to, and this is the last page of these."""
        return self.is_more and not self.has_next


def _open_cases(officer: User) -> QuerySet[Case]:
    """Those that were just withdrawn among them, until the workflow closes them: no row shows one (`rows_of`)."""
    return conflicts_of_interest.of_others(Case.objects.filter(status=Status.OPEN), officer)


def _own_open_cases(officer: User) -> QuerySet[Case, uuid.UUID]:
    """The others, by their keys: mostly none. A page with several lists reads them once and leaves them out."""
    own = conflicts_of_interest.own_among(Case.objects.filter(status=Status.OPEN), officer)
    return own.values_list("pk", flat=True)


def _in_order(found: QuerySet[Case], *before: When) -> QuerySet[Case]:
    """Least time left in front; of equals those that came first. The index `cases_by_due_time` has this order."""
    return found.order_by(*before, F("due_at").asc(nulls_first=True), "started_at", "id")


def _ours_first() -> When:
    """What waits for us before what waits for the applicant: for views that have both."""
    return When(Where(APPLICANTS_TURN, then=1), default=0)


def views_of(officer: User, now: dt.datetime) -> dict[str, Q]:
    """Which cases are in which view. An hour is one of the office's hours, as the clocks count them."""
    in_an_hour = policy.add(start=now, allowance=HOUR, calendar=calendar())
    return {
        "open": OUR_TURN,
        "late": OUR_TURN & Q(late_at__lte=now),
        "hour": OUR_TURN & Q(due_at__gte=now, due_at__lte=in_an_hour),
        "mine": Q(assigned_to=officer),
        "applicant": APPLICANTS_TURN,
        "second": Q(waits_for="second"),
        "mentioned": Q(pk__in=notes.unseen_cases(officer)),
    }


# What the filters leave of a view, beside the number of cases in each.
SHOWN = "shown"
VIEWS = ("open", "late", "hour", "mine", "applicant", "second", "mentioned")


def desk(*, officer: User, filters: Filters, now: dt.datetime) -> Desk:
    """One page of the queue, put on record."""
    views = views_of(officer, now)
    view, asked, of_policy = _view_of(filters), filters.q.strip(), policy_in_force().queues
    saved, used, of_officer = queues.saved_views(officer), queues.marks_in_use(officer), _own_open_cases(officer)
    together.ask(saved, used, of_officer)
    own = list(of_officer)
    fitting = queues.Fitting(used, now)
    fits = views.get(view, Q()) & _fits(filters, officer, fitting)
    others = Case.objects.filter(fits, status=Status.OPEN).exclude(pk__in=own)
    besides = {f"queue:{each.key}": fitting.queue(each.key) for each in of_policy}
    besides |= {f"saved:{each.pk}": _saved(each, officer, views, fitting) for each in saved}
    counts_of = Counts(officer, own, views if asked or not _narrows(filters) else {**views, SHOWN: fits}, besides)
    some, decided, proposed = _up_to(others, MOST_FOUND), _decided_today(now), proposed_for_me(officer, own)
    order = [_ours_first()] if view in {"mine", "mentioned"} else []
    turned_to = min(filters.page, -(-MOST_FOUND // PER_PAGE)) if asked else filters.page
    page = _Page(_in_order(others, *order), turned_to, *counts_of.asked, decided, *proposed, *([some] if asked else []))
    counts = counts_of.found
    number = (some[0]["number"] if some else 0) if asked else counts[SHOWN if SHOWN in counts else view]
    page.turn_to_last(number)
    rows = rows_of(page.keys, officer=officer, now=now)
    record_looks([row.case.application for row in rows], officer=officer, where="queue", asked=filters.q, now=now)
    return Desk(
        rows=rows,
        total=number,
        first=page.start + 1,
        has_next=page.has_next and not (asked and page.number * PER_PAGE >= MOST_FOUND),
        counts=counts,
        by_rule_today=decided[0]["by_rule"],
        by_officers_today=decided[0]["all"] - decided[0]["by_rule"],
        for_me=counted(proposed),
        filters=replace(shown_as(filters), page=page.number),
        queues=[(each, counts[f"queue:{each.key}"]) for each in of_policy],
        saved=[(each, counts[f"saved:{each.pk}"]) for each in sorted(saved, key=lambda each: each.name)],
    )


def shown_as(filters: Filters) -> Filters:
    """With the view that is shown for what was asked."""
    return replace(filters, view=_view_of(filters))


def _view_of(filters: Filters) -> str:
    """Without one named, all that is open, or all of a queue of the policy."""
    return filters.view if filters.view in VIEWS else "" if filters.queue else "open"


def _saved(saved: SavedView, officer: User, views: dict[str, Q], fitting: queues.Fitting) -> Q:
    filters = Filters(**{name: getattr(saved, name) for name in SAVED})
    return views.get(_view_of(filters), Q()) & _fits(filters, officer, fitting)


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
    return any((filters.q.strip(), filters.service, filters.checks, filters.who, filters.queue))


def _fits(filters: Filters, officer: User, fitting: queues.Fitting) -> Q:
    """What is asked for besides the saved view. A search finds cases by the beginning of each word of a name, of each
    part of their number, of a company number. By no address: that is asked within a case or for a demand
    (`searching`)."""
    found = Q(service=filters.service) if filters.service else Q()
    match filters.who:
        case "me":
            found &= Q(assigned_to=officer)
        case "nobody":
            found &= Q(assigned_to__isnull=True)
    if filters.checks in {"failed", "waiting", "passed"}:
        found &= fitting.checks(filters.checks)
    if filters.queue:
        found &= fitting.queue(filters.queue)
    if not filters.q.strip():
        return found
    words = queue_columns.words_asked(filters.q)
    return found & (Q(words__contains=sorted(words)) if words else Q(pk__in=[]))


# -- rows ----------------------------------------------------------------------------------------------------------


@dataclass
class Counts:
    """How many open cases are in each view, without the officer's own. All of a view are counted by an index that
    has little else in it; the officer's own are few. `besides` are queues of the policy and saved views, which are
    counted up to a number."""

    officer: User
    own: Collection[uuid.UUID]
    views: dict[str, Q]
    besides: dict[str, Q]

    def __post_init__(self) -> None:
        whole = Case.objects.filter(status=Status.OPEN)
        self._names = {name: f"n{at}" for at, name in enumerate([*self.views, *self.besides])}
        fits = {**self.views, **self.besides}
        own = {self._names[name]: Count("pk", filter=each) for name, each in fits.items()} if self.own else {}
        self._own = [together.totals(whole.filter(pk__in=self.own), **own)] if own else []
        self._besides = queues.counted(whole, self.besides, self.officer)
        self._all = {name: together.totals(whole.filter(fits), number=Count("*")) for name, fits in self.views.items()}

    @property
    def asked(self) -> list[QuerySet[Any, Any]]:
        return [*self._own, *self._all.values(), *([self._besides] if self.besides else [])]

    @property
    def found(self) -> dict[str, int]:
        whole = {name: found[0]["number"] if found else 0 for name, found in self._all.items()}
        whole |= {name: self._besides[0][f"n{at}"] for at, name in enumerate(self.besides)}
        own = self._own[0][0] if self._own else {}
        return {name: number - own.get(self._names[name], 0) for name, number in whole.items()}


def _up_to(found: QuerySet[Case], most: int) -> QuerySet[Case, dict[str, Any]]:
    """Their number; one more than `most` where there are more."""
    some = Case.objects.filter(pk__in=found.order_by().values("pk")[: most + 1])
    return together.totals(some, number=Count("*"))


class _Page:
    """The keys of one page's rows, each of a case and of its application, read together with `also`."""

    def __init__(self, found: QuerySet[Case], number: int, *also: QuerySet[Any, Any]) -> None:
        self._found, self.number = found.values_list("pk", "application"), max(1, number)
        self._read(*also)

    def _read(self, *also: QuerySet[Any, Any]) -> None:
        read = self._found[self.start : self.start + PER_PAGE + 1]
        together.ask(read, *also)
        self.keys, self.has_next = list(read[:PER_PAGE]), len(read) > PER_PAGE

    @property
    def start(self) -> int:
        return (self.number - 1) * PER_PAGE

    def turn_to_last(self, total: int) -> None:
        """Where nothing stands on the page that was asked for."""
        if not self.keys and self.number > 1:
            self.number = max(1, -(-total // PER_PAGE))
            self._read()


def rows_of(keys: Iterable[tuple[Any, Any]], *, officer: User, now: dt.datetime) -> list[QueueRow]:
    """The cases of one page with what a row of it shows, in one statement; `keys` are those of the case and of its
    application. One that was just withdrawn has no row. A row has a name, so it has no address: no list tells who is
    where. Checks are not loaded, only counted."""
    pairs = list(keys)
    if not pairs:
        return []
    counted = check_queries.counted([f"application:{application}" for _case, application in pairs])
    by_key = {case.pk: case for case in queries.read_cases([case for case, _application in pairs], counted)}
    cases = [by_key[key] for key, _application in pairs if by_key[key].application.status != Progress.WITHDRAWN]
    checks: dict[str, list[tuple[Kind, str, bool]]] = defaultdict(list)
    for subject, title, outcome, required, count, _place in counted:
        checks[subject].append((Kind(title, count), outcome, required))
    may = people.has_rank(officer, "director"), seconding.is_new(officer, now)
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
    reasons = [rules_of_case.reasons[code] for code in notice.codes] if notice else []
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
        reasons=reasons,
        cannot_second=None
        if notice is None
        else rules.may_second(
            proposer=notice.proposed_by_id,
            second=people.accounts_of(officer),
            is_director=is_director,
            reasons=reasons,
            ripe=is_ripe(notice, now),
            is_new=is_new,
            is_heard=notice.hearing != HearingState.ASKED,
        ),
        is_mine=case.assigned_to_id == officer.pk,
    )


def _decided_today(now: dt.datetime) -> QuerySet[Decision, dict[str, Any]]:
    midnight = now.astimezone(calendar().zone_info).replace(hour=0, minute=0, second=0, microsecond=0)
    today = Decision.objects.filter(at__gte=midnight, at__lte=now, voided_at__isnull=True)
    return together.totals(today, all=Count("*"), by_rule=Count("pk", filter=Q(decided_by__startswith="rule:")))


def next_for(*, officer: User, now: dt.datetime, after: Case | None, filters: Filters) -> Case | None:
    """The one with the least time left that fits the filter, is the officer's or nobody's, and waits for an officer."""
    fits = views_of(officer, now).get(_view_of(filters), Q()) & Q(waits_for="officer")
    free = _open_cases(officer).filter(fits, Q(assigned_to=officer) | Q(assigned_to__isnull=True))
    fitting = queues.Fitting(queues.marks_in_use(officer), now)
    left = free.filter(_fits(filters, officer, fitting)).exclude(application__status=Progress.WITHDRAWN)
    left = left if after is None else left.exclude(pk=after.pk)
    for key in _in_order(left).values_list("pk", flat=True)[:1]:
        return queries.cases().get(pk=key)
    return None


@dataclass(frozen=True)
class Proposals:
    rows: Sequence[QueueRow]
    mine: int
    total: int
    # Corrections of the calendar that wait for this officer.
    of_calendar: int
    first: int
    page: int
    has_next: bool

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def proposals(*, officer: User, page: int, now: dt.datetime) -> Proposals:
    """What waits for a second officer, those first that this officer may decide. One page, put on record."""
    found = _open_cases(officer).filter(proposed_by__isnull=False)
    mine = _for_me(officer, is_director=people.has_rank(officer, DIRECTOR))
    totals = together.totals(found, all=Count("*"), mine=Count("proposed_by", filter=mine))
    for_me_first = When(Where(mine, then=0), default=1)
    of_calendar = calendars.waiting_for(officer)
    shown = _Page(_in_order(found, for_me_first, _ours_first()), page, totals, of_calendar)
    shown.turn_to_last(totals[0]["all"])
    rows = rows_of(shown.keys, officer=officer, now=now)
    record_looks([row.case.application for row in rows], officer=officer, where="approvals", now=now)
    numbers = totals[0]["mine"], totals[0]["all"], of_calendar[0]["number"]
    return Proposals(rows, *numbers, shown.start + 1, shown.number, shown.has_next)


def for_me(*, officer: User) -> int:
    """How many proposals this officer may decide now, for the navigation: one query and no clock. Of refusals and of
    revocations, with suspensions before a hearing."""
    asked = proposed_for_me(officer)
    together.ask(*asked)
    return counted(asked)


def proposed_for_me(
    officer: User, own: Collection[uuid.UUID] | None = None
) -> tuple[QuerySet[Case, dict[str, Any]], ...]:
    """Refusals and revocations, each counted, for `counted`; `own` are the officer's own open cases, where known."""
    is_director = people.has_rank(officer, DIRECTOR)
    found = _open_cases(officer) if own is None else Case.objects.filter(status=Status.OPEN).exclude(pk__in=own)
    refusals = found.filter(_for_me(officer, is_director=is_director), proposed_by__isnull=False)
    revoked = Case.objects.filter(status=Status.DECIDED, pk__in=_to_revoke(officer, is_director).values("case"))
    revoked = conflicts_of_interest.of_others(revoked, officer)
    return together.totals(refusals, number=Count("*")), together.totals(revoked, number=Count("*"))


def counted(asked: Iterable[QuerySet[Case, dict[str, Any]]]) -> int:
    return sum(int(each[0]["number"]) for each in asked)


def _for_me(officer: User, *, is_director: bool) -> Q:
    """Proposals of others that were heard and that need no higher rank."""
    others = Q(waits_for="second") & ~Q(proposed_by__in=people.accounts_of(officer))
    return others if is_director else others & Q(second_rank="")


def _to_revoke(officer: User, is_director: bool) -> QuerySet[Notice]:
    """The same of revocations; and for a Director those that may begin before the holder is heard. What was not
    decided in its time the clock drops."""
    is_heard = Q(hearing_asked_at__isnull=True) | Q(hearing_over_at__isnull=False)
    is_ripe = Q(answered_at__isnull=False) | Q(ran_out_at__isnull=False)
    may = is_heard & is_ripe
    if is_director:
        was_first = Revocation.objects.filter(case=OuterRef("case"), before_hearing=True)
        may |= Q(~Exists(was_first), before_hearing=True)
    else:
        may &= Q(rank="")
    standing = Notice.objects.filter(decide_by__isnull=False, withdrawn_at__isnull=True, concluded_at__isnull=True)
    return standing.filter(may).exclude(proposed_by__in=people.accounts_of(officer))
