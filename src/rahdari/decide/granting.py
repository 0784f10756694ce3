"""Grants: by rule or by an officer, each on passed checks; then the register, or back to an officer."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.urls import reverse

from rahdari.apply import actions as apply
from rahdari.apply.models import Application
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.verify import actions as verify
from rahdari.verify.models import Check

from . import clocks, queries, rules
from .acting import close, in_own_hands, lock, move_of, record, wake, write
from .models import Case, Decision
from .rules import Lane, Outcome, Status


class ChecksMissing(Exception):
    """A grant stands on passed checks. `.missing` are those that did not pass."""

    def __init__(self, missing: Sequence[rules.CheckFact]) -> None:
        super().__init__(f"{len(missing)} checks did not pass")
        self.missing = tuple(missing)


@transaction.atomic
def decide_by_rule(*, application: Application, checks: Sequence[Check], now: dt.datetime) -> Case:
    """Grant when every required check passed, else open a case for an officer. A second call changes nothing."""
    case, is_new = Case.objects.get_or_create(
        application=application,
        defaults={"lane": Lane.AUTOMATIC, "opened_at": now, "started_at": _started_at(application, checks)},
    )
    if not is_new:
        return lock(case)
    case = lock(case)
    frozen = clocks.policy_of(application)
    actor = f"rule:{frozen.version}"
    service = frozen.services[application.service]
    result = rules.assess(rules=service.checks, facts=queries.checks_to_facts(checks))
    if isinstance(result, rules.NotYet):
        case.lane = Lane.REVIEW
        case.save(update_fields=["lane"])
        missing = sorted({fact.kind for fact in result.missing})
        record(case, "opened_case", actor, now, detail={"missing": missing})
        return case
    move_of(case, "grant_by_rule")
    _decide_grant(case, decided_by=actor, text="", now=now)
    record(case, "granted_by_rule", actor, now, detail={"passed": result.passed})
    return queries.cases().get(pk=case.pk)


def _started_at(application: Application, found: Sequence[Check]) -> dt.datetime:
    """From receipt; while the applicant still owed the proof of an address, the clock had not begun."""
    proofs = [check.answered_at for check in found if check.kind == "control" and check.answered_at is not None]
    return max([application.submitted_at, *proofs]) if application.submitted_at else max(proofs)


def _decide_grant(case: Case, *, decided_by: str, text: str, now: dt.datetime) -> Decision:
    decision = Decision.objects.create(
        case=case,
        outcome=Outcome.GRANTED,
        text=text,
        decided_by=decided_by,
        rule_version=clocks.policy_of(case.application).version,
        at=now,
    )
    close(case, Status.DECIDED, now)
    apply.close_application(application=case.application, outcome="granted", actor=decided_by, now=now)
    wake()
    return decision


@transaction.atomic
def grant(*, case: Case, officer: User, text: str = "", now: dt.datetime) -> Decision:
    """An officer's grant. It stands on passed checks, as the rule's does; what was found by hand is recorded first."""
    case = lock(case)
    actor = in_own_hands(case, officer)
    move_of(case, "grant")
    missing = queries.missing_for_grant(case)
    if isinstance(missing, rules.NotYet):
        raise ChecksMissing(missing.missing)
    decision = _decide_grant(case, decided_by=actor, text=text.strip(), now=now)
    record(case, "granted", actor, now)
    return decision


@transaction.atomic
def mark_entered(*, decision: Decision, registration: Registration, now: dt.datetime) -> Decision:
    """The grant is on the register: the applicant is told. A second call changes nothing."""
    case = lock(decision.case)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.entered_at is not None:
        return decision
    decision.entered_at, decision.registration = now, registration
    decision.save(update_fields=["entered_at", "registration"])
    record(case, "entered", "system:line", now, detail={"registration": registration.reference})
    service = clocks.policy_of(case.application).services[case.application.service]
    write(
        case,
        "application_granted",
        now,
        registration=registration.reference,
        valid_until=registration.valid_until,
        service=service.title,
        url=reverse("portal:registration", args=[registration.reference]),
    )
    return decision


@transaction.atomic
def return_grant(*, decision: Decision, why: str, now: dt.datetime) -> Case:
    """A grant that cannot be entered goes back to an officer: voided, on record, and the case is open again."""
    case = lock(decision.case)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.voided_at is not None or decision.entered_at is not None:
        return case
    move_of(case, "return_grant")
    decision.voided_at, decision.voided_why = now, why
    decision.save(update_fields=["voided_at", "voided_why"])
    case.status, case.lane, case.decided_at = Status.OPEN, Lane.REVIEW, None
    case.save(update_fields=["status", "lane", "decided_at"])
    apply.reopen_application(application=case.application, actor="system:line", now=now)
    # The world moved since the check was made: the officer is shown what the register holds now.
    verify.look_again(subject=case.application.subject, kind="not_registered", now=now)
    record(case, "returned_grant", "system:line", now, detail={"why": why})
    return queries.cases().get(pk=case.pk)
