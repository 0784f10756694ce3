"""Reads of the desk. `case_for_officer` is the gatekeeper: it opens a file for an officer and records that it did.

What an applicant is shown of a case goes through `open_question`, `open_notice`, `refusal_of` and
`history_for_applicant`; the caller has made sure that the application is theirs (`apply.queries`).
"""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet

from rahdari.apply import pending
from rahdari.apply import subjects as apply_subjects
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.checks.models import Check, Roster
from rahdari.checks.names import is_same_name, names_an_organisation
from rahdari.db import together
from rahdari.db.asked import Asked, Later
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.journal import queries as record
from rahdari.journal import registry
from rahdari.journal.models import JournalEntry as Row
from rahdari.journal.registry import Reader
from rahdari.people import queries as people
from rahdari.people.access import actor_of as people_actor
from rahdari.people.models import Role, User
from rahdari.policy import CheckRule, add
from rahdari.publish import queries as publish
from rahdari.publish.models import Operator

from . import rules
from .case_clock import (
    ClockFace,
    allowance_of,
    appeal_until,
    calendar,
    clock_of,
    clock_of_application,
    notice_allowance,
    notice_due_at,
    policy_in_force,
    policy_of,
    question_due_at,
)
from .conflicts_of_interest import is_own as is_own
from .conflicts_of_interest import of_others as of_others
from .conflicts_of_interest import own_of as own_of
from .conflicts_of_interest import own_subjects as own_subjects
from .conflicts_of_interest import recused_from as recused_from
from .conflicts_of_interest import without_recusals as without_recusals
from .due import (
    clocks_to_run,
    may_be_changed_until,
    notices_due_between,
    provisional_grants,
    provisional_with_news,
    questions_due_between,
    readable_until,
    registrations_on_hold,
)
from .models import Case, CaseQuestion, Decision, Notice
from .pending_automatic import is_untouched, not_looked_at_since, with_news, with_proofs_that_came_late
from .remedies import (
    Refusal,
    RefusedFor,
    last_revocation,
    notice_about,
    provisions_of,
    reason_with_law,
    refused_before,
    remedies_after,
    remedies_of,
    written_to,
)
from .rules import Outcome, Status

__all__ = [
    "CaseNotFound",
    "ClockFace",
    "Refusal",
    "RefusedFor",
    "WhyMissing",
    "actor_of",
    "allowance_of",
    "answered_applications",
    "assessment_of",
    "awaiting_answer",
    "case_for_officer",
    "case_of",
    "cases_of",
    "clock_of",
    "clock_of_application",
    "clocks_to_run",
    "counting",
    "decision_of",
    "facts_of",
    "goes_to_an_officer_at",
    "grants_not_entered",
    "history",
    "history_for_applicant",
    "is_settled",
    "is_untouched",
    "last_revocation",
    "may_be_changed_until",
    "not_looked_at_since",
    "notice_about",
    "notice_due_at",
    "notices_due_between",
    "open_notice",
    "open_question",
    "policy_in_force",
    "policy_of",
    "provisional_from",
    "provisional_grants",
    "provisional_with_news",
    "provisions_of",
    "question_due_at",
    "questions_due_between",
    "readable_until",
    "reason_with_law",
    "refusal_of",
    "refused_before",
    "registrations_on_hold",
    "remedies_after",
    "remedies_of",
    "undecided_applications",
    "with_news",
    "with_proofs_that_came_late",
    "written_to",
]


STANDING_GRANTS = Q(outcome=Outcome.GRANTED, voided_at__isnull=True)
# Of an application for many addresses each one is proved, and each proof is a row.
LONGEST_HISTORY = 2000
# What may be the number of an application or of a registration.
NUMBER = re.compile(r"[A-Z]+-[A-Z0-9-]+")
WITH_A_CASE = ("application", "application__applicant", "application__organisation")


class CaseNotFound(RahdariError):
    """There is no such case, or it is not for you: nobody learns which. `.reference` is what was asked for."""

    says = "no case {reference!r} for this officer"
    reference: str


class WhyMissing(RahdariError):
    """The case is decided or closed: whoever opens its file says why. `.reference`."""

    says = "no reason was given for opening {reference!r} again"
    reference: str


def cases() -> QuerySet[Case]:
    """Cases with all that their standing and their clock are computed from."""
    return _with_events(Case.objects.select_related(*WITH_A_CASE))


def read_cases(keys: Sequence[uuid.UUID], *also: QuerySet[Any, Any]) -> list[Case]:
    """The same of these keys, read in one statement with whatever else is asked."""
    found = Case.objects.select_related(*WITH_A_CASE, "assigned_to").filter(pk__in=keys).order_by()
    read_events(found, keys, *also)
    return list(found)


def read_events(found: QuerySet[Case] | Sequence[Case], keys: Sequence[uuid.UUID], *also: QuerySet[Any, Any]) -> None:
    """All that the standing and the clock of these cases are computed from, in one statement with whatever else is
    asked: with the cases themselves, where they are a query."""
    events = {name: rows.filter(case__in=keys) for name, rows in _events().items()}
    together.ask(*([found] if isinstance(found, QuerySet) else []), *events.values(), *also)
    for name, rows in events.items():
        together.share(found, name, rows, by="case")


def _events() -> dict[str, QuerySet[Any]]:
    return {
        "questions": CaseQuestion.objects.order_by("asked_at", "id"),
        "notices": Notice.objects.select_related("proposed_by").order_by("sent_at", "id"),
        "decisions": Decision.objects.select_related("registration").order_by("at", "id"),
    }


def _with_events(found: QuerySet[Case]) -> QuerySet[Case]:
    return found.select_related("assigned_to").prefetch_related(*(Prefetch(*each) for each in _events().items()))


# -- for the line ------------------------------------------------------------------------------------------------


def undecided_applications() -> QuerySet[Application]:
    """Sent, checks opened, and no case yet; those received first in front."""
    waiting: QuerySet[Application] = pending.awaiting_rule()
    return waiting


def answered_applications(now: dt.datetime) -> QuerySet[Application]:
    """Of these the ones of which a check was answered just now, and none waits."""
    found = undecided_applications().filter(pk__in=apply_subjects.named_by(checks.just_answered(now)))
    found = found.alias(known_as=apply_subjects.SUBJECT)
    return found.filter(~Exists(checks.waiting_checks().filter(subject=OuterRef("known_as")).order_by()))


def grants_not_entered() -> QuerySet[Decision]:
    return (
        Decision.objects.filter(outcome=Outcome.GRANTED, entered_at__isnull=True, voided_at__isnull=True)
        .select_related("case", "case__application", "case__application__organisation", "case__application__applicant")
        .order_by("at", "id")
    )


def cases_out_of_time(now: dt.datetime) -> QuerySet[Case]:
    """Open cases whose time to decide is over and of which nobody was told yet, those longest over first."""
    late = Case.objects.filter(status=Status.OPEN, escalated_at__isnull=True, late_at__lte=now)
    return late.exclude(waits_for="applicant").order_by("late_at", "id")


def left_by_officers() -> QuerySet[Case]:
    """Open cases in the hands of somebody who holds no post of the desk any more."""
    posts = people.all_posts().filter(role__in=[Role.OFFICER, Role.SUPERVISOR], user__is_active=True)
    left = Case.objects.filter(status=Status.OPEN, assigned_to__isnull=False)
    left = left.filter(~Exists(posts.filter(user=OuterRef("assigned_to")).order_by()))
    return left.exclude(application__status="withdrawn").order_by("started_at", "id")


def facts_of(application: Application, found: Sequence[Check], now: dt.datetime) -> list[rules.CheckFact]:
    """The checks as the rules need them; of one that waits, whether the clock of its rule is over."""
    asked = application.checks_in(policy_of(application).services[application.service])
    return [
        rules.CheckFact(
            check.kind,
            check.target,
            str(check.outcome),
            (check.title.get("en", ""), check.title.get("ur", "")),
            past_clock=_is_past_its_clock(application, check, asked, now),
        )
        for check in found
    ]


def _is_past_its_clock(application: Application, check: Check, asked: Sequence[CheckRule], now: dt.datetime) -> bool:
    rule = next((one for one in asked if one.kind == check.kind and one.roster in {None, check.target}), None)
    if rule is None or rule.provisional is None or check.outcome != "waiting":
        return False
    if rule.kind == "control":
        # It waits as long as the applicant has not proved it, too: only an operator that is late lets it stand.
        return bool(check.facts.get("provisional"))
    stands = bool(check.facts.get("provisional"))
    return stands or now >= _past_its_clock_at(application, check, rule.provisional.after)


def _past_its_clock_at(application: Application, check: Check, clock: str) -> dt.datetime:
    if not clock:
        return check.opened_at
    return add(start=check.opened_at, allowance=policy_of(application).clocks[clock], calendar=calendar())


def provisional_from(application: Application, check: Check) -> dt.datetime | None:
    """From when a registration may stand without the answer of a check that waits; None where it may not."""
    rule = next((one for one in rules_of(application) if one.kind == check.kind and not one.roster), None)
    if rule is None or rule.provisional is None or check.kind == "control":
        return None
    return _past_its_clock_at(application, check, rule.provisional.after)


def is_settled(application: Application, found: Sequence[Check], now: dt.datetime) -> bool:
    """Whether the application can be decided: nothing is worth waiting for."""
    return rules.is_settled(rules=rules_of(application), facts=facts_of(application, found, now))


def rules_of(application: Application) -> tuple[CheckRule, ...]:
    """What the policy asks for. A code that waits for its confirmation lets nothing stand provisionally in production:
    what would wait under it goes to an officer."""
    policy = policy_of(application)

    def is_usable(rule: CheckRule) -> bool:
        return rule.provisional is None or policy.reasons[rule.provisional.reason].usable(
            settings.REASONS_TO_CONFIRM_ALLOWED
        )

    asked = application.checks_in(policy.services[application.service])
    return tuple(rule if is_usable(rule) else replace(rule, provisional=None) for rule in asked)


def assessment_of(application: Application, now: dt.datetime, found: Sequence[Check] | None = None) -> rules.Assessment:
    """Whoever has its checks already gives them along."""
    found = list(checks.checks_of(application.subject)) if found is None else found
    return rules.assess(rules=rules_of(application), facts=facts_of(application, found, now))


def is_in_an_organisations_name(
    application: Application, lists: Iterable[Roster] | None = None, operators: Iterable[Operator] | None = None
) -> bool:
    """Whether a private person applies in what reads like an organisation's name, or is that of an operator here, of
    the authority or an association of the rules, or of a firm on a list of firms, which are public. A renewal or a
    change goes on in the name that was granted. It is not asked whether such an organisation is registered: that would
    tell. `lists`: of firms (`checks.lists_of_firms`), and `operators`, from whoever has them."""
    name, registration = application.holder_name, application.registration
    if application.organisation_id is not None or not name:
        return False
    before = apply_subjects.last_granted_for(registration) if registration is not None else None
    if before is not None and before.holder_name == name:
        return False
    known = _names_here(application, publish.active_operators() if operators is None else operators)
    if names_an_organisation(name) or any(is_same_name(each, name) for each in known):
        return True
    return checks.is_a_firms_name(name, lists)


def _names_here(application: Application, operators: Iterable[Operator]) -> Iterator[str]:
    """Of the authority, associations and operators: everybody knows them."""
    rules_of_it = policy_of(application)
    associations = rules_of_it.attesting.associations if rules_of_it.attesting is not None else ()
    for title in (rules_of_it.authority, *(each.title for each in associations)):
        yield from (title.en, title.ur)
    for operator in operators:
        yield from (operator.name_en, operator.name_ur)


def counting(application: Application, found: Sequence[Check], now: dt.datetime) -> list[Check]:
    """Of these checks, all of the application's, those that the decision rests on: what passed, and what is required
    and has nothing to stand in for it."""
    not_needed = rules.stood_for(rules=rules_of(application), facts=facts_of(application, found, now))
    return [check for check in found if check.outcome == "passed" or (check.required and check.kind not in not_needed)]


def failed_besides(
    application: Application, found: Sequence[Check], now: dt.datetime
) -> list[tuple[Check, rules.Beside]]:
    """Of these checks, all of the application's, those that failed and on which the decision does not rest, and what
    that means."""
    counted, asked = counting(application, found, now), rules_of(application)
    passed = {check.kind for check in found if check.outcome == "passed"}
    passed |= rules.stood_for(rules=asked, facts=facts_of(application, found, now))
    not_passed = {rule.kind for rule in asked if rule.required} - passed
    places = {rule.kind: rule.instead_of for rule in asked if rule.instead_of}
    return [
        (
            check,
            rules.beside(required=check.required, instead_of=places.get(check.kind), not_passed=not_passed),
        )
        for check in found
        if check.outcome == "failed" and check not in counted
    ]


def goes_to_an_officer_at(decision: Decision) -> dt.datetime:
    """When a provisional grant whose awaited answer does not come goes to an officer."""
    rules = policy_of(decision.case.application).provisional
    until = decision.provisional_until or decision.at
    return until - dt.timedelta(days=rules.officer_days_before if rules else 0)


# -- for officers ------------------------------------------------------------------------------------------------


def actor_of(officer: User) -> str:
    """How the journal names an officer: in the higher of the posts held."""
    return people_actor(officer, "supervisor" if people.is_supervisor(officer) else "officer")


def case_for_officer(*, officer: User, reference: str, now: dt.datetime, why: str = "") -> Case:
    """The case, with the read on record: who opened which file, when and why. The applicant can see that row.

    `why` is one of `words.WHY_AGAIN`, for a case that is not open any more; an open one is read to be decided. An
    officer's own application is none of their cases: as its applicant they see what every applicant sees. Nor is one
    from which they are recused.
    Raises CaseNotFound, WhyMissing.
    """
    asked = reference.replace("\0", "")  # PostgreSQL takes no NUL, and a forged reference is an unknown one
    found = Case.objects.select_related(*WITH_A_CASE, "assigned_to").filter(application__reference=asked)
    case = without_recusals(found, officer).first() if people.is_officer(officer) else None
    if case is None or is_own(case.application, officer):
        raise CaseNotFound(reference)
    if case.status != Status.OPEN and not why:
        raise WhyMissing(asked)
    journal.record(
        act="decide.read_case",
        actor=actor_of(officer),
        subject=case.application.subject,
        now=now,
        reason=reason_of(case, why),
        ground=ground_of(case, why),
        detail={"case": str(case.pk)},
    )
    read_events([case], [case.pk])
    return case


def closed_case_for_officer(*, officer: User, reference: str) -> None:
    """Whether there is such a case for this officer and its file is opened with a reason. Raises CaseNotFound."""
    found = of_others(Case.objects.exclude(status=Status.OPEN), officer)
    asked = reference.replace("\0", "")
    if not people.is_officer(officer) or not found.filter(application__reference=asked).exists():
        raise CaseNotFound(reference)


# What a demand is the ground of: the word for it, and behind a new line the demand itself.
_DEMAND = "demand\n"


def for_demand(ground: str) -> str:
    """Why a file is opened for a demand, as the pages of a case keep it."""
    return _DEMAND + ground


def reason_of(case: Case, why: str) -> str:
    """Why its file is read, as the journal keeps it."""
    if why.startswith(_DEMAND):
        return "demand"
    return "decide" if case.status == Status.OPEN else why


def ground_of(case: Case, why: str = "") -> str:
    """On what a read of its file rests: the demand, or the rules under which it was sent."""
    if why.startswith(_DEMAND):
        return why.removeprefix(_DEMAND)
    return f"policy:{policy_of(case.application).version}"


def case_by_number(reference: str) -> Case | None:
    """For the room of demands, which names the one file of a demand. No gatekeeper."""
    return cases().filter(application__reference=reference).first()


def case_of(application: Application) -> Case | None:
    return cases_of([application]).get(application.pk)


_cases = Asked(
    lambda applications: Case.objects.select_related("assigned_to").filter(application__in=applications).order_by()
)
_events_of_cases = {
    name: Asked(lambda applications, name=name: _events()[name].filter(case__application__in=applications))
    for name in _events()
}


def cases_later(found: Sequence[Application]) -> list[Later[Any]]:
    """What `cases_of` asks, for `db.together.ahead`."""
    return [each.later([row.pk for row in found]) for each in (_cases, *_events_of_cases.values())]


def cases_of(found: Sequence[Application]) -> dict[uuid.UUID, Case]:
    """The cases of these applications, in four queries; those without a case are left out, and most have none when
    this is asked for the first time."""
    at_hand = {each.pk: each for each in found}
    cases = _cases(list(at_hand))
    for case in cases:
        case.application = at_hand[case.application_id]
    for name, events in _events_of_cases.items() if cases else ():
        together.share(cases, name, events(list(at_hand)), by="case")
    return {case.application_id: case for case in cases}


def decision_of(case: Case) -> Decision | None:
    """The decision that stands."""
    return next((decision for decision in case.decisions.all() if decision.voided_at is None), None)


def decided_before(application: Application) -> QuerySet[Decision, dict[str, Any]]:
    """How many decisions for this holder, or with this number, were `granted` and `refused` before, for the facts of a
    case."""
    before, refused = _of_holder(application), Q(outcome=Outcome.REFUSED)
    return together.totals(before, granted=Count("pk", filter=STANDING_GRANTS), refused=Count("pk", filter=refused))


def others_counted_with(application: Application) -> list[Application]:
    """Files of other holders of which these two counts tell."""
    counted = _of_holder(application).filter(STANDING_GRANTS | Q(outcome=Outcome.REFUSED))
    if application.organisation_id is not None:
        others = counted.exclude(case__application__organisation_id=application.organisation_id)
    else:
        others = counted.exclude(case__application__applicant_id=application.applicant_id)
    found = [each.case.application for each in others.select_related("case__application").order_by("id")]
    return list({each.pk: each for each in found}.values())


def _of_holder(application: Application) -> QuerySet[Decision]:
    """Decided before for this organisation or person, or by whoever else gave the same company or card number: an
    account costs nothing, so that counting by it alone says nothing."""
    others = Decision.objects.exclude(case__application=application)
    if application.organisation_id is not None:
        same = Q(case__application__organisation_id=application.organisation_id)
        if application.company_number:
            same |= Q(case__application__company_number=application.company_number)
        return others.filter(same)
    same = Q(case__application__applicant_id=application.applicant_id)
    if application.cnic_index:
        same |= Q(case__application__cnic_index=application.cnic_index)
    return others.filter(same, case__application__organisation__isnull=True)


def history(case: Case) -> QuerySet[Row]:
    """All that was done to, or read of, this file, newest first."""
    return record.about(case.application.subject)[:LONGEST_HISTORY]


def missing_for_grant(case: Case, now: dt.datetime, found: Sequence[Check] | None = None) -> rules.Assessment:
    return assessment_of(case.application, now, found)


def reference_of(text: str) -> str | None:
    """The case that is not open any more and is asked for by its own number, or by that of the registration to which it
    led: the queue shows open ones. Nobody finds one by a name or an address."""
    number = text.strip().upper()
    if not NUMBER.fullmatch(number):
        return None
    closed = Case.objects.exclude(status=Status.OPEN).values("application__reference", "decided_at").order_by()
    led_to = Decision.objects.filter(registration__reference=number).values("case")
    found = closed.filter(application__reference=number).union(closed.filter(pk__in=led_to))
    latest = found.order_by(F("decided_at").desc(nulls_first=True)).first()
    return latest["application__reference"] if latest else None


def due_of(clock: str, application: Application, now: dt.datetime) -> dt.datetime:
    """Until when an answer would be due if it were asked for now."""
    return add(start=now, allowance=policy_of(application).clocks[clock], calendar=calendar())


def due_of_notice(codes: Sequence[str], application: Application, now: dt.datetime) -> dt.datetime:
    allowance = notice_allowance(policy_of(application), list(codes))
    return add(start=now, allowance=allowance, calendar=calendar())


# -- for the applicant -------------------------------------------------------------------------------------------


def history_for_applicant(case: Case) -> list[Row]:
    """Reads are shown elsewhere, with who and when, on "who looked at my data"."""
    return list(record.about(case.application.subject).filter(act__in=registry.shown_to(Reader.APPLICANT)))


def open_question(case: Case) -> CaseQuestion | None:
    """The question that waits for the applicant, also one whose time is over but that may still be answered."""
    return next((one for one in case.questions.all() if one.answered_at is None), None)


def open_notice(case: Case) -> Notice | None:
    """The notice that stands: the applicant may answer it until the second officer decides."""
    return next((one for one in case.notices.all() if one.is_standing), None)


def awaiting_answer(application: Application) -> CaseQuestion | Notice | None:
    """What the applicant may answer now, with words and papers."""
    case = case_of(application)
    if case is None or application.status == "withdrawn":
        return None
    notice = open_notice(case)
    return open_question(case) or (notice if notice is not None and notice.may_answer else None)


def refusal_of(application: Application) -> Refusal | None:
    case = case_of(application)
    decision = decision_of(case) if case else None
    if decision is None or decision.outcome != Outcome.REFUSED or decision.appeal_until is None:
        return None
    policy = policy_of(application)
    reasons = tuple(reason_with_law(policy, code) for code in decision.codes)
    return Refusal(
        decision=decision,
        reasons=reasons,
        remedies=remedies_after(policy, decision.codes),
        notice_text=decision.notice.text if decision.notice else "",
        text=decision.text,
        at=decision.at,
        appeal_until=appeal_until(application, decision.appeal_until, decision.at) or decision.appeal_until,
        forum=policy.forum_for("officer_decision"),
    )
