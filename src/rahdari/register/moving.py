"""How the addresses of a registration change while it stands, without a gap. Reached through `actions`.

Invariants: the new address is entered before the old one ends, and both stand in the register meanwhile; what the
clock repeats (an end that was announced, a lease that goes on) is a change for the feed and no row of the journal;
no entry outlives its registration.
"""

import datetime as dt

from django.db import transaction

from rahdari.journal import actions as journal

from . import queries, rules
from .models import Entry, Registration
from .noting import NotValid, end_one, locked_entry, locked_valid, new_entry, note_change
from .rules import Block, NewEntry


def add_entry(*, registration: Registration, new: NewEntry, actor: str, now: dt.datetime) -> Entry:
    """One more address for a valid registration. The same origin twice gives the same entry.

    Raises NotValid, BlockAlreadyEntered.
    """
    with transaction.atomic():
        registration = locked_valid(registration.pk, now)
        known = Entry.objects.filter(registration=registration, origin=new.origin).first()
        if known is not None:
            return known
        entry = new_entry(registration, new, kind=new.kind or "static", valid_from=now, now=now)
        _journal("added_entry", registration, actor, now)
    return entry


def move_entry(
    *,
    entry: Entry,
    block: Block,
    asn: int | None,
    origin: str,
    until: dt.datetime | None,
    overlap_until: dt.datetime,
    actor: str,
    now: dt.datetime,
) -> Entry:
    """The holder's address is another one now: enter it, and keep the old one listed until `overlap_until`.

    Back at an address that is still listed, that entry is taken up again. `until`: when the new one ends unless it is
    extended; None: with the registration. Raises NotValid, BlockAlreadyEntered.
    """
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        old = _locked(entry)
        if old.ended_at is None and old.block == block:
            return _until(old, until or registration.stays_until, "extend", now)
        back = (
            Entry.objects.select_for_update()
            .filter(registration=registration, block=block, protocol=old.protocol, port=old.port, ended_at__isnull=True)
            .first()
        )
        if back is not None and back.kind == old.kind:
            new = _until(back, until or registration.stays_until, "move", now)
        else:
            asked = NewEntry(origin, block, old.protocol, old.port, asn, until=until)
            new = new_entry(registration, asked, kind=old.kind, valid_from=now, now=now, follows=old)
        if old.ended_at is None:
            _until(old, min(old.valid_until, overlap_until), "retire", now)
        _journal("moved_entry", registration, actor, now)
    return new


def retire_entry(*, entry: Entry, until: dt.datetime, actor: str, now: dt.datetime) -> Entry:
    """Let an entry end before its registration does: the holder has left the address. Never later than it would."""
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        entry = _locked(entry)
        if entry.ended_at is not None or entry.valid_until <= until:
            return entry
        entry = _until(entry, until, "retire", now)
        _journal("retired_entry", registration, actor, now)
    return entry


def extend_entry(*, entry: Entry, until: dt.datetime, now: dt.datetime) -> Entry:
    """Let an entry that would end by itself go on. Raises NotValid when it has ended, or its registration has."""
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        entry = _locked(entry)
        if entry.ended_at is not None:
            raise NotValid(registration, rules.Standing.EXPIRED)
        return _until(entry, min(until, registration.stays_until), "extend", now)


def end_entry(*, entry: Entry, why: str, now: dt.datetime) -> Entry:
    """End one entry now, and leave its registration as it is. Doing it twice changes nothing."""
    with transaction.atomic():
        entry = _locked(entry)
        if entry.ended_at is None:
            end_one(entry, why, now)
    return entry


def end_entries_due(*, now: dt.datetime, limit: int = 500) -> int:
    """A step of the line: end the entries whose own time is over, each in its own transaction; return how many."""
    count = 0
    for pk in list(queries.entries_due_to_end(now=now).values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            entry = locked_entry(pk, skip_locked=True)
            if entry is None or entry.ended_at is not None or entry.valid_until > now:
                continue
            end_one(entry, "lapse", now)
            count += 1
    return count


def _locked(entry: Entry) -> Entry:
    found = locked_entry(entry.pk)
    if found is None:
        raise Entry.DoesNotExist(entry.pk)
    return found


def _until(entry: Entry, until: dt.datetime, act: str, now: dt.datetime) -> Entry:
    """Another end for an entry. The feed writes whole seconds, and an entry has a term of one at least."""
    until = max(until, entry.valid_from + dt.timedelta(seconds=1))
    if entry.valid_until != until:
        entry.valid_until = until
        entry.save(update_fields=["valid_until"])
        note_change(entry, act, now)
    return entry


def _journal(act: str, registration: Registration, actor: str, now: dt.datetime) -> None:
    journal.record(act=f"register.{act}", actor=actor, subject=f"registration:{registration.pk}", now=now)
