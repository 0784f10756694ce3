"""The acts of the register. Each is one transaction, one journal row and one change for each entry it touches."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction

from rahdari.address import Part, directory
from rahdari.db.locks import Lock, hold
from rahdari.db.queues import each_of
from rahdari.journal import actions as journal

from . import queries, rules
from .address_changes import (
    add_entry,
    change_parts,
    end_entries_due,
    end_entry,
    extend_entry,
    move_entry,
    name_network,
    retire_entry,
)
from .changes import (
    BlockAlreadyEntered,
    KindUnknown,
    NotValid,
    SharedWithOthers,
    StillProvisional,
    active_entries_locked,
    announced_by,
    block_is_free,
    end_entries,
    end_one,
    free_reference,
    living_parts,
    locked_entry,
    locked_valid,
    new_entry,
    new_part,
    note_change,
    stand_for,
)
from .models import KINDS, DirectoryFollowed, Entry, Registration
from .pausing import restore, resume, suspend
from .retention import forget_entries, forget_holder, mark_forgotten
from .rules import NewEntry
from .sharing import NotAllAgreed, NotShareable, end_part, end_parts_due, leave, let_in, stay
from .still_right import ask_again, ask_whether_right, note_word, say_right

__all__ = [
    "BlockAlreadyEntered",
    "KindUnknown",
    "NotAllAgreed",
    "NotShareable",
    "NotValid",
    "SharedWithOthers",
    "StillProvisional",
    "add_entry",
    "amend_entry",
    "ask_again",
    "ask_whether_right",
    "change_parts",
    "confirm_registration",
    "end_entries_due",
    "end_entry",
    "end_part",
    "end_parts_due",
    "enter",
    "expire_due",
    "extend_entry",
    "follow_directory",
    "forget_entries",
    "forget_holder",
    "leave",
    "let_in",
    "locked_valid",
    "mark_forgotten",
    "move_entry",
    "name_network",
    "note_word",
    "prolong_provisional",
    "renew",
    "restore",
    "resume",
    "retire_entry",
    "say_right",
    "stay",
    "strike_out",
    "suspend",
]

Block = rules.Block
# Looked at in one transaction, when the directory is another.
ENTRIES_AT_A_TIME = 1_000


def enter(
    *,
    origin: str,
    holder: uuid.UUID,
    category: str,
    endpoints: Sequence[NewEntry],
    valid_from: dt.datetime,
    valid_until: dt.datetime,
    actor: str,
    now: dt.datetime,
    kind: str = "static",
    provisional_code: str = "",
    grace_until: dt.datetime | None = None,
) -> Registration:
    """Enter a registration with its endpoints. The same origin twice gives the same registration.

    With a `provisional_code` it stands provisionally until its term ends or it is confirmed. With `grace_until` it
    stays on the register so long after its term, for whoever renews late.

    Raises BlockAlreadyEntered, KindUnknown, and then nothing was entered.
    """
    for asked in (kind, *(new.kind for new in endpoints if new.kind)):
        if asked not in KINDS:
            raise KindUnknown(asked)
    with transaction.atomic():
        # Two workers with the same origin: the second waits here, then finds what the first entered.
        hold(Lock.REGISTER, origin)
        existing = queries.registration_from(origin)
        if existing is not None:
            return existing
        if rules.duplicates(endpoints):
            raise BlockAlreadyEntered(None)
        registration = Registration.objects.create(
            reference=free_reference(),
            holder=holder,
            category=category,
            origin=origin,
            valid_from=valid_from,
            valid_until=valid_until,
            grace_until=grace_until,
            created_at=now,
            last_word_at=now,
            provisional_code=provisional_code,
            provisional_until=valid_until if provisional_code else None,
        )
        for new in endpoints:
            new_entry(registration, new, kind=new.kind or kind, valid_from=valid_from, now=now)
        journal.record(
            act="register.entered",
            actor=actor,
            subject=f"registration:{registration.id}",
            now=now,
            reason=provisional_code,
            detail={"reference": registration.reference, "entries": len(endpoints)},
        )
    return registration


def enter_canary(
    *,
    block: Block,
    protocol: str,
    port: int | None,
    asn: int | None,
    valid_until: dt.datetime,
    actor: str,
    now: dt.datetime,
) -> Registration:
    """Enter an address of the register's own, listed to the operators of this network; without one to gateways alone.

    It has no holder: nobody gets a letter about it, and its number is not told. Raises BlockAlreadyEntered.
    """
    origin = uuid.uuid4()
    return enter(
        origin=f"canary:{origin}",
        holder=origin,
        category=rules.CANARY,
        endpoints=[NewEntry(f"canary:{origin}", block, protocol, port, asn)],
        valid_from=now,
        valid_until=valid_until,
        actor=actor,
        now=now,
        kind=rules.CANARY,
    )


def amend_entry(
    *,
    entry: Entry,
    block: Block,
    parts: Sequence[Part],
    asn: int | None,
    actor: str,
    now: dt.datetime,
) -> Entry:
    """Give an endpoint another address, or let something else run there. Doing it twice changes nothing.

    Raises NotValid, BlockAlreadyEntered, SharedWithOthers.
    """
    with transaction.atomic():
        registration = locked_valid(entry.registration_id, now)
        locked_entry(entry.pk)
        living = living_parts(entry)
        if not living:
            raise NotValid(registration, rules.Standing.EXPIRED)
        entry, known = living[0], {each.part for each in living}
        if (entry.block, entry.asn, known) == (block, asn, set(parts)):
            return entry
        if any(queries.is_shared_now(each) for each in living):
            raise SharedWithOthers(entry)
        new = [part for part in parts if part not in known]
        left = []
        for each in living:
            if each.part in parts:
                _put(each, block, each.part, asn, now)
            elif new:
                # In its place, so that operators hear of a change and not of a removal.
                _put(each, block, new.pop(0), asn, now)
            else:
                left.append(each)
        if entry in left:
            heir = next(each for each in living if each not in left)
            stand_for(entry, heir)
            entry = heir
        for each in left:
            end_one(each, "amend", now)
        for part in new:
            with block_is_free(block, besides=entry):
                new_part(entry, part, "amend", now)
        note_word(registration, now)
        journal.record(act="register.amended", actor=actor, subject=f"registration:{registration.id}", now=now)
    return entry


def _put(entry: Entry, block: Block, part: Part, asn: int | None, now: dt.datetime) -> None:
    if (entry.block, entry.part, entry.asn) == (block, part, asn):
        return
    entry.block, entry.protocol, entry.port, entry.asn = block, part.protocol, part.port, asn
    entry.asns = announced_by(block, asn)
    with block_is_free(block, besides=entry):
        entry.save(update_fields=["block", "protocol", "port", "asn", "asns"])
    note_change(entry, "amend", now)


def renew(
    *,
    registration: Registration,
    valid_until: dt.datetime,
    actor: str,
    now: dt.datetime,
    grace_until: dt.datetime | None = None,
) -> Registration:
    """Move the end of the term of a valid registration, and with it the entries that end with the term. Those that end
    before by themselves (an address that was left, a dynamic one) stay as they are. Raises NotValid, StillProvisional.
    """
    with transaction.atomic():
        registration = locked_valid(registration.pk, now)
        if registration.is_provisional:
            raise StillProvisional(registration)
        _move_end(registration, valid_until, now, grace_until=grace_until)
        journal.record(act="register.renewed", actor=actor, subject=f"registration:{registration.id}", now=now)
    return registration


def confirm_registration(
    *,
    registration: Registration,
    valid_until: dt.datetime,
    actor: str,
    now: dt.datetime,
    grace_until: dt.datetime | None = None,
) -> Registration:
    """What a provisional registration waited for came: it stands for its full term, under the same number.

    Operators are told of a later end and of nothing else. Doing it twice changes nothing. Raises NotValid.
    """
    with transaction.atomic():
        registration = locked_valid(registration.pk, now)
        if not registration.is_provisional:
            return registration
        code, registration.provisional_code, registration.provisional_until = registration.provisional_code, "", None
        _move_end(registration, valid_until, now, grace_until=grace_until)
        note_word(registration, now)
        journal.record(
            act="register.confirmed", actor=actor, subject=f"registration:{registration.id}", now=now, reason=code
        )
    return registration


def prolong_provisional(
    *, registration: Registration, until: dt.datetime, actor: str, now: dt.datetime
) -> Registration:
    """Let a provisional registration stand until a later day, because an officer still has to decide. Never an earlier
    one. Raises NotValid; changes nothing for one that is not provisional."""
    with transaction.atomic():
        registration = locked_valid(registration.pk, now)
        if registration.provisional_until is None or until <= registration.provisional_until:
            return registration
        registration.provisional_until = until
        _move_end(registration, until, now)
        journal.record(act="register.prolonged", actor=actor, subject=f"registration:{registration.id}", now=now)
    return registration


def _move_end(
    registration: Registration, valid_until: dt.datetime, now: dt.datetime, *, grace_until: dt.datetime | None = None
) -> None:
    was = registration.stays_until
    registration.valid_until, registration.grace_until = valid_until, grace_until
    registration.save(update_fields=["valid_until", "grace_until", "provisional_code", "provisional_until"])
    for entry in active_entries_locked(registration):
        if entry.valid_until >= was and entry.kind != "dynamic":
            entry.valid_until = registration.stays_until
            entry.save(update_fields=["valid_until"])
            note_change(entry, "renew", now)


def follow_directory(*, now: dt.datetime, at_most: int | None = None) -> int:
    """Note where the directory in use says that another network announces an address; return how many there were.

    Goes through all entries once for each directory that is another, at most so many at a time, on from where it was
    left. What the feed says of an entry stays as it is; who gets it follows.
    """
    known = directory.current()
    changed, left = 0, at_most
    while left is None or left > 0:
        with transaction.atomic():
            followed, _ = DirectoryFollowed.objects.select_for_update().get_or_create(
                pk=1, defaults={"fingerprint": known.fingerprint}
            )
            if followed.fingerprint != known.fingerprint:
                followed.fingerprint, followed.reached, followed.done = known.fingerprint, None, False
            if followed.done:
                return changed
            part = list(queries.active_after(followed.reached)[:ENTRIES_AT_A_TIME])
            changed += sum(_rerouted(entry, known, now) for entry in part)
            followed.done = len(part) < ENTRIES_AT_A_TIME
            followed.reached = part[-1].pk if part and not followed.done else None
            followed.save()
        if left is not None:
            left -= len(part)
    return changed


def _rerouted(seen: Entry, known: directory.Directory, now: dt.datetime) -> bool:
    if seen.kind == rules.CANARY or announced_by(seen.block, seen.asn, known) == seen.asns:
        return False
    entry = locked_entry(seen.pk)
    if entry is None or entry.ended_at is not None:
        return False
    asns = announced_by(entry.block, entry.asn, known)
    if asns == entry.asns:
        return False
    entry.asns = asns
    entry.save(update_fields=["asns"])
    note_change(entry, "reroute", now)
    journal.record(
        act="register.rerouted",
        actor="clock",
        subject=f"registration:{entry.registration_id}",
        now=now,
        detail={"asns": asns},
    )
    return True


def strike_out(*, registration: Registration, code: str, actor: str, now: dt.datetime) -> Registration:
    """End a registration for a reason (a code of the policy). Doing it twice changes nothing. Raises NotValid."""
    with transaction.atomic():
        registration = Registration.objects.select_for_update().get(pk=registration.pk)
        if registration.struck_out_at is not None:
            return registration
        registration = locked_valid(registration.pk, now)
        registration.struck_out_at, registration.struck_out_code, registration.struck_out_by = now, code, actor
        registration.save(update_fields=["struck_out_at", "struck_out_code", "struck_out_by"])
        end_entries(registration, "strike_out", now)
        journal.record(
            act="register.struck_out", actor=actor, subject=f"registration:{registration.id}", now=now, reason=code
        )
    return registration


@each_of(queries.due_to_expire, lock=True)
def expire_due(registration: Registration, now: dt.datetime) -> None:
    """Registrations past their term."""
    registration.expired_at = now
    registration.save(update_fields=["expired_at"])
    end_entries(registration, "expire", now)
    journal.record(act="register.expired", actor="clock", subject=f"registration:{registration.id}", now=now)
