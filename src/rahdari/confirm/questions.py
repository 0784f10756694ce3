"""Questions asked, answered, withdrawn and erased. Reached through `actions`."""

import datetime as dt
import uuid
from collections.abc import Collection

from django.db import IntegrityError, transaction

from rahdari.archive.actions import Box
from rahdari.db.wake import wake
from rahdari.journal import actions as journal
from rahdari.policy import Policy
from rahdari.policy import clock as clocks

from . import callbacks, notices, queries, rules
from .models import SubscriberAnswer, SubscriberQuestion, Way
from .rules import AnswerTrouble, Given, QuestionKind

RULE = "system:confirm"
CLOCK = "operator_confirms"


class AnswerNotTaken(Exception):
    """The answer cannot be taken as it is. `.question` and `.trouble` say which and why."""

    def __init__(self, question: SubscriberQuestion, trouble: AnswerTrouble) -> None:
        super().__init__(f"{question.number}: {trouble}")
        self.question, self.trouble = question, trouble


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
        number=queries.new_number(),
        operator=operator,
        kind=kind,
        subject=subject,
        target=target,
        block=block,
        subscriber=subscriber,
        name_masked=rules.mask_name(name),
        asked_at=now,
        due_at=clocks.add(start=now, allowance=policy.clocks[CLOCK], calendar=policy.calendar),
    )
    try:
        with transaction.atomic():
            question.save(force_insert=True)
            detail = {"question": question.number, "operator": operator, "kind": str(question.kind)}
            journal.record(act="confirm.asked", actor=actor, subject=subject, now=now, detail=detail)
            callbacks.note_asked(question=question, now=now)
            notices.tell_operator(operator, due_at=question.due_at, now=now)
    except IntegrityError:
        standing = queries.question_about(target=target, operator=operator)
        if standing is None:
            raise
        return standing
    return question


@transaction.atomic
def answer(*, question: SubscriberQuestion, given: Given, way: Way, by: str, now: dt.datetime) -> bool:
    """Take an operator's answer. Said again it changes nothing; another one takes the place of the one before, which
    stays on record. Returns whether it was new. Raises AnswerNotTaken.
    """
    question = SubscriberQuestion.objects.select_for_update().get(pk=question.pk)
    if not question.takes_answers(now):
        raise AnswerNotTaken(question, AnswerTrouble.CLOSED)
    found = _read(question, given.said, given.reason, given.reference)
    if (question.said, question.reason, question.reference) == (found.said, found.reason, found.reference):
        return False
    before = question.said
    SubscriberAnswer.objects.create(question=question, said=found.said, reason=found.reason, way=way, by=by, at=now)
    question.said, question.reason, question.answered_at, question.to_carry = found.said, found.reason, now, True
    question.reference = found.reference
    question.erase_at = question.erase_at or now + rules.KEPT_AFTER_ANSWER
    question.save(update_fields=["said", "reason", "reference", "answered_at", "to_carry", "erase_at"])
    journal.record(
        act="confirm.changed_answer" if before else "confirm.answered",
        actor=f"operator:{question.operator}",
        subject=question.subject,
        now=now,
        detail={
            "question": question.number,
            "said": str(found.said),
            "reason": found.reason,
            "way": str(way),
            "by": by,
        },
    )
    wake()
    return True


def read_and_answer(
    *,
    question: SubscriberQuestion,
    said: str,
    reason: str = "",
    reference: str = "",
    way: Way,
    by: str,
    now: dt.datetime,
) -> bool:
    """Take an answer as it was written. Raises AnswerNotTaken. (A file asks once for all its rows whose they are.)"""
    if queries.is_own(question, by):
        raise AnswerNotTaken(question, AnswerTrouble.OWN)
    found = _read(question, said, reason, reference)
    return answer(question=question, given=found, way=way, by=by, now=now)


def _read(question: SubscriberQuestion, said: str, reason: str, reference: str) -> Given:
    found = rules.read_answer(
        QuestionKind(question.kind),
        said=said,
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
    ended = 0
    for question in SubscriberQuestion.objects.select_for_update().filter(target=target, withdrawn_at__isnull=True):
        question.withdrawn_at = now
        question.save(update_fields=["withdrawn_at"])
        _erase(question, now)
        detail = {"question": question.number}
        journal.record(act="confirm.withdrew", actor=actor, subject=question.subject, now=now, detail=detail)
        ended += 1
    return ended


@transaction.atomic
def mark_carried(*, question: SubscriberQuestion, said: str, now: dt.datetime) -> None:
    """The answer was taken to whoever waits for it; unless the operator has changed it meanwhile. Of a mobile number
    nothing stays here then: the operator knows it by its own reference, and corrects itself by that."""
    kept = SubscriberQuestion.objects.select_for_update().get(pk=question.pk)
    if (kept.said, kept.reason, kept.reference) != (said, question.reason, question.reference):
        return
    kept.to_carry = False
    kept.save(update_fields=["to_carry"])
    if kept.is_mobile and kept.erased_at is None:
        _erase(kept, now)


def erase_due(*, now: dt.datetime, at_most: int = 500) -> int:
    """Delete what identifies subscribers whose time is over. Returns of how many questions."""
    with transaction.atomic():
        due = list(queries.due_for_erasure(now=now).select_for_update(skip_locked=True)[:at_most])
        for question in due:
            _erase(question, now)
    return len(due)


def erase_addresses(*, subjects: Collection[str], box: Box, now: dt.datetime) -> None:
    """Of these subjects: about which address and which subscriber an operator was asked."""
    box.take(SubscriberQuestion.objects.filter(subject__in=subjects))
    for question in SubscriberQuestion.objects.filter(subject__in=subjects).exclude(block="", erased_at__isnull=False):
        question.block = ""
        question.save(update_fields=["block"])
        _erase(question, now)


def _erase(question: SubscriberQuestion, now: dt.datetime) -> None:
    question.subscriber, question.name_masked, question.reference, question.erased_at = "", "", "", now
    question.save(update_fields=["subscriber", "name_masked", "reference", "erased_at"])
