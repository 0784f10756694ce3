"""One block under several holders, by consent. Reached through `actions`.

Invariants: nobody is let in whom not everybody who was there has agreed to; a block is shared whole and exactly, never
a part of a range; whoever is to leave is given notice, and may stay when nobody is left who wanted it. Who the holders
are, and how they are asked, stands in rooms above.
"""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries
from .changes import end_one, end_sharer, hold_shared
from .models import CoHolder, Entry, SharedBlock
from .rules import Block


class NotShareable(RahdariError):
    """Nobody has exactly this block, or a range around it or a changing address stands there. `.block`"""

    says = "{block}"
    block: Block


class NotAllAgreed(Exception):
    """Somebody who is there has not been asked, or has not agreed. `.missing`: their holders' references."""

    def __init__(self, missing: set[uuid.UUID]) -> None:
        super().__init__(f"{len(missing)} have not agreed")
        self.missing = missing


def let_in(
    *, block: Block, newcomer: uuid.UUID, agreed: Iterable[uuid.UUID], origin: str, actor: str, now: dt.datetime
) -> CoHolder:
    """Let a holder have entries of exactly this block beside those who have agreed. Doing it twice changes nothing.

    Raises NotShareable, NotAllAgreed.
    """
    with transaction.atomic():
        # Two newcomers at once: the second finds the first there, and whether that one has agreed.
        hold(Lock.REGISTER, f"block:{block}")
        known = queries.sharer_of(block=block, holder=newcomer)
        if known is not None:
            return known
        if not queries.may_be_shared(block=block):
            raise NotShareable(block)
        there = queries.holders_to_ask(block=block, newcomer=newcomer)
        missing = there - set(agreed)
        if missing or not there:
            raise NotAllAgreed(missing)
        sharers = CoHolder.objects.filter(shared__block=block, ended_at__isnull=True)
        first = sharers.select_related("shared").first()
        shared = first.shared if first is not None else SharedBlock.objects.create(block=block, created_at=now)
        hold_shared(shared.pk)
        for holder in sorted(there - set(sharers.values_list("holder", flat=True))):
            CoHolder.objects.create(shared=shared, holder=holder, since_at=now)
        # One statement: between two, the entries of one holder would stand in each other's way.
        Entry.objects.filter(block=block, ended_at__isnull=True, shared__isnull=True).update(shared=shared)
        sharer = CoHolder.objects.create(shared=shared, holder=newcomer, origin=origin, since_at=now)
        _journal("let_in", sharer, actor, now)
    return sharer


def leave(*, sharer: CoHolder, at: dt.datetime, withdrawn_by: uuid.UUID, actor: str, now: dt.datetime) -> CoHolder:
    """Give notice: at that moment the entries of this holder end. A notice that was given before stays as it is."""
    with transaction.atomic():
        sharer = _locked(sharer)
        if sharer.ended_at is None and sharer.leaves_at is None:
            sharer.leaves_at, sharer.withdrawn_by = at, withdrawn_by
            sharer.save(update_fields=["leaves_at", "withdrawn_by"])
            _journal("gave_notice", sharer, actor, now)
    return sharer


def stay(*, sharer: CoHolder, actor: str, now: dt.datetime) -> CoHolder:
    """Take a notice back. Doing it twice changes nothing."""
    with transaction.atomic():
        sharer = _locked(sharer)
        if sharer.ended_at is None and sharer.leaves_at is not None:
            sharer.leaves_at, sharer.withdrawn_by = None, None
            sharer.save(update_fields=["leaves_at", "withdrawn_by"])
            _journal("withdrew_notice", sharer, actor, now)
    return sharer


def end_part(*, sharer: CoHolder, actor: str, now: dt.datetime) -> CoHolder:
    """End what a holder has of a shared block, and its part in it. Others stay. Doing it twice changes nothing."""
    with transaction.atomic():
        sharer = _locked(sharer)
        if sharer.ended_at is None:
            _end(sharer, actor, now)
    return sharer


@each_of(queries.sharers_due_to_leave)
def end_parts_due(sharer: CoHolder, now: dt.datetime) -> bool:
    """Notices that have run out: the part of one holder ends."""
    sharer = _locked(sharer)
    if sharer.ended_at is not None or sharer.leaves_at is None or sharer.leaves_at > now:
        return False
    _end(sharer, "clock", now)
    return True


def _end(sharer: CoHolder, actor: str, now: dt.datetime) -> None:
    theirs = Entry.objects.select_for_update().filter(
        shared=sharer.shared_id, holder=sharer.holder, ended_at__isnull=True
    )
    for entry in list(theirs.order_by("id")):
        end_one(entry, "yield", now)
    sharer.refresh_from_db()
    if sharer.ended_at is None:
        end_sharer(sharer, now)
    _journal("ended_part", sharer, actor, now)


def _locked(sharer: CoHolder) -> CoHolder:
    hold_shared(sharer.shared_id)
    return CoHolder.objects.select_for_update().get(pk=sharer.pk)


def _journal(act: str, sharer: CoHolder, actor: str, now: dt.datetime) -> None:
    journal.record(act=f"register.{act}", actor=actor, subject=f"sharer:{sharer.pk}", now=now)
    wake()
