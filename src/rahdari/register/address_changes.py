"""How the addresses of a registration change while it stands, without a gap. Reached through `actions`.

Invariants: the new address is entered before the old one ends, and both stand in the register meanwhile; what the
clock repeats (an end that was announced, a dynamic address that is reported again) is a change for the feed and
no row of the journal;
no entry outlives its registration; the parts of an endpoint move together.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction

from rahdari.address import Part
from rahdari.db.queues import each_of
from rahdari.journal import actions as journal

from . import queries, rules
from .changes import (
    NotValid,
    announced_by,
    end_one,
    living_parts,
    locked_entry,
    locked_valid,
    new_entry,
    new_part,
    note_change,
    stand_for,
)
from .models import Entry, Registration
from .rules import Block, NewEntry, new_endpoint


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
        old, living = _locked(entry), living_parts(entry)
        if old.ended_at is None and old.block == block:
            _until_all(living, until or registration.stays_until, "extend", now)
            return old
        back = (
            Entry.objects.select_for_update()
            .filter(registration=registration, block=block, protocol=old.protocol, port=old.port)
            .filter(ended_at__isnull=True, part_of__isnull=True)
            .first()
        )
        if back is not None and back.kind == old.kind:
            new = _until_all(living_parts(back), until or registration.stays_until, "move", now)[0]
        else:
            asked = new_endpoint(origin, block, queries.parts_at(old), asn, until=until)
            new = new_entry(registration, asked, kind=old.kind, valid_from=now, now=now, follows=old)
        _leave(living, overlap_until, now)
        _journal("moved_entry", registration, actor, now)
    return new


def change_parts(*, entry: Entry, parts: Sequence[Part], leaves_at: dt.datetime, actor: str, now: dt.datetime) -> Entry:
    """Something else runs at the address as well, or instead: what is new is entered, what is not asked for any more
    stays listed until `leaves_at`, and the rest goes on with the registration. Returns the entry that stands for it.

    Raises NotValid, BlockAlreadyEntered.
    """
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        living = living_parts(entry)
        if not living:
            raise NotValid(registration, rules.Standing.EXPIRED)
        lead, known = living[0], {each.part: each for each in living}
        stay: list[Entry] = []
        for part in parts:
            found = known.get(part) or _taken_in(lead, part)
            if found is None:
                found = new_part(lead, part, "enter", now)
                _journal("added_entry", registration, actor, now)
            stay.append(_until(found, registration.stays_until, "extend", now))
        if lead not in stay:
            stand_for(lead, stay[0])
        for each in living:
            if each not in stay and each.valid_until > leaves_at:
                each.refresh_from_db()
                _until(each, leaves_at, "retire", now)
                _journal("retired_entry", registration, actor, now)
    return stay[0] if lead not in stay else lead


def _taken_in(lead: Entry, part: Part) -> Entry | None:
    """The same registration has this part under another endpoint of the address: it is a part of this one now."""
    found = (
        Entry.objects.select_for_update()
        .filter(registration=lead.registration_id, block=lead.block, ended_at__isnull=True)
        .filter(protocol=part.protocol, port=part.port, kind=lead.kind)
        .first()
    )
    if found is None:
        return None
    heirs = [each for each in living_parts(found) if each.pk != found.pk] if found.part_of_id is None else []
    if heirs:
        stand_for(found, heirs[0])
    found.part_of = lead
    found.save(update_fields=["part_of"])
    return found


def retire_entry(*, entry: Entry, until: dt.datetime, actor: str, now: dt.datetime) -> Entry:
    """Let an endpoint end before its registration does: the holder has left the address. It stays until then and a
    while (`rules.leaves_within`), and never longer than it would."""
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        entry = _locked(entry)
        leaves = until + rules.leaves_within(until - now)
        later = [each for each in living_parts(entry) if each.valid_until > leaves]
        if later:
            _leave(later, until, now)
            _journal("retired_entry", registration, actor, now)
            entry.refresh_from_db()
    return entry


def extend_entry(*, entry: Entry, until: dt.datetime, now: dt.datetime) -> Entry:
    """Let an endpoint that would end by itself go on. Raises NotValid when it has ended, or its registration has."""
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        living = living_parts(entry)
        if not living:
            raise NotValid(registration, rules.Standing.EXPIRED)
        return _until_all(living, min(until, registration.stays_until), "extend", now)[0]


def name_network(*, entry: Entry, asn: int, actor: str, now: dt.datetime) -> Entry:
    """Somebody who knows says to which network an active endpoint belongs, with all its parts: who gets it follows.
    What the directory knows goes before. Doing it twice changes nothing."""
    with transaction.atomic():
        asns = announced_by(entry.block, asn)
        changed = False
        # Of a shared address the line of the feed is another's entry: who gets it follows that.
        for row in [row for part in living_parts(entry) for row in dict.fromkeys((part.line, part))]:
            if row.ended_at is None and (row.asn, row.asns) != (asn, asns):
                row.asn, row.asns, changed = asn, asns, True
                row.save(update_fields=["asn", "asns"])
                note_change(row, "reroute", now)
        entry = Entry.objects.get(pk=entry.pk)
        if not changed:
            return entry
        subject = f"registration:{entry.registration_id}"
        journal.record(act="register.named_network", actor=actor, subject=subject, now=now, detail={"asns": asns})
    return entry


def end_entry(*, entry: Entry, why: str, now: dt.datetime) -> Entry:
    """End one endpoint now, and leave its registration as it is. Doing it twice changes nothing."""
    with transaction.atomic():
        for each in living_parts(_locked(entry)):
            end_one(each, why, now)
    return _locked(entry)


def make_way(*, block: Block, holder: uuid.UUID, now: dt.datetime) -> None:
    """End what others have on the block without a proof: this holder has proved it."""
    for entry in queries.giving_way(block=block, holder=holder):
        end_entry(entry=entry, why="lapse", now=now)


@each_of(queries.entries_due_to_end)
def end_entries_due(found: Entry, now: dt.datetime) -> bool:
    """Entries whose own time is over."""
    entry = locked_entry(found.pk, skip_locked=True)
    if entry is None or entry.ended_at is not None or entry.valid_until > now:
        return False
    end_one(entry, "lapse", now)
    return True


def _locked(entry: Entry) -> Entry:
    found = locked_entry(entry.pk)
    if found is None:
        raise Entry.DoesNotExist(entry.pk)
    return found


def _until_all(entries: Sequence[Entry], until: dt.datetime, act: str, now: dt.datetime) -> list[Entry]:
    return [_until(each, until, act, now) for each in entries]


def _until(entry: Entry, until: dt.datetime, act: str, now: dt.datetime) -> Entry:
    """Another end for an entry. Where the feed tells of it what it told before, there is nothing to note."""
    until = max(until, entry.valid_from + dt.timedelta(seconds=1))
    if entry.valid_until != until:
        told = rules.published_end(entry.valid_until, entry.kind)
        entry.valid_until = until
        entry.save(update_fields=["valid_until"])
        if rules.published_end(until, entry.kind) != told:
            note_change(entry, act, now)
    return entry


def _leave(entries: Sequence[Entry], at: dt.datetime, now: dt.datetime) -> None:
    """What was left stays listed until `at` and a while, and never longer than it would have. The feed hears of it when
    it is removed: what is told now stands in one edition with what takes its place."""
    at = rules.leaves_at(at, now)
    for each in entries:
        each.valid_until = min(each.valid_until, max(at, each.valid_from + dt.timedelta(seconds=1)))
        each.save(update_fields=["valid_until"])


def _journal(act: str, registration: Registration, actor: str, now: dt.datetime) -> None:
    journal.record(act=f"register.{act}", actor=actor, subject=f"registration:{registration.pk}", now=now)
