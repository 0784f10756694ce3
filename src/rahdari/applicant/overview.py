"""How an application stands, all of it: what is awaited, from whom, until when; published and in force."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from rahdari.apply.models import Application, Endpoint
from rahdari.checks import contacts, words
from rahdari.checks import queries as check_queries
from rahdari.checks.kinds import KINDS, is_outside
from rahdari.checks.models import Check, Outcome
from rahdari.confirm import queries as questions
from rahdari.confirm.models import SubscriberQuestion
from rahdari.control import queries as control_queries
from rahdari.decide import queries as decide
from rahdari.decide.models import Case, Decision
from rahdari.fees import queries as fees
from rahdari.fees.models import Invoice
from rahdari.mobile.models import MobileNumber
from rahdari.publish import queries as publish
from rahdari.register import queries as register
from rahdari.register.models import Entry, Registration

from .awaiting import Awaited, awaited_of, said_of_others
from .mobile_lines import line_for, operator_name
from .mobile_lines import standing_of as standing_at_operators
from .proofs import Proof, proofs_of
from .registration_status import standing_of
from .stages import (
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
    every = list(check_queries.checks_of(application.subject))
    checks = [check for check in every if check.kind != "not_registered" or check.target in proved]
    invoice = _open_invoice(application, checks)
    waits = any(check.outcome == Outcome.WAITING for check in checks)
    put = questions.questions_of(application.subject) if waits else ()
    asked = {each.target: each for each in put if each.is_waiting}
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
        with_their_operators=frozenset(control_queries.subjects_with_their_operators(asked)) if asked else frozenset(),
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
