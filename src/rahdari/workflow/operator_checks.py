"""From checks to confirm and back: whom to ask about an address, and what the operator's answer comes to."""

import datetime as dt
import ipaddress

from django.db.models import Exists, OuterRef, Q, QuerySet

from rahdari import optional
from rahdari.apply import bulk, parts, pending, subjects
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.calendar import queries as calendars
from rahdari.checks import checking as checks_checking
from rahdari.checks import queries as checks
from rahdari.checks.evidence import Evidence
from rahdari.checks.models import Check
from rahdari.checks.rules import Answer
from rahdari.confirm import bulk as confirm_bulk
from rahdari.confirm import queries as questions
from rahdari.confirm import questions as confirm_questions
from rahdari.confirm.models import SubscriberQuestion
from rahdari.confirm.queries import OPERATOR
from rahdari.confirm.rules import BLAMES_NOBODY, OperatorAnswer
from rahdari.control import challenges
from rahdari.control.rules import is_range
from rahdari.db.queues import each_of
from rahdari.decide import due
from rahdari.inquiry.rules import WITHDRAWN
from rahdari.people import mandates
from rahdari.policy import Policy, add
from rahdari.publish import queries as networks

from .inquiries import Asked
from .operator_evidence import answer_from as evidence_of

KIND = "operator"
CLOSED_WITHIN = dt.timedelta(days=1)


def ask_operators(application: Application, policy: Policy, now: dt.datetime) -> None:
    """The operator of each address, where the policy asks them. One that answered already has answered here too."""
    if not policy.services[application.service].asks_operator:
        return
    for endpoint in applications.endpoints_of(application):
        operator = networks.operator_of_network(endpoint.asn)
        if operator is None:
            found = Answer("failed", "no_operator_to_ask", {"block": str(endpoint.block)}, blames=False)
            checks_checking.answer_check(
                subject=application.subject,
                kind=KIND,
                target=endpoint.subject,
                found=found,
                actor="system:workflow",
                now=now,
            )
            continue
        question = confirm_questions.ask(
            operator=operator.slug,
            subject=application.subject,
            target=endpoint.subject,
            policy=policy,
            block=str(endpoint.block),
            subscriber=endpoint.subscriber,
            name=application.holder_name,
            now=now,
        )
        if question.answered_at is not None:
            _answer_check(question, now)


@OPERATOR.delivering
def deliver_answers_of_operators(question: SubscriberQuestion, now: dt.datetime) -> None:
    """What operators answered, to whoever waits for it: the check of an application, the proof of an address. Of a
    mobile number nothing stays with the question then: the operator corrects itself by its own word for the line."""
    if question.state == WITHDRAWN:
        return
    if question.is_mobile:
        optional.ask(__package__, "take_answer", question, now)
        OPERATOR.erase(question, now)
        return
    proved = challenges.answer_by_operator(
        subject=question.target, answer=question.answer, evidence=dict(_evidence(question)), now=now
    )
    _answer_check(question, now)
    _answer_control(question, proved=proved, now=now)


def _answer_check(question: SubscriberQuestion, now: dt.datetime) -> None:
    checks_checking.answer_check(
        subject=question.subject,
        kind=KIND,
        target=question.target,
        found=answer_from(question),
        actor=f"operator:{question.operator}",
        now=now,
        anew=True,
    )


def _answer_control(question: SubscriberQuestion, *, proved: bool, now: dt.datetime) -> None:
    """What stood on the operator's silence stands on its answer: a yes is the proof, anything else is for an officer.

    Of an application that is not decided yet nothing fails by a no: another way may still prove the address.
    """
    control = checks.check_about(subject=question.subject, kind="control", target=question.target)
    if control is None or not control.facts.get("provisional"):
        return
    if proved:
        checks_checking.recheck(subject=question.subject, kind="control", now=now)
        return
    checks_checking.answer_check(
        subject=question.subject,
        kind="control",
        target=question.target,
        found=answer_from(question),
        actor=f"operator:{question.operator}",
        now=now,
    )


def _waiting_for_the_late(now: dt.datetime) -> QuerySet[Check]:
    return checks.controls_waiting(questions.late(now=now).order_by().values_list("target", flat=True))


@each_of(_waiting_for_the_late)
def mark_silent_provisional(check: Check, now: dt.datetime) -> bool:
    """Operators that were asked to prove an address and are late: where the policy says so, the check stands for now.

    An address only: of a range the holder has more to show than somebody's silence.
    """
    question = questions.late(now=now).filter(target=check.target).last()
    application = subjects.application_by_subject(check.subject)
    if question is None or application is None or is_range(ipaddress.ip_network(question.block)):
        return False
    policy = applications.frozen_policy(application)
    if not policy.services[application.service].stands_on_silence or policy.provisional is None:
        return False
    until = add(start=now, allowance=policy.provisional.term, calendar=calendars.in_force())
    return challenges.await_operator(subject=check.target, until=until) and checks_checking.mark_provisional(
        subject=check.subject,
        kind="control",
        target=check.target,
        finding="operator_silent",
        evidence=_evidence(question),
        actor="clock",
        now=now,
    )


def answer_from(question: SubscriberQuestion) -> Answer:
    """An operator's answer as the answer of a check. A no is a fact for an officer: no rule refuses."""
    evidence = _evidence(question)
    if question.answer == OperatorAnswer.YES:
        return Answer("passed", "operator_confirms", evidence)
    if question.answer == OperatorAnswer.NO:
        return Answer("failed", "operator_denies", evidence, blames=question.reason not in BLAMES_NOBODY)
    return Answer("failed", "operator_cannot_tell", evidence, blames=False)


def _evidence(question: SubscriberQuestion) -> Evidence:
    return evidence_of(
        operator=question.operator,
        number=question.number,
        answer=question.answer,
        reason=question.reason,
        asked_at=question.asked_at,
        answered_at=question.answered_at,
    )


def _nobody_waits(now: dt.datetime) -> QuerySet[SubscriberQuestion]:
    removed = pending.removed_endpoint_subjects(since=now - CLOSED_WITHIN)
    # A registration that stands until its operator answers still waits for that answer.
    stands = due.provisional_grants().order_by().filter(case__application=OuterRef("pk"))
    # Few questions wait, and on the day before a deadline very many applications are closed: each looks for its own.
    closed = subjects.named_in("subject").filter(~Exists(stands), closed_at__gte=now - CLOSED_WITHIN)
    return OPERATOR.waiting().filter(Q(target__in=removed) | Exists(closed))


@each_of(_nobody_waits)
def end_questions(question: SubscriberQuestion, now: dt.datetime) -> int:
    """Addresses that were taken out and applications that are closed: their questions end, their subscribers' numbers
    go."""
    return confirm_questions.withdraw_questions(target=question.target, now=now, actor="system:workflow")


def erase_subscribers(now: dt.datetime) -> int:
    """What identified subscribers, when its time is over, with the application too; files of answers and of addresses;
    addresses of agents who did not accept.
    """
    mandates.forget_offers(now=now)
    bulk.delete_old_address_files(now=now)
    confirm_bulk.delete_old_files(now=now)
    return parts.forget_subscribers(now=now)


OPERATORS = Asked(
    OPERATOR,
    withdraw=end_questions,
    deliver=deliver_answers_of_operators,
    erase=OPERATOR.erasing(),
)
