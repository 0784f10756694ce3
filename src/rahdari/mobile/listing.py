"""An operator's own list of lines: what is put on it, and what the operator has applied. Reached through `actions`.

Each change is numbered under a lock of the operator's list, so that the numbers have no gap and follow the commits.
"""

import datetime as dt
import uuid

from django.db import transaction

from rahdari.confirm import callbacks, questions
from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.register.models import Registration

from . import queries, rules
from .models import MobileListChange, MobileListReceipt, MobileNumber, OperatorList
from .rules import Left, MobileState

CLOCK = "system:mobile"
EVENT = "lines.changed"


class NoSuchLine(RahdariError):
    """The operator has no line of this word on its list. `.reference` as given."""

    says = "{reference}"
    reference: str


def note_change(line: MobileNumber, act: str, until: dt.datetime, now: dt.datetime) -> None:
    """Number a change of the line's operator's list. In the caller's transaction, which saves the line."""
    OperatorList.objects.get_or_create(operator=line.operator)
    head = OperatorList.objects.select_for_update().get(pk=line.operator)
    head.sequence += 1
    head.save(update_fields=["sequence"])
    MobileListChange.objects.create(
        operator=line.operator, sequence=head.sequence, line=line, act=act, until=until, at=now
    )
    line.last_sequence = head.sequence
    callbacks.put_event(operator=line.operator, event=EVENT, data={"sequence": head.sequence}, now=now)


def _until(line: MobileNumber, registration: Registration) -> dt.datetime:
    return rules.listed_until(stays_until=registration.stays_until, leaves_at=line.leaves_at)


def _tell_until(line: MobileNumber, registration: Registration, now: dt.datetime) -> None:
    line.listed_until = _until(line, registration)
    if line.is_listed:
        note_change(line, "renew", line.listed_until, now)


@transaction.atomic
def list_line(*, line: MobileNumber, registration: Registration, now: dt.datetime, actor: str = CLOCK) -> MobileNumber:
    """Tie a line to its registration: it is on its operator's list from now on, but while the registration rests.
    Doing it twice changes nothing.

    A line that its operator has not answered for is listed by the number of the check, which the operator knows it by.
    """
    line = MobileNumber.objects.select_for_update().get(pk=line.pk)
    if line.ended_at is not None or line.state not in {MobileState.ASKED, MobileState.KNOWN} or line.is_listed:
        return line
    line.registration, line.listed_until = registration, _until(line, registration)
    if registration.suspended_at is not None:
        line.save(update_fields=["registration", "listed_until"])
        return line
    line.listed_at = now
    note_change(line, "add", line.listed_until, now)
    line.save(update_fields=["registration", "listed_at", "listed_until", "last_sequence"])
    journal.record(
        act="mobile.listed",
        actor=actor,
        subject=f"registration:{registration.pk}",
        now=now,
        detail={"line": str(line.pk), "operator": line.operator},
    )
    return line


@each_of(queries.to_follow, lock=True)
def follow_registrations(line: MobileNumber, now: dt.datetime) -> None:
    """What became of registrations, on the lists of their lines' operators."""
    registration = line.registration
    assert registration is not None  # noqa: S101 - as the query says
    if line.ended_at is not None:
        _come_back(line, registration, now)
    elif registration.struck_out_at is not None or registration.expired_at is not None:
        end(line, queries.ENDED_WITH_IT, now)
    elif registration.suspended_at is not None:
        _rest(line, now)
    elif not line.is_listed:
        list_line(line=line, registration=registration, now=now)
    else:
        _tell_until(line, registration, now)
        line.save(update_fields=["listed_until", "last_sequence"])


def _rest(line: MobileNumber, now: dt.datetime) -> None:
    """Its registration is paused or suspended: the operator is told of an end, and keeps its word for the line."""
    note_change(line, "end", now, now)
    line.listed_at = None
    line.save(update_fields=["listed_at", "last_sequence"])
    journal.record(act="mobile.rests", actor=CLOCK, subject=line.subject, now=now, detail={"line": str(line.pk)})


def _come_back(line: MobileNumber, registration: Registration, now: dt.datetime) -> None:
    """The end of its registration was undone. Its operator's word may stand for another line by now: that one stays."""
    hold(Lock.OPERATORS_WORD, line.reference_index)
    if queries.line_of_word(line.reference_index, besides=line) is not None:
        line.leave_reason = "word_given_on"
        line.save(update_fields=["leave_reason"])
        return
    line.state, line.leave_reason = MobileState.KNOWN, ""
    line.ended_at = line.erase_at = line.listed_at = None
    line.save(update_fields=["state", "leave_reason", "ended_at", "erase_at", "listed_at"])
    list_line(line=line, registration=registration, now=now)


def end(line: MobileNumber, why: str, now: dt.datetime) -> None:
    """End a line whose row is locked; of a listed one the operator is told. Its operator's word goes a while later."""
    if line.state == MobileState.ASKED:
        questions.withdraw_questions(target=line.target, now=now, actor=CLOCK)
    if line.is_listed:
        note_change(line, "end", now, now)
    line.state, line.ended_at = MobileState.ENDED, now
    line.leave_reason = line.leave_reason or why
    line.number, line.asked, line.code, line.code_until = "", "", "", None
    if line.registration_id is None:
        line.reference, line.reference_index = "", ""
    line.erase_at = now + rules.ENDED_KEPT if line.registration_id is not None else None
    line.save()
    journal.record(
        act="mobile.ended",
        actor=CLOCK,
        subject=line.subject,
        now=now,
        reason=why,
        detail={"line": str(line.pk)},
    )


@transaction.atomic
def leave(*, line: MobileNumber, until: dt.datetime, why: str, actor: str, now: dt.datetime) -> bool:
    """Let a registered line end after the overlap. Doing it twice changes nothing. Returns whether it was new."""
    line = MobileNumber.objects.select_for_update().get(pk=line.pk)
    if line.leaves_at is not None or not line.is_registered or line.registration is None:
        return False
    line.leaves_at, line.leave_reason = until, why
    _tell_until(line, line.registration, now)
    line.save(update_fields=["leaves_at", "leave_reason", "listed_until", "last_sequence"])
    journal.record(
        act="mobile.left",
        actor=actor,
        subject=f"registration:{line.registration.pk}",
        now=now,
        reason=why,
        detail={"line": str(line.pk)},
    )
    return True


def stay(line: MobileNumber, now: dt.datetime) -> None:
    """A line that was left is the holder's still: its operator has confirmed it again. In the caller's transaction."""
    line = MobileNumber.objects.select_for_update().get(pk=line.pk)
    if line.leaves_at is None or not line.is_registered or line.registration is None:
        return
    line.leaves_at, line.leave_reason, line.notified_at = None, "", None
    _tell_until(line, line.registration, now)
    line.save(update_fields=["leaves_at", "leave_reason", "notified_at", "listed_until", "last_sequence"])
    journal.record(
        act="mobile.stayed",
        actor=CLOCK,
        subject=f"registration:{line.registration.pk}",
        now=now,
        detail={"line": str(line.pk)},
    )


def operator_left(
    *, operator: str, reference: str, why: Left, overlap: dt.timedelta, by: str, now: dt.datetime
) -> tuple[MobileNumber, bool]:
    """An operator says that a line is no longer its subscriber's: it stays for the overlap, and the holder is told.

    Raises NoSuchLine.
    """
    line = queries.line_for_operator(operator=operator, reference=reference)
    if line is None:
        raise NoSuchLine(reference)
    new = leave(line=line, until=now + overlap, why=str(why), actor=f"operator:{operator}", now=now)
    line.refresh_from_db()
    return line, new


def mark_notified(*, line: MobileNumber, now: dt.datetime) -> None:
    """The holder was told that the operator says it is no longer theirs."""
    MobileNumber.objects.filter(pk=line.pk, notified_at__isnull=True).update(notified_at=now)


@each_of(queries.leaving, lock=True)
def end_lines_due(line: MobileNumber, now: dt.datetime) -> None:
    """Lines that were left, when their overlap is over."""
    end(line, line.leave_reason, now)


@transaction.atomic
def record_receipt(*, operator: str, sequence: int, by: str, now: dt.datetime) -> int:
    """An operator has applied its list up to this number. Returns how many changes are still to come.

    Raises queries.NumberAhead. Not in the journal: it is what a clock repeats.
    """
    head = queries.head_of(operator)
    if sequence > head.sequence:
        raise queries.NumberAhead(head.sequence)
    if sequence:
        MobileListReceipt.objects.get_or_create(operator=operator, sequence=sequence, defaults={"by": by, "at": now})
    return head.sequence - sequence


@each_of(queries.to_erase, lock=True)
def erase_due(line: MobileNumber, now: dt.datetime) -> None:
    """Delete what identifies lines whose time is over: a number nobody confirmed, one of another operator's, the word
    of a line that ended."""
    if line.state in {MobileState.TYPED, MobileState.CONFIRMED} or (
        line.state == MobileState.ASKED and not line.is_registered
    ):
        end(line, "nothing_came", now)
    waits = line.state == MobileState.ASKED  # registered provisionally: the operator still has to find it
    line.number, line.asked, line.erase_at = line.number if waits else "", "", None
    if line.ended_at is not None:
        line.reference, line.reference_index = "", ""
        _forget_changes(line)
    line.save(update_fields=["number", "asked", "reference", "reference_index", "erase_at"])


def _forget_changes(line: MobileNumber) -> None:
    last = MobileListChange.objects.filter(line=line).order_by("-sequence").first()
    if last is None:
        return
    head = OperatorList.objects.select_for_update().get(pk=line.operator)
    if head.floor < last.sequence:
        head.floor = last.sequence
        head.save(update_fields=["floor"])
    MobileListChange.objects.filter(operator=line.operator, sequence__lte=head.floor).delete()


def forget_holder(*, registration: Registration) -> None:
    """Whose its lines were, and which application they came from, when the register forgets that."""
    MobileNumber.objects.filter(registration=registration, ended_at__isnull=False).update(
        holder=uuid.uuid4(), subject=""
    )
