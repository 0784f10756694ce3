"""The acts of the register. Each is one transaction, one journal row and one change for each entry it touches."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError, connection, transaction

from rahdari.address import directory
from rahdari.journal import actions as journal

from . import queries, reference, rules
from .models import KINDS, Change, DirectoryFollowed, Entry, Registration
from .rules import NewEntry

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
# Looked at in one transaction, when the directory is another.
ENTRIES_AT_A_TIME = 1_000


class BlockAlreadyEntered(Exception):
    """The address is under another holder already, or twice under this one. `.entry` is what stands in the way."""

    def __init__(self, entry: Entry | None) -> None:
        super().__init__(f"already entered: {entry}")
        self.entry = entry


class NotValid(Exception):
    """The act needs a valid registration. `.registration` and `.standing` say how it stands."""

    def __init__(self, registration: Registration, standing: rules.Standing) -> None:
        super().__init__(f"{registration.reference} is {standing}")
        self.registration, self.standing = registration, standing


class StandsProvisionally(Exception):
    """A provisional registration is confirmed or prolonged, never renewed. `.registration`"""

    def __init__(self, registration: Registration) -> None:
        super().__init__(f"{registration.reference} stands provisionally")
        self.registration = registration


class KindUnknown(Exception):
    """No kind of entries. `.kind`"""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


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
) -> Registration:
    """Enter a registration with its endpoints. The same origin twice gives the same registration.

    With a `provisional_code` it stands provisionally until its term ends or it is confirmed.

    Raises BlockAlreadyEntered, KindUnknown, and then nothing was entered.
    """
    if kind not in KINDS:
        raise KindUnknown(kind)
    existing = queries.registration_from(origin)
    if existing is not None:
        return existing
    if rules.duplicates(endpoints):
        raise BlockAlreadyEntered(None)
    with transaction.atomic():
        # Two workers with the same origin: the second waits here, then finds what the first entered.
        _hold_name(origin)
        existing = queries.registration_from(origin)
        if existing is not None:
            return existing
        registration = Registration.objects.create(
            reference=_free_reference(),
            holder=holder,
            category=category,
            origin=origin,
            valid_from=valid_from,
            valid_until=valid_until,
            created_at=now,
            provisional_code=provisional_code,
            provisional_until=valid_until if provisional_code else None,
        )
        for new in endpoints:
            with _block_is_free(new.block):
                entry = Entry.objects.create(
                    registration=registration,
                    origin=new.origin,
                    holder=holder,
                    block=new.block,
                    protocol=new.protocol,
                    port=new.port,
                    asn=new.asn,
                    asns=_listed_to(new) if kind == rules.CANARY else _announced_by(new.block, new.asn),
                    kind=kind,
                    valid_from=valid_from,
                    valid_until=valid_until,
                )
            _note_change(entry, "enter", now)
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
    protocol: str,
    port: int | None,
    asn: int | None,
    actor: str,
    now: dt.datetime,
) -> Entry:
    """Give an active entry another address, protocol or port. Doing it twice changes nothing.

    Raises NotValid, BlockAlreadyEntered.
    """
    with transaction.atomic():
        registration = _locked_valid(entry.registration_id, now)
        entry = Entry.objects.select_for_update().get(pk=entry.pk)
        if entry.ended_at is not None:
            raise NotValid(registration, rules.Standing.EXPIRED)
        if (entry.block, entry.protocol, entry.port, entry.asn) == (block, protocol, port, asn):
            return entry
        entry.block, entry.protocol, entry.port, entry.asn = block, protocol, port, asn
        entry.asns = _announced_by(block, asn)
        with _block_is_free(block, besides=entry):
            entry.save(update_fields=["block", "protocol", "port", "asn", "asns"])
        _note_change(entry, "amend", now)
        journal.record(act="register.amended", actor=actor, subject=f"registration:{registration.id}", now=now)
    return entry


def renew(*, registration: Registration, valid_until: dt.datetime, actor: str, now: dt.datetime) -> Registration:
    """Move the end of the term of a valid registration. Raises NotValid, StandsProvisionally."""
    with transaction.atomic():
        registration = _locked_valid(registration.pk, now)
        if registration.is_provisional:
            raise StandsProvisionally(registration)
        _move_end(registration, valid_until, now)
        journal.record(act="register.renewed", actor=actor, subject=f"registration:{registration.id}", now=now)
    return registration


def confirm_registration(
    *, registration: Registration, valid_until: dt.datetime, actor: str, now: dt.datetime
) -> Registration:
    """What a provisional registration waited for came: it stands for its full term, under the same number.

    Operators are told of a later end and of nothing else. Doing it twice changes nothing. Raises NotValid.
    """
    with transaction.atomic():
        registration = _locked_valid(registration.pk, now)
        if not registration.is_provisional:
            return registration
        code, registration.provisional_code, registration.provisional_until = registration.provisional_code, "", None
        _move_end(registration, valid_until, now)
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
        registration = _locked_valid(registration.pk, now)
        if registration.provisional_until is None or until <= registration.provisional_until:
            return registration
        registration.provisional_until = until
        _move_end(registration, until, now)
        journal.record(act="register.prolonged", actor=actor, subject=f"registration:{registration.id}", now=now)
    return registration


def _move_end(registration: Registration, valid_until: dt.datetime, now: dt.datetime) -> None:
    registration.valid_until = valid_until
    registration.save(update_fields=["valid_until", "provisional_code", "provisional_until"])
    for entry in _active_entries_locked(registration):
        entry.valid_until = valid_until
        entry.save(update_fields=["valid_until"])
        _note_change(entry, "renew", now)


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
    if seen.kind == rules.CANARY or _announced_by(seen.block, seen.asn, known) == seen.asns:
        return False
    entry = Entry.objects.select_for_update().get(pk=seen.pk)
    asns = _announced_by(entry.block, entry.asn, known)
    if entry.ended_at is not None or asns == entry.asns:
        return False
    entry.asns = asns
    entry.save(update_fields=["asns"])
    _note_change(entry, "reroute", now)
    journal.record(
        act="register.rerouted",
        actor="clock",
        subject=f"registration:{entry.registration_id}",
        now=now,
        detail={"asns": asns},
    )
    return True


def _announced_by(block: Block, asn: int | None, known: directory.Directory | None = None) -> list[int]:
    """The networks of an address by the directory; where that knows none, the one that the application was held
    against."""
    found = (known or directory.current()).asns(block)
    return list(found) if found or asn is None else [asn]


def _listed_to(canary: NewEntry) -> list[int]:
    """To whom it was meant for, whoever announces the address."""
    return [] if canary.asn is None else [canary.asn]


def strike_out(*, registration: Registration, code: str, actor: str, now: dt.datetime) -> Registration:
    """End a valid registration for a reason (a code of the policy). Doing it twice changes nothing. Raises NotValid."""
    with transaction.atomic():
        registration = Registration.objects.select_for_update().get(pk=registration.pk)
        if registration.struck_out_at is not None:
            return registration
        registration = _locked_valid(registration.pk, now)
        registration.struck_out_at, registration.struck_out_code = now, code
        registration.save(update_fields=["struck_out_at", "struck_out_code"])
        _end_entries(registration, "strike_out", now)
        journal.record(
            act="register.struck_out", actor=actor, subject=f"registration:{registration.id}", now=now, reason=code
        )
    return registration


def expire_due(*, now: dt.datetime, limit: int = 500) -> int:
    """Expire registrations past their term, each in its own transaction; return how many."""
    count = 0
    for pk in list(queries.due_to_expire(now=now).values_list("pk", flat=True)[:limit]):
        with transaction.atomic():
            registration = queries.due_to_expire(now=now).select_for_update(skip_locked=True).filter(pk=pk).first()
            if registration is None:
                continue
            registration.expired_at = now
            registration.save(update_fields=["expired_at"])
            _end_entries(registration, "expire", now)
            journal.record(act="register.expired", actor="clock", subject=f"registration:{registration.id}", now=now)
            count += 1
    return count


def _end_entries(registration: Registration, act: str, now: dt.datetime) -> None:
    for entry in _active_entries_locked(registration):
        entry.ended_at, entry.end_reason = now, act
        entry.save(update_fields=["ended_at", "end_reason"])
        _note_change(entry, act, now)


def _active_entries_locked(registration: Registration) -> list[Entry]:
    return list(
        Entry.objects.select_for_update().filter(registration=registration, ended_at__isnull=True).order_by("id")
    )


def _locked_valid(pk: uuid.UUID, now: dt.datetime) -> Registration:
    registration = Registration.objects.select_for_update().get(pk=pk)
    standing = queries.standing(registration, now)
    if standing is not rules.Standing.VALID:
        raise NotValid(registration, standing)
    return registration


def _note_change(entry: Entry, act: str, now: dt.datetime) -> None:
    snapshot = {}
    if entry.ended_at is None:
        snapshot = rules.feed_fields(
            feed_id=entry.feed_id,
            block=entry.block,
            protocol=entry.protocol,
            port=entry.port,
            valid_from=entry.valid_from,
            valid_until=entry.valid_until,
        )
    Change.objects.create(entry=entry, act=act, at=now, snapshot=snapshot, asns=entry.asns)
    # NOTIFY is delivered at commit, and never when the act is rolled back.
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_publish")


def _hold_name(name: str) -> None:
    """Wait for others that act on the same name, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [name])


@contextmanager
def _block_is_free(block: Block, *, besides: Entry | None = None) -> Iterator[None]:
    """Turn the database's refusal of an overlap into BlockAlreadyEntered."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if "no_block_under_two_holders" in str(error) or "one_holder_has_an_endpoint_once" in str(error):
            in_the_way = queries.overlapping_active(block=block)
            if besides is not None:
                in_the_way = in_the_way.exclude(pk=besides.pk)
            raise BlockAlreadyEntered(in_the_way.first()) from None
        raise


def _free_reference() -> str:
    while True:
        candidate = reference.make()
        if not Registration.objects.filter(reference=candidate).exists():
            return candidate
