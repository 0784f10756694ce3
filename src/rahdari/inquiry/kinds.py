"""A kind of inquiry: its reads, its acts and its queues. A room declares its own, and what differs stands there.

    ask -> remind -> answer | expire | withdraw | lapse -> deliver -> erase

Each act is one transaction with one journal row; the moves are those of `rules.MOVES`.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from rahdari.archive.actions import Box
from rahdari.db.queues import Queue
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import rules
from .models import Inquiry
from .rules import USUAL, WAITING, Move, Terms

# Of fewer answers than these it is not said how long they took.
FEWEST_TO_SAY = 5


type Act[Row: Inquiry] = Callable[[Row, dt.datetime], None]
type Needed[Row: Inquiry] = Callable[[Row, dt.datetime], dt.datetime | None]


class NoLongerOpen(RahdariError):
    """It was answered, or its time is over. `.inquiry`"""

    says = "{inquiry} is {inquiry.state}"
    inquiry: Inquiry


class NotAnAnswer(ValueError):
    """The kind has no such answer."""


def is_open(inquiry: Inquiry, now: dt.datetime) -> bool:
    """Whether it can be answered."""
    return inquiry.is_waiting and now < inquiry.due_at


@dataclass(frozen=True, eq=False)
class Kind[Row: Inquiry]:
    """What one sort of addressee is asked.

    `room` begins the names of its acts; `answers` are its words for an answer; `sealed` are the columns that go when
    their time is over, `with_file` what more goes with the file, and what is left in its place; `moves` are those that
    it has, of `rules.MOVES`.
    """

    room: str
    model: type[Row]
    answers: frozenset[str]
    sealed: tuple[str, ...]
    moves: frozenset[Move] = USUAL
    with_file: Mapping[str, Any] = MappingProxyType({})

    @property
    def rows(self) -> QuerySet[Row]:
        return self.model._default_manager.all()

    # -- reads -----------------------------------------------------------------------------------------------------

    def about(self, subject: str) -> Row | None:
        """The last one about this subject."""
        return self.rows.filter(subject=subject).order_by("-asked_at", "-id").first()

    def subjects(self, among: Any) -> QuerySet[Row, str]:
        """Those of these subjects for which somebody was asked."""
        return self.rows.filter(subject__in=among).order_by().values_list("subject", flat=True)

    def waiting(self) -> QuerySet[Row]:
        return self.rows.filter(state=WAITING).order_by("due_at", "id")

    def asked(self) -> QuerySet[Row]:
        """Those whose answer is awaited or not taken along yet, or that nobody waits for any more."""
        return self.rows.filter(Q(delivered_at__isnull=True) | Q(state=rules.WITHDRAWN))

    def to_deliver(self) -> QuerySet[Row]:
        return self.rows.filter(delivered_at__isnull=True, ended_at__isnull=False).order_by("ended_at", "id")

    def to_remind(self, now: dt.datetime) -> QuerySet[Row]:
        unreminded = self.rows.filter(state=WAITING, reminded_at__isnull=True, due_at__gt=now)
        return unreminded.filter(remind_at__lte=now).order_by("remind_at", "id")

    def past_due(self, now: dt.datetime) -> QuerySet[Row]:
        return self.waiting().filter(due_at__lte=now)

    def to_expire(self, now: dt.datetime) -> QuerySet[Row]:
        """None of a kind that silence leaves open."""
        return self.past_due(now) if Move.EXPIRE in self.moves else self.waiting().none()

    def to_erase(self, now: dt.datetime) -> QuerySet[Row]:
        over = self.rows.filter(erased_at__isnull=True, ended_at__isnull=False, erase_at__lte=now)
        return over.order_by("erase_at", "id")

    def usual_time(self, *, since: dt.datetime, fewest: int = FEWEST_TO_SAY, **of: Any) -> dt.timedelta | None:
        """How long half of those who answered took at most, of the last hundred; None while too few did to say so."""
        answered = self.rows.filter(state__in=self.answers, ended_at__gte=since).filter(**of).order_by("-ended_at")
        spans = sorted(each.ended_at - each.asked_at for each in answered[:100] if each.ended_at is not None)
        return spans[(len(spans) - 1) // 2] if len(spans) >= fewest else None

    def locked(self, row: Row) -> Row:
        return self.rows.select_for_update().get(pk=row.pk)

    # -- acts ------------------------------------------------------------------------------------------------------

    def begin(self, row: Row, terms: Terms, *, actor: str, now: dt.datetime, **detail: Any) -> Row:
        """Keep and record an inquiry that is put now. The caller has looked whether it may, and writes the letter."""
        row.asked_at, row.due_at, row.remind_at = now, terms.due_at, terms.remind_at
        row.erase_at = terms.due_at + terms.kept
        row.save(force_insert=True)
        act = f"{self.room}.asked"
        journal.record(act=act, actor=actor, subject=row.subject, now=now, detail=detail)
        return row

    @transaction.atomic
    def answer(self, row: Row, given: str, *, actor: str, now: dt.datetime) -> Row:
        """The first answer counts; the same one twice changes nothing. Raises NotAnAnswer, NoLongerOpen."""
        if given not in self.answers:
            raise NotAnAnswer(given)
        row = self.locked(row)
        if row.state == given:
            return row
        if not is_open(row, now):
            raise NoLongerOpen(row)
        return self.end(row, Move.ANSWER, given, actor=actor, now=now)

    @transaction.atomic
    def withdraw(self, row: Row, *, actor: str, now: dt.datetime) -> Row:
        """Nobody wants the answer any more. Doing it twice changes nothing. Raises NoLongerOpen."""
        row = self.locked(row)
        if row.state == rules.WITHDRAWN:
            return row
        if not row.is_waiting:
            raise NoLongerOpen(row)
        return self.end(row, Move.WITHDRAW, rules.WITHDRAWN, actor=actor, now=now)

    def end(self, row: Row, move: Move, state: str, *, actor: str, now: dt.datetime, **detail: Any) -> Row:
        """What it came to, of one that is locked."""
        self._make(row, move, state)
        row.ended_at = now
        expires = Move.EXPIRE in self.moves
        row.erase_at = rules.erase_at(due_at=row.due_at, erase_at=row.erase_at, ended_at=now, expires=expires)
        row.save(update_fields=["state", "ended_at", "erase_at"])
        self._record(row, move, actor, now, {"answer": state, **detail})
        return row

    def correct(self, row: Row, state: str, *, actor: str, now: dt.datetime, **detail: Any) -> Row:
        """Another answer takes the place of the one before, and is delivered too. Of one that is locked."""
        self._make(row, Move.CORRECT, state)
        row.ended_at, row.delivered_at = now, None
        row.save(update_fields=["state", "ended_at", "delivered_at"])
        self._record(row, Move.CORRECT, actor, now, {"answer": state, **detail})
        return row

    @transaction.atomic
    def reopen(self, row: Row, *, at_least: dt.timedelta, actor: str, now: dt.datetime, **detail: Any) -> Row:
        """An answer was a slip: it is asked anew, for a while at least. Of one that is locked."""
        kept = row.erase_at - (row.ended_at or row.due_at)
        self._make(row, Move.REOPEN, WAITING)
        row.ended_at = row.delivered_at = None
        row.due_at = max(row.due_at, now + at_least)
        row.erase_at = row.due_at + kept
        row.save(update_fields=["state", "ended_at", "delivered_at", "due_at", "erase_at"])
        self._record(row, Move.REOPEN, actor, now, detail)
        return row

    def _make(self, row: Row, move: Move, state: str) -> None:
        if move not in self.moves or not rules.may_move(move, row.state, state, answers=self.answers):
            raise NoLongerOpen(row)
        row.state = state

    def _record(self, row: Row, move: Move, actor: str, now: dt.datetime, detail: Mapping[str, Any]) -> None:
        act = f"{self.room}.{rules.ACTS[move]}"
        journal.record(act=act, actor=actor, subject=row.subject, now=now, detail=dict(detail))
        wake()

    def erase_about(self, *, subjects: Collection[str], box: Box, now: dt.datetime) -> list[str]:
        """Of what was asked for these subjects, whose file goes, all that says of whom. Gives the subjects of the
        letters that were written for it."""
        found = list(self.rows.filter(subject__in=subjects))
        box.take(found)
        for row in found:
            self.erase(row, now)
        if self.with_file:
            self.rows.filter(pk__in=[row.pk for row in found]).update(**self.with_file)
        return [f"{self.room}:{row.pk}" for row in found]

    def erase(self, row: Row, now: dt.datetime) -> None:
        """What is sealed goes now."""
        for name in self.sealed:
            setattr(row, name, "")
        row.erased_at = row.erased_at or now
        row.save(update_fields=[*self.sealed, "erased_at"])

    # -- queues ----------------------------------------------------------------------------------------------------

    @cached_property
    def expire(self) -> Queue[Row]:
        """Those whose time to answer is over."""

        def move(row: Row, now: dt.datetime) -> None:
            self.end(row, Move.EXPIRE, rules.SILENT, actor="clock", now=now)

        return Queue(f"{self.room}.expire", self.to_expire, move, lock=True)

    def reminding(self, write: Act[Row]) -> Queue[Row]:
        """Whoever has not answered is written to once more, once."""

        def move(row: Row, now: dt.datetime) -> None:
            row.reminded_at = now
            row.save(update_fields=["reminded_at"])
            write(row, now)

        return Queue(f"{self.room}.remind", self.to_remind, move, lock=True)

    def delivering(self, deliver: Act[Row]) -> Queue[Row]:
        """What each came to, to whoever waits for it."""

        def move(row: Row, now: dt.datetime) -> None:
            deliver(row, now)
            row.delivered_at = now
            row.save(update_fields=["delivered_at"])

        return Queue(f"{self.room}.deliver", lambda _now: self.to_deliver(), move, lock=True)

    def erasing(self, before: Act[Row] | None = None, *, needed_until: Needed[Row] | None = None) -> Queue[Row]:
        """What is sealed of those whose time is over. What is needed longer all the same, `needed_until` says."""

        def move(row: Row, now: dt.datetime) -> int:
            until = needed_until(row, now) if needed_until is not None else None
            if until is not None and until > now:
                row.erase_at = until
                row.save(update_fields=["erase_at"])
                return 0
            if before is not None:
                before(row, now)
            self.erase(row, now)
            journal.record(act=f"{self.room}.erased", actor="clock", subject=row.subject, now=now)
            return 1

        return Queue(f"{self.room}.erase", self.to_erase, move, lock=True)
