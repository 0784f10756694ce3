"""Questions asked, answered, withdrawn and erased."""

import datetime as dt
import uuid

from django.db import IntegrityError, transaction

from rahdari.calendar import queries as calendars
from rahdari.db.references import reference
from rahdari.errors import RahdariError
from rahdari.inquiry.rules import WITHDRAWN, Move, Terms
from rahdari.policy import Policy
from rahdari.policy import clock as clocks

from . import callbacks, notices, queries, rules
from .models import Channel, SubscriberAnswer, SubscriberQuestion
from .queries import OPERATOR
from .rules import AnswerTrouble, Given, QuestionKind

RULE = "system:confirm"
CLOCK = "operator_confirms"


class AnswerNotTaken(RahdariError):
    """The answer cannot be taken as it is. `.question` and `.trouble` say which and why."""

    says = "{question.number}: {trouble}"
    question: SubscriberQuestion
    trouble: AnswerTrouble


def ask(
    *,
    operator: str,
    subject: str,
    target: str,
    policy: Policy,
    now: dt.datetime,
    block: str = "",
    subscriber: str = "",
    name: str = "",
    kind: QuestionKind = QuestionKind.SUBSCRIBER,
    actor: str = RULE,
) -> SubscriberQuestion:
    """Ask an operator about a target, once. A question that stands already is given back.

    `name` is masked before it is kept. The answer is due when the policy's clock `operator_confirms` is over.
    """
    known = queries.question_about(target=target, operator=operator)
    if known is not None:
        return known
    question = SubscriberQuestion(
        id=uuid.uuid4(),
        number=reference("Q"),
        operator=operator,
        kind=kind,
        subject=subject,
        target=target,
        block=block,
        subscriber=subscriber,
        name_masked=rules.mask_name(name),
    )
    due_at = clocks.add(start=now, allowance=policy.clocks[CLOCK], calendar=calendars.in_force())
    try:
        with transaction.atomic():
            detail = {"question": question.number, "operator": operator, "kind": str(question.kind)}
            OPERATOR.begin(question, Terms(due_at, kept=rules.KEPT_AFTER_ANSWER), actor=actor, now=now, **detail)
            callbacks.note_asked(question=question, now=now)
            notices.notify_operator(operator, due_at=question.due_at, now=now)
    except IntegrityError:
        standing = queries.question_about(target=target, operator=operator)
        if standing is None:
            raise
        return standing
    return question


@transaction.atomic
def answer(*, question: SubscriberQuestion, given: Given, channel: Channel, by: str, now: dt.datetime) -> bool:
    """Take an operator's answer. Said again it changes nothing; another one takes the place of the one before, which
    stays on record. Returns whether it was new. Raises AnswerNotTaken.
    """
    question = OPERATOR.locked(question)
    if not question.accepts_answers(now):
        raise AnswerNotTaken(question, AnswerTrouble.CLOSED)
    found = _read(question, given.answer, given.reason, given.reference)
    if (question.answer, question.reason, question.reference) == (found.answer, found.reason, found.reference):
        return False
    SubscriberAnswer.objects.create(
        question=question, answer=found.answer, reason=found.reason, channel=channel, by=by, at=now
    )
    question.reason, question.reference = found.reason, found.reference
    question.save(update_fields=["reason", "reference"])
    detail = {"question": question.number, "reason": found.reason, "channel": str(channel), "by": by}
    actor, word = f"operator:{question.operator}", str(found.answer)
    if question.is_waiting:
        OPERATOR.end(question, Move.ANSWER, word, actor=actor, now=now, **detail)
    else:
        OPERATOR.correct(question, word, actor=actor, now=now, **detail)
    return True


def read_and_answer(
    *,
    question: SubscriberQuestion,
    word: str,
    reason: str = "",
    reference: str = "",
    channel: Channel,
    by: str,
    now: dt.datetime,
) -> bool:
    """Take an answer as it was written. Raises AnswerNotTaken. (A file asks once for all its rows whose they are.)"""
    if queries.is_own(question, by):
        raise AnswerNotTaken(question, AnswerTrouble.OWN)
    found = _read(question, word, reason, reference)
    return answer(question=question, given=found, channel=channel, by=by, now=now)


def _read(question: SubscriberQuestion, word: str, reason: str, reference: str) -> Given:
    found = rules.read_answer(
        QuestionKind(question.kind),
        word=word,
        reason=reason,
        reference=reference,
        number=question.subscriber if question.is_mobile else "",
    )
    if isinstance(found, AnswerTrouble):
        raise AnswerNotTaken(question, found)
    return found


@transaction.atomic
def withdraw_questions(*, target: str, now: dt.datetime, actor: str) -> int:
    """End what is asked about a target: it was taken out, or is closed. What identifies the subscriber goes at once."""
    standing = SubscriberQuestion.objects.select_for_update().filter(target=target).exclude(state=WITHDRAWN)
    for question in (found := list(standing)):
        move = Move.WITHDRAW if question.is_waiting else Move.DROP
        OPERATOR.end(question, move, WITHDRAWN, actor=actor, now=now, question=question.number)
        OPERATOR.erase(question, now)
    return len(found)
