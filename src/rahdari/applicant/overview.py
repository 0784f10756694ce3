"""How an application stands, all of it: what is awaited, from whom, until when; published and in force."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from rahdari import optional
from rahdari.apply.models import Application, Endpoint
from rahdari.checks import contacts, words
from rahdari.checks import queries as check_queries
from rahdari.checks.kinds import KINDS, is_outside
from rahdari.checks.models import Check, Outcome
from rahdari.confirm import queries as questions
from rahdari.confirm.models import SubscriberQuestion
from rahdari.control import queries as control_queries
from rahdari.db import together
from rahdari.db.asked import Later
from rahdari.decide import case_clock, hearings
from rahdari.decide import queries as decide
from rahdari.decide.models import Case, Decision, Hearing
from rahdari.decide.rules import HearingState, NoticeState, Status
from rahdari.publish import queries as publish
from rahdari.register import queries as register
from rahdari.register.models import Registration

from .awaiting import Awaited, awaited_of, others_text
from .lines import line_for, operator_name
from .lines import standings_of as standings_at_operators
from .proofs import Proof, proofs_by_application, proofs_later
from .registration_status import standing_of
from .stages import (
    STANDS,
    YOUR_TURN,
    Facts,
    Stage,
    StageText,
    beside_text,
    operator_text,
    provisional_text,
    revocation_text,
    stage_of,
    stage_text,
)


@dataclass(frozen=True)
class Overview:
    """All that the status page shows of one application."""

    application: Application
    now: dt.datetime
    case: Case | None
    decision: Decision | None
    standing: publish.OperatorStanding | None
    checks: list[Check]
    # With those that are not for the applicant to see.
    every_check: list[Check]
    proofs: list[Proof]
    # What is to be paid before it can be decided.
    invoice: Any  # a `fees.Invoice`, or None
    # Operators' open questions, by the endpoint that they are about; and which of these endpoints a yes would prove.
    asked: Mapping[str, SubscriberQuestion]
    with_their_operators: frozenset[str]

    @cached_property
    def stage(self) -> Stage:
        case, standing = self.case, self.standing
        return stage_of(
            Facts(
                status=self.application.status,
                represent_waits=any(
                    contacts.waits_for_a_code(check) and not check.facts.get("told_at") for check in self.every_check
                ),
                fee_waits=self.invoice is not None,
                control_waits=self._control_waits,
                has_case=case is not None,
                question=str(case.standing.question) if case else "none",
                notice=str(case.standing.notice) if case else "none",
                hearing=str(case.standing.hearing) if case else "none",
                decided=str(self.decision.outcome) if self.decision else "",
                entered=self.registration is not None,
                standing=standing_of(self.registration, self.now) if self.registration else "",
                published=standing is not None and standing.published_at is not None,
                in_force=len(standing.in_force) if standing else 0,
                operators=standing.operators_total if standing else 0,
                unreached=standing.unreached if standing else 0,
            )
        )

    @cached_property
    def hearing(self) -> Hearing | None:
        """The one that is set, where somebody asked to be heard about a notice and was not yet."""
        notice = decide.open_notice(self.case) if self.waits_for_hearing and self.case is not None else None
        return hearings.to_come(notice) if notice is not None else None

    @property
    def waits_for_hearing(self) -> bool:
        return self.case is not None and self.case.standing.hearing == HearingState.ASKED

    @property
    def _control_waits(self) -> bool:
        """Also in the moment before the checks of what was sent are opened: nobody is told then that nothing is
        missing."""
        if not self.every_check:
            return bool(self.unproved)
        return any(check.kind == "control" and check.outcome == Outcome.WAITING for check in self.every_check)

    @property
    def registration(self) -> Registration | None:
        return self.decision.registration if self.decision else None

    @cached_property
    def clock(self) -> case_clock.ClockFace | None:
        if self.case is not None:
            return case_clock.clock_of(self.case, self.now)
        return case_clock.clock_of_application(self.application, self.now)

    @cached_property
    def counted(self) -> list[Check]:
        """What the decision rests on, of those that the applicant sees."""
        counting = decide.counting(self.application, self.every_check, self.now)
        return [check for check in counting if check in self.checks]

    @cached_property
    def line(self) -> Any:
        return line_for(self.application) if self.application.is_mobile else None

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
    def looked_at(self) -> list[tuple[str, Check]]:
        """What the decision rests on, each with its title."""
        language = get_language() or "en"
        return [(words.title_of(check, language), check) for check in self.counted]

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
    def failed_besides(self) -> list[tuple[str, str, str]]:
        """What somebody who was asked did not confirm, and is in nobody's way: its title, a sentence, and what that
        changes."""
        language = get_language() or "en"
        return [
            (words.title_of(check, language), words.of_check(check), beside_text(what))
            for check, what in decide.failed_besides(self.application, self.every_check, self.now)
            if check in self.checks and KINDS[check.kind].is_asked
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
    def contact_is_told(self) -> bool:
        """Whether the contact on the list heard of the application, and has time to say no."""
        return any(contacts.waits_for_a_code(check) and check.facts.get("told_at") for check in self.every_check)

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
        return next((each.due_at for each in self.awaited_of_others if each.check is check), None)

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
        if self.may_be_revoked:
            return self.case is not None and self.case.standing.notice == NoticeState.RUNNING
        return self.stage in YOUR_TURN and not self.with_operator

    @property
    def may_be_revoked(self) -> bool:
        """It was decided, and an officer proposes to take back what came of it."""
        case = self.case
        return case is not None and case.status == Status.DECIDED and case.standing.notice != NoticeState.NONE

    @property
    def is_provisional(self) -> bool:
        """Registered, and something is still to come: it is never said that nothing is to be done."""
        return self.stage in STANDS and self.registration is not None and self.registration.is_provisional

    @property
    def text(self) -> StageText:
        if self.with_operator:
            return operator_text()
        if self.may_be_revoked:
            return revocation_text(is_your_turn=self.is_your_turn, is_suspended=self.stage is Stage.SUSPENDED)
        if self.is_provisional and self.registration is not None:
            return provisional_text(self.registration.valid_until)
        return others_text(kind) if (kind := self.waits_for_others) else stage_text(self.stage)

    @property
    def to_prove(self) -> list[tuple[Proof, SubscriberQuestion | None, str]]:
        """Each address without a proof, with what its operator was asked, and the operator's name."""
        asked = {subject: self.asked[subject] for subject in self.with_their_operators}
        found = [(each, asked.get(each.endpoint.subject)) for each in self.unproved]
        return [(each, asked, operator_name(asked.operator) if asked else "") for each, asked in found]


def invoice_of(application: Application) -> Any:
    """Its `fees.Invoice`, if there is one."""
    return optional.ask(__package__, "invoice_of", application.subject)


def overview(application: Application, *, now: dt.datetime) -> Overview:
    return overviews([application], now=now)[0]


def overviews(applications: Iterable[Application], *, now: dt.datetime) -> list[Overview]:
    """Of each of these applications, in as many queries as of one."""
    rows = list(applications)
    with together.ahead(*overviews_later(rows)):
        cases = decide.cases_of(rows)
        proofs = proofs_by_application(rows)
        every = check_queries.checks_of_subjects(row.subject for row in rows)
    decisions = {pk: decided for pk, case in cases.items() if (decided := decide.decision_of(case)) is not None}
    standings = _standings(rows, {pk: each.registration for pk, each in decisions.items() if each.registration}, proofs)
    seen = {row.subject: _seen(every.get(row.subject, []), proofs[row.pk]) for row in rows}
    waits = {
        subject: {check.kind for check in checks if check.outcome == Outcome.WAITING}
        for subject, checks in seen.items()
    }
    owing = [row.subject for row in rows if row.status == "submitted" and "fee" in waits[row.subject]]
    found = optional.joined(__package__, "invoices_by_subject", owing)
    invoices = {subject: each for subject, each in found.items() if each.paid_at is None}
    asked = questions.open_by_subject(subject for subject, kinds in waits.items() if kinds)
    targets = {target for each in asked.values() for target in each}
    with_operators = control_queries.subjects_with_their_operators(targets) if targets else set()
    return [
        Overview(
            application=row,
            now=now,
            case=cases.get(row.pk),
            decision=decisions.get(row.pk),
            standing=standings.get(row.pk),
            checks=seen[row.subject],
            every_check=every.get(row.subject, []),
            proofs=proofs[row.pk],
            invoice=invoices.get(row.subject),
            asked=asked.get(row.subject, {}),
            with_their_operators=frozenset(with_operators.intersection(asked.get(row.subject, ()))),
        )
        for row in rows
    ]


def overviews_later(rows: Sequence[Application]) -> list[Later[Any]]:
    """What `overviews` asks of each application, for `together.ahead`."""
    checks = check_queries.checks_later(row.subject for row in rows)
    return [*decide.cases_later(rows), *proofs_later(rows), *checks]


def _seen(every: list[Check], proofs: list[Proof]) -> list[Check]:
    """Whether somebody else has an address is shown only to whoever has proved control of it; what a number led to that
    may be somebody else's, to officers alone."""
    proved = {each.endpoint.subject for each in proofs if each.is_proved}
    told = filter(contacts.is_told, every)
    return [check for check in told if check.kind != "not_registered" or check.target in proved]


def _standings(
    rows: list[Application], entered: dict[uuid.UUID, Registration], proofs: dict[uuid.UUID, list[Proof]]
) -> dict[uuid.UUID, publish.OperatorStanding]:
    """By what came of each application: a change has its own times, not those of what was there before. One that
    brought no address shows how the registration stands."""
    entries = register.entries_by_registration(entered.values())
    groups = {}
    for row in rows:
        if (registration := entered.get(row.pk)) is not None:
            found = entries[registration.pk]
            of_it = {each.endpoint.subject for each in proofs[row.pk]} if row.registration_id else set()
            groups[row.pk] = registration, [entry for entry in found if entry.origin in of_it] or found
    return standings_at_operators(groups)
