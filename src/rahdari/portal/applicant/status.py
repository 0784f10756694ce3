"""The status of an application: what is awaited, from whom, until when; then when it was published and is in force."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.applicant.access_log import looks_at_application
from rahdari.applicant.awaiting import Awaited, awaited_of, clock_of, said_of_others, what_then
from rahdari.applicant.mobile_lines import line_for, operator_name
from rahdari.applicant.mobile_lines import standing_of as standing_at_operators
from rahdari.applicant.proofs import Proof, proofs_of
from rahdari.applicant.registration_status import standing_of
from rahdari.applicant.stages import (
    ENDED,
    MOVING,
    OVER,
    STANDS,
    YOUR_TURN,
    Facts,
    Said,
    Stage,
    said,
    said_of_operator,
    said_of_provisional,
    stage_of,
)
from rahdari.applicant.titles import service_title
from rahdari.apply import actions as apply_actions
from rahdari.apply import form_errors
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.confirm import queries as questions
from rahdari.confirm.models import SubscriberQuestion
from rahdari.decide import queries as decide
from rahdari.decide.models import Case, Decision
from rahdari.decide.words import why_held
from rahdari.fees import queries as fees
from rahdari.fees.models import Invoice
from rahdari.mobile.models import MobileNumber
from rahdari.people import queries as people
from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.policy import pricing
from rahdari.publish import queries as publish
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration
from rahdari.verify import contacts, words
from rahdari.verify import queries as verify
from rahdari.verify.kinds import KINDS, is_outside
from rahdari.verify.models import Check, Outcome
from rahdari.web import values
from rahdari.web.allowances import in_words

from . import shared, sharing
from .operator_way import stands_meanwhile
from .proof import ways_of


@dataclass(frozen=True)
class Overview:
    """All that the status page shows of one application."""

    application: Application
    stage: Stage
    case: Case | None
    decision: Decision | None
    registration: Registration | None
    standing: publish.OperatorStanding | None
    clock: decide.ClockFace | None
    checks: list[Check]
    # With those that are not for the applicant to see.
    every_check: list[Check]
    # What the decision rests on, of those that the applicant sees.
    counted: list[Check]
    proofs: list[Proof]
    line: MobileNumber | None = None
    # What is to be paid before it can be decided.
    invoice: Invoice | None = None
    # Operators' open questions, by the endpoint that they are about; and which of these endpoints a yes would prove.
    asked: Mapping[str, SubscriberQuestion] = field(default_factory=dict)
    with_their_operators: frozenset[str] = frozenset()

    @property
    def passed(self) -> int:
        return sum(check.outcome == Outcome.PASSED for check in self.counted)

    @property
    def answered(self) -> bool:
        return bool(self.checks) and all(check.outcome != Outcome.WAITING for check in self.checks)

    @property
    def checks_run(self) -> bool:
        """The seconds in which the checks run by themselves: nobody is waited for, and no time runs out."""
        waits = self.stage is not Stage.CHECKING or self.answered or bool(self.awaited)
        return not waits and (self.clock is None or self.clock.urgency == "calm")

    @property
    def points(self) -> list[tuple[str, str]]:
        """What did not pass, each with its title and a sentence."""
        language = get_language() or "en"
        return [
            (words.title_of(check, language), words.of_check(check))
            for check in self.counted
            if check.outcome == Outcome.FAILED
        ]

    @property
    def awaited(self) -> list[tuple[str, str, dt.datetime | None, SafeString | str]]:
        """What somebody else has to answer: its title, a sentence, until when, who was asked and when. Proofs and fees
        have places of their own."""
        language = get_language() or "en"
        found: list[tuple[str, str, dt.datetime | None, SafeString | str]] = []
        for check in self.checks:
            if check.outcome != Outcome.WAITING or KINDS[check.kind].stands_apart:
                continue
            of_others = next((each for each in self.awaited_of_others if each.check is check), None)
            due, asked, title = (of_others.due_at, of_others.asked, of_others.title) if of_others else (None, "", "")
            found.append((title or words.title_of(check, language), words.of_check(check), due, asked))
        return found

    @cached_property
    def awaited_of_others(self) -> list[Awaited]:
        return [awaited_of(self.application, check, self.asked) for check in self.checks if is_outside(check)]

    @property
    def waits_for_others(self) -> str:
        """The kind of check for whose answer everybody waits; empty while our own checks run, or an officer decides."""
        if self.stage is not Stage.CHECKING:
            return ""
        kinds = {check.kind for check in self.checks if is_outside(check)}
        return next((kind for kind in KINDS if kind in kinds), "")

    @property
    def asked_of_others(self) -> bool:
        """Whether somebody else was asked already, while the applicant's own proof is still to come."""
        return any(due is not None for _title, _text, due, _asked in self.awaited)

    def answer_due(self, check: Check) -> dt.datetime | None:
        """Until when whoever was asked answers a check; none when nobody was."""
        return awaited_of(self.application, check, self.asked).due_at if is_outside(check) else None

    @property
    def proved_at(self) -> dt.datetime | None:
        moments = [each.proof.validated_at for each in self.proofs if each.proof and each.proof.validated_at]
        return max(moments) if moments and len(moments) == len(self.proofs) else None

    @property
    def proved(self) -> list[Endpoint]:
        return [each.endpoint for each in self.proofs if each.is_proved]

    @property
    def unproved(self) -> list[Proof]:
        return [each for each in self.proofs if not each.is_proved]

    @property
    def with_operator(self) -> bool:
        """Nobody but operators is awaited: of each address without a proof, its operator was asked."""
        wanted = [each.endpoint.subject for each in self.unproved]
        return self.stage is Stage.PROOF and bool(wanted) and self.with_their_operators.issuperset(wanted)

    @property
    def is_your_turn(self) -> bool:
        return self.stage in YOUR_TURN and not self.with_operator

    @property
    def is_provisional(self) -> bool:
        """Registered, and something is still to come: it is never said that nothing is to be done."""
        return self.stage in STANDS and self.registration is not None and self.registration.is_provisional

    @property
    def said(self) -> Said:
        if self.with_operator:
            return said_of_operator()
        if self.is_provisional and self.registration is not None:
            return said_of_provisional(self.registration.valid_until)
        return said_of_others(kind) if (kind := self.waits_for_others) else said(self.stage)

    @property
    def to_prove(self) -> list[tuple[Proof, SubscriberQuestion | None, str]]:
        """Each address without a proof, with what its operator was asked, and the operator's name."""
        asked = {subject: self.asked[subject] for subject in self.with_their_operators}
        found = [(each, asked.get(each.endpoint.subject)) for each in self.unproved]
        return [(each, asked, operator_name(asked.operator) if asked else "") for each, asked in found]


def overview(application: Application, *, now: dt.datetime) -> Overview:
    case = decide.case_of(application)
    decision = decide.decision_of(case) if case else None
    registration = decision.registration if decision else None
    proofs = proofs_of(application)
    standing = (
        standing_at_operators(registration, _entries(application, registration, proofs)) if registration else None
    )
    # Whether somebody else has an address is shown only to whoever has proved control of it.
    proved = {each.endpoint.subject for each in proofs if each.is_proved}
    every = list(verify.checks_of(application.subject))
    checks = [check for check in every if check.kind != "not_registered" or check.target in proved]
    invoice = _open_invoice(application, checks)
    waits = any(check.outcome == Outcome.WAITING for check in checks)
    put = questions.questions_of(application.subject) if waits else ()
    asked = {each.target: each for each in put if each.is_open}
    facts = Facts(
        status=application.status,
        represent_waits=any(contacts.waits_for_a_code(check) for check in every),
        fee_waits=invoice is not None,
        control_waits=_control_waits(every, proofs),
        has_case=case is not None,
        question=str(case.standing.question) if case else "none",
        notice=str(case.standing.notice) if case else "none",
        decided=str(decision.outcome) if decision else "",
        entered=registration is not None,
        standing=standing_of(registration, now) if registration else "",
        published=standing is not None and standing.published_at is not None,
        in_force=len(standing.in_force) if standing else 0,
        operators=standing.operators_total if standing else 0,
        unreached=standing.unreached if standing else 0,
    )
    return Overview(
        application=application,
        stage=stage_of(facts),
        case=case,
        decision=decision,
        registration=registration,
        standing=standing,
        clock=decide.clock_of(case, now) if case else decide.clock_of_application(application, now),
        checks=checks,
        every_check=every,
        counted=[check for check in decide.counting(application, every, now) if check in checks],
        proofs=proofs,
        line=line_for(application) if application.is_mobile else None,
        invoice=invoice,
        asked=asked,
        with_their_operators=frozenset(verify.subjects_with_their_operators(asked)) if asked else frozenset(),
    )


def _entries(application: Application, registration: Registration, proofs: list[Proof]) -> list[Entry]:
    """Those that came of this application: a change has its own times, not those of what was there before. One that
    brought no address shows how the registration stands."""
    found = list(register.entries_of(registration))
    of_it = {each.endpoint.subject for each in proofs} if application.registration_id else set()
    return [entry for entry in found if entry.origin in of_it] or found


def _control_waits(every: list[Check], proofs: list[Proof]) -> bool:
    """Also in the moment before the checks of what was sent are opened: nobody is told then that nothing is missing."""
    if not every:
        return any(not each.is_proved for each in proofs)
    return any(check.kind == "control" and check.outcome == Outcome.WAITING for check in every)


def _open_invoice(application: Application, checks: list[Check]) -> Invoice | None:
    waits = any(check.kind == "fee" and check.outcome == Outcome.WAITING for check in checks)
    invoice = fees.invoice_of(application.subject) if waits and application.status == "submitted" else None
    return invoice if invoice is not None and invoice.paid_at is None else None


@login_required
@require_safe
def application(request: HttpRequest, reference: str) -> HttpResponse:
    """Where an application is worked on: its tasks while it is a draft, its status afterwards."""
    found = shared.application(request, reference, Act.PROVE).row
    if not apply.may(person(request), Act.PAPERS, application=found):
        if found.status not in {"draft", "submitted"}:
            return redirect("portal:home")
        return redirect("portal:prove_many", reference)
    return redirect("portal:tasks" if found.status == "draft" else "portal:status", reference=reference)


@login_required
@never_cache
@require_safe
def status(request: HttpRequest, reference: str) -> HttpResponse:
    found = shared.application(request, reference).row
    if found.status == "draft":
        return redirect("portal:tasks", reference=reference)
    seen = overview(found, now=timezone.now())
    in_force = len(seen.standing.in_force) if seen.standing else 0
    now = timezone.now()
    waits = _operator_clock(seen, now)
    of_others = seen.awaited_of_others if seen.waits_for_others else []
    context = {
        "application": found,
        "seen": seen,
        "stage": str(seen.stage),
        "said": seen.said,
        "operator_clock": waits,
        "answer_clock": clock_of([each for each in of_others if each.kind == seen.waits_for_others], now),
        "waits_for": seen.waits_for_others,
        "what_then": what_then(of_others, now),
        "decided_within": in_words(decide.allowance_of(found)) if of_others else "",
        "stands": seen.with_operator
        and all(stands_meanwhile(found, each.endpoint, apply.frozen_policy(found)) for each in seen.unproved),
        "here": _gate(seen.stage),
        "fee_to_come": fee_to_come(seen),
        "service": service_title(found.service),
        "is_moving": seen.stage in MOVING,
        "clock_words": _clock_words(seen.clock),
        "clock_tone": seen.clock.urgency.value if seen.clock and seen.clock.urgency in {"near", "late"} else "",
        "in_office_hours": seen.clock is not None and decide.allowance_of(found).unit == "working_hours",
        "checks_run": seen.checks_run,
        "shows_clock": not of_others
        and seen.stage in {Stage.CHECKING, Stage.REVIEW, Stage.SECOND, Stage.QUESTION, Stage.NOTICE},
        "may_withdraw": found.status == "submitted" and seen.decision is None,
        "may_prove": seen.stage in {Stage.CHECKING, Stage.REVIEW, Stage.QUESTION}
        and bool(ways_of(found, seen.every_check)),
        "may_pay": seen.invoice is not None and found.holder_ref in people.holders_for(person(request), Act.INVOICES),
        "to_share": sharing.to_share(found, seen.proved) if found.status == "submitted" else [],
        "is_over": seen.stage in OVER,
        "readable_until": decide.readable_until(found),
        "held": why_held(found, now),
        "is_ended": seen.stage in ENDED,
        "your_turn": seen.is_your_turn,
        "looks": looks_at_application(found),
        "state": f"{seen.stage}.{seen.passed}.{len(seen.unproved)}.{len(seen.asked)}.{in_force}",
    }
    return render(request, "portal/applicant/status.html", context)


def fee_to_come(seen: Overview) -> str:
    """What will be asked for when everything else has passed; empty when nothing will, or the invoice is written."""
    found = seen.application
    settled = any(check.kind == "fee" and check.outcome != Outcome.WAITING for check in seen.every_check)
    if found.status != "submitted" or settled:
        return ""
    rules = apply.frozen_policy(found)
    due = apply.what_is_due(found, rules, apply.endpoints_of(found))
    if not isinstance(due, pricing.Due) or fees.invoice_of(found.subject) is not None:
        return ""
    return form_errors.fee(due, rules.services[found.service], get_language() or "en")[0]


@dataclass(frozen=True)
class OperatorClock:
    """Until when the operators answer; of several, the one whose time is over first."""

    due_at: dt.datetime
    big: str
    share: float
    is_late: bool


def _operator_clock(seen: Overview, now: dt.datetime) -> OperatorClock | None:
    asked = [question for _proof, question, _name in seen.to_prove if question is not None]
    if not seen.with_operator:
        return None
    first = min(asked, key=lambda question: question.due_at)
    used = (now - first.asked_at) / max(first.due_at - first.asked_at, dt.timedelta(seconds=1))
    return OperatorClock(first.due_at, values.span_words(first.due_at - now), min(used, 1.0), first.due_at <= now)


def _clock_words(clock: decide.ClockFace | None) -> str:
    return values.span_words(clock.remaining) if clock else ""


def _gate(stage: Stage) -> str:
    match stage:
        case Stage.PROOF:
            return "prove"
        case Stage.GRANTED:
            return "register"
        case Stage.REGISTERED | Stage.PUBLISHED | Stage.NOWHERE:
            return "published"
        case Stage.IN_FORCE:
            return "done"
        case _:
            return "decision"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask once, then withdraw. What was decided already cannot be withdrawn."""
    found, by = shared.application(request, reference)
    if found.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    if request.method == "POST":
        try:
            apply_actions.withdraw_application(application=found, actor=by.actor, now=timezone.now())
        except apply_actions.MoveNotAllowed:
            messages.info(request, _("It was decided before you withdrew it. Nothing was changed."))
            return redirect("portal:application", reference=reference)
        messages.success(request, _("Your application is withdrawn."))
        return redirect("portal:home")
    return render(request, "portal/applicant/withdraw.html", {"application": found})
