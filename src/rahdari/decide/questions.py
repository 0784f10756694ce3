"""Questions to the applicant. While one is open the officer's clock stands still."""

import datetime as dt

from django.db import transaction
from django.urls import reverse

from rahdari import policy
from rahdari.apply import sending
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.people.models import User

from . import case_clock, evidence
from .models import Case, CaseQuestion, Notice
from .rules import Status
from .transitions import AlreadyAnswered, answer_of, begin, lock, record, usable, write


class NoMoreTime(RahdariError):
    """More time was given as often as the policy allows. `.question`."""

    says = "{question} was extended already"
    question: CaseQuestion


class TooLateToReopen(RahdariError):
    """The time in which a case that was not pursued may be reopened is over. `.until`."""

    says = "could be reopened until {until}"
    until: dt.datetime


@transaction.atomic
def ask_question(*, case: Case, officer: User, code: str, text: str = "", now: dt.datetime) -> CaseQuestion:
    """Ask the applicant. The officer's clock stands still until the answer. Raises EvidenceMissing."""
    case = lock(case)
    begun = begin(case, "ask_question", by=officer, now=now, codes=[code], words=text)
    reason = usable(case, code, "question")
    evidence.require(evidence.File(case.application, now), [reason])
    allowance = case_clock.policy_of(case.application).clocks["question"]
    question = CaseQuestion.objects.create(
        case=case,
        code=code,
        text=begun.words,
        asked_by=officer,
        asked_at=now,
        due_at=policy.add(start=now, allowance=allowance, calendar=case_clock.calendar()),
    )
    record(case, "asked_question", begun.actor, now, reason=code)
    asked = reason.text.in_language(case.application.applicant.language)
    write(
        case,
        "application_question",
        now,
        question=f"{asked}\n{question.text}".strip(),
        due_at=question.due_at,
        url=reverse("portal:question", args=[case.application.reference]),
    )
    return question


@transaction.atomic
def extend_question(*, question: CaseQuestion, actor: str, now: dt.datetime) -> CaseQuestion:
    """More time, without a reason, as often as the policy gives it.
    Raises NoMoreTime, and as `transitions.begin` does.
    """
    case = lock(question.case)
    begin(case, "extend_question", by=actor, now=now)
    question = CaseQuestion.objects.get(pk=question.pk)
    frozen = case_clock.policy_of(case.application)
    if question.extended >= frozen.extensions_of_a_question:
        raise NoMoreTime(question)
    question.due_at = policy.add(
        start=case_clock.question_due_at(question), allowance=frozen.clocks["question"], calendar=case_clock.calendar()
    )
    question.extended += 1
    question.save(update_fields=["due_at", "extended"])
    record(case, "extended_question", actor, now, reason=question.code)
    return question


@transaction.atomic
def answer_question(*, question: CaseQuestion, answer: str, actor: str, now: dt.datetime) -> CaseQuestion:
    """The applicant's answer. It also reopens a case closed for want of one, while the policy allows.
    Raises AlreadyAnswered, TooLateToReopen, and as `transitions.begin` does.
    """
    case = lock(question.case)
    question = CaseQuestion.objects.get(pk=question.pk)
    if question.answered_at is not None:
        raise AlreadyAnswered(question)
    begun = begin(case, "answer_question", by=actor, now=now)
    text = answer_of(case, question, answer)
    if begun.move.source == Status.NOT_PURSUED:
        until = policy.add(
            start=question.lapsed_at or now,
            allowance=case_clock.policy_of(case.application).reopen_within,
            calendar=case_clock.calendar(),
        )
        if now > until:
            raise TooLateToReopen(until)
        case.status, case.closed_at = Status.OPEN, None
        case.save(update_fields=["status", "closed_at"])
        sending.reopen_application(application=case.application, actor=actor, now=now)
    question.answered_at, question.answer, question.draft = now, text, ""
    question.save(update_fields=["answered_at", "answer", "draft"])
    record(case, "answered_question", actor, now, reason=question.code)
    wake()
    return question


@transaction.atomic
def save_answer_draft(*, asked: CaseQuestion | Notice, text: str, actor: str, now: dt.datetime) -> None:
    """Keep what the applicant has written so far, for them alone. Nothing is answered, and no clock moves.

    Raises AlreadyAnswered, NotPossibleNow.
    """
    case = lock(asked.case)
    row = type(asked).objects.get(pk=asked.pk)
    if row.answered_at is not None:
        raise AlreadyAnswered(row)
    begin(case, "answer_notice" if isinstance(row, Notice) else "answer_question", by=actor, now=now)
    if row.draft != text:
        row.draft = text
        row.save(update_fields=["draft"])
        record(case, "saved_answer_draft", actor, now)
