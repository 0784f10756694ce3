"""The acts of mobile lines: a number typed, confirmed by its code, asked of its operator, known by its operator's word.

Each act is one transaction with one journal row; neither a number nor an operator's word goes into the journal.
"""

import datetime as dt
import uuid

from django.db import transaction

from rahdari.confirm import questions
from rahdari.confirm.rules import BLAMES_NOBODY, OperatorAnswer, QuestionKind
from rahdari.db.locks import Lock, hold
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people.models import User
from rahdari.policy import Policy
from rahdari.sms import codes as number_codes

from . import queries, rules
from .listing import (
    NoSuchLine,
    end,
    end_lines_due,
    erase_due,
    follow_registrations,
    forget_holder,
    leave,
    list_line,
    mark_notified,
    note_change,
    operator_left,
    record_receipt,
    stay,
)
from .models import MobileNumber
from .rules import MobileState

__all__ = [
    "MoveNotAllowed",
    "NoSuchLine",
    "ask_operator",
    "confirm_number",
    "drop_line",
    "end_lines_due",
    "erase_due",
    "follow_registrations",
    "forget_holder",
    "leave",
    "list_line",
    "mark_notified",
    "operator_left",
    "record_receipt",
    "take_answer",
    "type_number",
]

RULE = "system:mobile"


class MoveNotAllowed(RahdariError):
    """The line does not stand so that this could be done. `.line` and `.act`"""

    says = "{line} is {line.state}: no {act}"
    line: MobileNumber
    act: str


def _locked(line: MobileNumber) -> MobileNumber:
    return MobileNumber.objects.select_for_update().get(pk=line.pk)


def _move(line: MobileNumber, act: str, target: MobileState) -> None:
    if not rules.may_move(line.state, act, target):
        raise MoveNotAllowed(line, act)
    line.state = target


def type_number(
    *,
    subject: str,
    holder: uuid.UUID,
    user: User,
    number: str,
    network: str,
    language: str,
    actor: str,
    now: dt.datetime,
    follows: MobileNumber | None = None,
) -> MobileNumber:
    """Send a code to a number (in E.164); it takes the place of another one that was typed for the same subject.

    Raises people.SmsNotSetUp, people.TooManyCodes.
    """
    number_codes.allow_code(user=user, number=number, network=network)
    with transaction.atomic():
        before = queries.line_of(subject)
        line = _locked(before) if before is not None and before.state == MobileState.TYPED else None
        if line is None:
            if before is not None and not before.is_registered:
                end(_locked(before), "replaced", now)
            line = MobileNumber(id=uuid.uuid4(), subject=subject, holder=holder, typed_at=now, follows=follows)
        number_codes.send_code(kept=line, user=user, number=number, language=language, now=now)
        line.typed_at, line.erase_at = now, now + rules.TYPED_KEPT
        line.save()
        journal.record(act="mobile.typed_number", actor=actor, subject=subject, now=now, detail={"line": str(line.pk)})
    return line


def confirm_number(*, line: MobileNumber, user: User, code: str, actor: str, now: dt.datetime) -> MobileNumber:
    """The code came back: the SIM is in the applicant's hands. Raises what `people.take_code` does, and CodeWrong."""
    with transaction.atomic():
        line = _locked(line)
        wrong = number_codes.take_code(kept=line, user=user, code=code, now=now)
        if wrong is not None:
            line.save(update_fields=["tries"])
        else:
            _move(line, "confirm", MobileState.CONFIRMED)
            line.number, line.asked, line.confirmed_at, line.erase_at = line.asked, "", now, now + rules.CONFIRMED_KEPT
            line.save()
            journal.record(
                act="mobile.confirmed_number", actor=actor, subject=line.subject, now=now, detail={"line": str(line.pk)}
            )
    if wrong is not None:
        raise wrong  # after the count was committed
    return line


@transaction.atomic
def ask_operator(
    *, line: MobileNumber, operator: str, name: str, policy: Policy, actor: str, now: dt.datetime
) -> MobileNumber:
    """Ask an operator whether the SIM is in this name. Asked already, it stays asked.

    Raises MoveNotAllowed: also for a number that is gone, since an operator has answered for it.
    """
    line = _locked(line)
    if line.state == MobileState.ASKED and line.operator == operator:
        return line
    if not line.number:
        raise MoveNotAllowed(line, "ask_operator")
    _move(line, "ask_operator", MobileState.ASKED)
    # Of an operator that said it is another's: should it be asked once more, that is a new question.
    questions.withdraw_questions(target=line.target, now=now, actor=actor)
    question = questions.ask(
        operator=operator,
        kind=QuestionKind.MOBILE,
        subject=line.subject,
        target=line.target,
        subscriber=rules.msisdn(line.number),
        name=name,
        policy=policy,
        actor=actor,
        now=now,
    )
    line.operator, line.check_number, line.check_due_at = operator, question.number, question.due_at
    line.asked_at, line.answered_at, line.answer, line.reason, line.erase_at = now, None, "", "", now + rules.ASKED_KEPT
    line.save()
    journal.record(
        act="mobile.asked_operator",
        actor=actor,
        subject=line.subject,
        now=now,
        detail={"line": str(line.pk), "operator": operator},
    )
    return line


@transaction.atomic
def take_answer(*, line: MobileNumber, answer: str, reason: str, reference: str, now: dt.datetime) -> MobileNumber:
    """What the operator said. With its yes its own word is kept and the number deleted. With a no the number goes too,
    unless it is another operator's: then it waits some days, so that the applicant can name that one."""
    line = _locked(line)
    if line.state != MobileState.ASKED:
        return line
    line.answer, line.reason, line.answered_at = answer, reason, now
    if answer == OperatorAnswer.YES:
        _move(line, "take_yes", MobileState.KNOWN)
        line.number, line.erase_at = "", None
        owner = _keep_word(line, reference)
        if owner is not None and owner.pk == line.follows_id:
            stay(owner, now)
            line.save()
            end(line, "same_line", now)
            return line
        line.is_taken = owner is not None
        if line.is_listed and line.reference:
            note_change(line, "name", line.listed_until or now, now)
    else:
        _move(line, "take_no", MobileState.DENIED)
        keep = reason in BLAMES_NOBODY
        line.number, line.erase_at = line.number if keep else "", now + rules.PORTED_KEPT if keep else None
    line.save()
    journal.record(
        act="mobile.known" if answer == OperatorAnswer.YES else "mobile.denied",
        actor=f"operator:{line.operator}",
        subject=line.subject,
        now=now,
        reason=reason,
        detail={"line": str(line.pk)},
    )
    return line


def _keep_word(line: MobileNumber, reference: str) -> MobileNumber | None:
    """One word stands for one line: if it stands for another one already, that one is given back, and nothing kept."""
    wanted = queries.reference_index(line.operator, reference)
    # Of two lines with the same word at once the second waits here, then sees the first.
    hold(Lock.OPERATORS_WORD, wanted)
    owner = queries.line_of_word(wanted, besides=line)
    if owner is None:
        line.reference, line.reference_index = reference, wanted
    return owner


@transaction.atomic
def drop_line(*, line: MobileNumber, why: str, now: dt.datetime) -> bool:
    """The application that a line is for has ended before the line was listed. Returns whether it stood."""
    line = _locked(line)
    if line.ended_at is not None or line.is_registered:
        return False
    end(line, why, now)
    return True
