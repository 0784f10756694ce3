"""Grants: by rule or by an officer, each on passed checks; then the register, or back to an officer."""

import datetime as dt
from collections.abc import Sequence

from django.db import connection, transaction
from django.urls import reverse

from rahdari.address import format_block
from rahdari.apply import sending
from rahdari.apply.models import Application
from rahdari.checks import checking, kinds
from rahdari.checks.models import Check
from rahdari.checks.queries import checks_of as checks_of_subject
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.people.models import User
from rahdari.register import queries as register
from rahdari.register.models import Registration

from . import case_clock, pending_automatic, queries, rules, unreached_addresses
from .models import Case, Decision
from .rules import Lane, Status
from .transitions import WORKFLOW, Begun, begin, close, lock, record, write


class ChecksMissing(Exception):
    """A grant stands on passed checks. `.missing` are those that did not pass."""

    def __init__(self, missing: Sequence[rules.CheckFact]) -> None:
        super().__init__(f"{len(missing)} checks did not pass")
        self.missing = tuple(missing)


class NumberIsHeld(RahdariError):
    """Another organisation is registered under the company's number. `.application`"""

    says = "{application}"
    application: Application


@transaction.atomic
def decide_by_rule(*, application: Application, checks: Sequence[Check], now: dt.datetime) -> Case:
    """Grant when every required check passed, else open a case for an officer. A second call changes nothing."""
    case, is_new = Case.objects.get_or_create(
        application=application,
        defaults={"lane": Lane.AUTOMATIC, "opened_at": now, "started_at": _started_at(application, checks, now)},
    )
    if not is_new:
        return lock(case)
    sending.mark_looked_at(application=application)
    case = queries.cases().get(pk=case.pk)  # nobody else sees it yet
    _by_rule(case, _assessed(application, checks, now), now)
    return case


def _assessed(application: Application, checks: Sequence[Check], now: dt.datetime) -> rules.Assessment:
    """What the rule may do. Of a private person in what is, or reads like, an organisation's name an officer finds out
    whose it is."""
    found = unreached_addresses.held_against(queries.assessment_of(application, now, checks), application)
    if isinstance(found, rules.NotYet) or not queries.is_in_an_organisations_name(application):
        return found
    return rules.NotYet((rules.CheckFact(rules.NAME, application.subject, "failed"),))


def _by_rule(case: Case, result: rules.Assessment, now: dt.datetime) -> None:
    actor = f"rule:{case_clock.policy_of(case.application).version}"
    if isinstance(result, rules.NotYet):
        case.lane, case.assessed_at = Lane.REVIEW, now
        case.save(update_fields=["lane", "assessed_at"])
        missing = sorted({fact.kind for fact in result.missing})
        record(case, "opened_case", actor, now, detail={"missing": missing})
        return
    if case.lane != Lane.AUTOMATIC:  # it waited for an officer until now
        case.lane = Lane.AUTOMATIC
        case.save(update_fields=["lane"])
    if isinstance(result, rules.Provisional):
        begun = begin(case, "grant_provisionally", by=actor, now=now)
        _decide_grant(case, begun, now=now, provisional=result)
        detail = {"passed": result.passed, "awaited": sorted({fact.kind for fact in result.awaited})}
        record(case, "granted_provisionally", actor, now, reason=result.codes[0], detail=detail)
        return
    begun = begin(case, "grant_by_rule", by=actor, now=now)
    _decide_grant(case, begun, now=now)
    record(case, "granted_by_rule", actor, now, detail={"passed": result.passed})


@transaction.atomic
def decide_late(*, case: Case, now: dt.datetime) -> bool:
    """What a case waited for came before any officer touched it: the rule decides, as it would have at once.

    Returns whether it did. A case that an officer has taken, asked about or begun to refuse is the officer's.
    """
    case = lock(case)
    if not pending_automatic.is_untouched(case):
        return False
    found = list(checks_of_subject(case.application.subject))
    result = _assessed(case.application, found, now)
    returned = [decision.voided_at for decision in case.decisions.all() if decision.voided_at is not None]
    may = rules.may_decide_late(
        found=result,
        settled=queries.is_settled(case.application, found, now),
        returned=bool(returned),
        news=any(check.answered_at > max(returned) for check in found if check.answered_at) if returned else True,
    )
    if may:
        _by_rule(case, result, now)
    else:
        note_assessed(case=case, now=now)
    return may


def note_assessed(*, case: Case, now: dt.datetime) -> None:
    """The rule has looked, and changes nothing until another answer comes."""
    Case.objects.filter(pk=case.pk).update(assessed_at=now)


def _started_at(application: Application, found: Sequence[Check], now: dt.datetime) -> dt.datetime:
    """From receipt, or when the last answer came that was not ours to give: until then there was nothing to decide.

    What counts is when it came, not when we read it: an outage of ours makes us late.
    """
    answers = [
        rules.came_at(check.evidence, check.answered_at) if check.answered_at else now
        for check in found
        if kinds.is_for_others(check.kind, check.facts)
    ]
    return max([application.submitted_at or now, *answers])


def _decide_grant(
    case: Case, begun: Begun, *, now: dt.datetime, provisional: rules.Provisional | None = None
) -> Decision:
    decision = Decision.objects.create(
        case=case,
        outcome=begun.outcome,
        text=begun.words,
        decided_by=begun.actor,
        rule_version=case_clock.policy_of(case.application).version,
        at=now,
        provisional_until=case_clock.provisional_until(case.application, now) if provisional else None,
        provisional_codes=list(provisional.codes) if provisional else [],
    )
    close(case, begun.move.target, now)
    sending.close_application(application=case.application, outcome="granted", actor=begun.actor, now=now)
    wake()
    return decision


@transaction.atomic
def grant(*, case: Case, officer: User, text: str = "", now: dt.datetime) -> Decision:
    """An officer's grant. It stands on passed checks, as the rule's does; what was found by hand is recorded first.

    While a check waits past its clock it is a provisional one, as the rule's is.
    Raises ChecksMissing, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "grant", by=officer, now=now, words=text)
    found = unreached_addresses.held_against(queries.missing_for_grant(case, now), case.application)
    if isinstance(found, rules.NotYet):
        raise ChecksMissing(found.missing)
    provisional = found if isinstance(found, rules.Provisional) else None
    decision = _decide_grant(case, begun, now=now, provisional=provisional)
    record(case, "granted", begun.actor, now)
    return decision


def check_number(application: Application) -> None:
    """Hold the company's number of an application until the end of the transaction, in which its grant is entered.

    Raises NumberIsHeld when another organisation is registered under it by now, which nothing shows to agree. The
    database asks the same when the grant is entered.
    """
    goes_on = application.registration_id if application.registration and _stands(application.registration) else None
    with connection.cursor() as cursor:
        cursor.execute("SELECT decide_number_is_held(%s, %s)", [application.pk, goes_on])
        if cursor.fetchone()[0]:
            raise NumberIsHeld(application)


def _stands(registration: Registration) -> bool:
    return registration.struck_out_at is None and registration.expired_at is None


@transaction.atomic
def mark_entered(*, decision: Decision, registration: Registration, now: dt.datetime) -> Decision:
    """The grant is on the register: the applicant is told. A second call changes nothing."""
    case = lock(decision.case)
    decision = next(each for each in case.decisions.all() if each.pk == decision.pk)
    if decision.entered_at is not None:
        return decision
    decision.entered_at, decision.registration = now, registration
    decision.save(update_fields=["entered_at", "registration"])
    record(case, "entered", WORKFLOW, now, detail={"registration": registration.reference})
    service = case_clock.policy_of(case.application).services[case.application.service]
    provisional = {}
    if decision.is_provisional:
        codes = [case_clock.policy_of(case.application).reasons[code] for code in decision.provisional_codes]
        provisional = {"reason": codes, "code": decision.provisional_codes}
    write(
        case,
        "application_granted_provisionally" if decision.is_provisional else "application_granted",
        now,
        registration=registration.reference,
        valid_until=registration.valid_until,
        service=service.title,
        unreached=len(unreached_addresses.unreached_of(registration)),
        rests=registration.suspended_at is not None,
        **_what_changed(case.application, registration, now),
        url=reverse("portal:registration", args=[registration.reference]),
        **provisional,
    )
    return decision


def _what_changed(application: Application, registration: Registration, now: dt.datetime) -> dict[str, object]:
    """Of a renewal or a change: which addresses came in with it, which leave, and when. Nothing of a first grant."""
    if application.registration_id is None:
        return {}
    standing = [entry for entry in register.own_entries_of(registration) if entry.ended_at is None]
    leaving = [entry for entry in standing if entry.valid_until < registration.stays_until]
    came = [entry for entry in standing if entry.valid_from == now and entry not in leaving]
    return {
        "goes_on": True,
        "came": sorted({format_block(entry.block) for entry in came}),
        "leaving": sorted({format_block(entry.block) for entry in leaving}),
        "leaves_at": min((entry.valid_until for entry in leaving), default=None),
    }


@transaction.atomic
def confirm_grant(*, decision: Decision, now: dt.datetime) -> Decision:
    """What a provisional grant waited for came: it is a full one. A second call changes nothing.

    Raises ChecksMissing while something is still awaited, and NotPossibleNow once the case is with an officer.
    """
    case = lock(decision.case)
    decision = Decision.objects.get(pk=decision.pk)
    if not decision.is_provisional or decision.voided_at is not None:
        return decision
    begun = begin(case, "confirm_grant", by=f"rule:{decision.rule_version}", now=now)
    found = queries.assessment_of(case.application, now)
    if not isinstance(found, rules.Grantable):
        raise ChecksMissing(found.missing if isinstance(found, rules.NotYet) else found.awaited)
    decision.confirmed_at = now
    decision.save(update_fields=["confirmed_at"])
    record(case, "confirmed", begun.actor, now, detail={"passed": found.passed})
    return decision


@transaction.atomic
def return_provisional(*, decision: Decision, why: str, now: dt.datetime) -> Case:
    """What was awaited failed (`why`: answered) or did not come in time (`ending`): an officer decides anew.

    The entry stays as it is meanwhile. A second call changes nothing.
    """
    case = lock(decision.case)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.voided_at is not None or not decision.is_provisional:
        return case
    begin(case, "return_provisional", by=WORKFLOW, now=now)
    decision.voided_at, decision.voided_why = now, why
    decision.save(update_fields=["voided_at", "voided_why"])
    case.status, case.lane, case.decided_at = Status.OPEN, Lane.REVIEW, None
    case.save(update_fields=["status", "lane", "decided_at"])
    sending.reopen_application(application=case.application, actor=WORKFLOW, now=now)
    record(case, "returned_provisional", WORKFLOW, now, detail={"why": why})
    return queries.cases().get(pk=case.pk)


@transaction.atomic
def return_grant(*, decision: Decision, why: str, now: dt.datetime) -> Case:
    """A grant that cannot be entered goes back to an officer: voided, on record, and the case is open again."""
    case = lock(decision.case, with_checks=True)
    decision = Decision.objects.get(pk=decision.pk)
    if decision.voided_at is not None or decision.entered_at is not None:
        return case
    begin(case, "return_grant", by=WORKFLOW, now=now)
    decision.voided_at, decision.voided_why = now, why
    decision.save(update_fields=["voided_at", "voided_why"])
    case.status, case.lane, case.decided_at = Status.OPEN, Lane.REVIEW, None
    case.save(update_fields=["status", "lane", "decided_at"])
    sending.reopen_application(application=case.application, actor=WORKFLOW, now=now)
    # The world moved since the check was made: the officer is shown what the register holds now.
    checking.recheck(subject=case.application.subject, kind="not_registered", now=now)
    record(case, "returned_grant", WORKFLOW, now, detail={"why": why})
    return queries.cases().get(pk=case.pk)
