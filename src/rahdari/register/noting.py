"""What the acts of the register share: their refusals, locking, and the note of a change. Reached through `actions`."""

import datetime as dt
import ipaddress
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, connection, transaction

from rahdari.address import directory

from . import queries, reference, rules
from .models import Change, Entry, Registration

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def announced_by(block: Block, asn: int | None, known: directory.Directory | None = None) -> list[int]:
    """The networks of an address by the directory; where that knows none, the one that the application was held
    against."""
    found = (known or directory.current()).asns(block)
    return list(found) if found or asn is None else [asn]


def listed_to(canary: rules.NewEntry) -> list[int]:
    """To whom it was meant for, whoever announces the address."""
    return [] if canary.asn is None else [canary.asn]


def end_entries(registration: Registration, act: str, now: dt.datetime) -> None:
    for entry in active_entries_locked(registration):
        entry.ended_at, entry.end_reason = now, act
        entry.save(update_fields=["ended_at", "end_reason"])
        note_change(entry, act, now)


def active_entries_locked(registration: Registration) -> list[Entry]:
    return list(
        Entry.objects.select_for_update().filter(registration=registration, ended_at__isnull=True).order_by("id")
    )


def locked_valid(pk: uuid.UUID, now: dt.datetime) -> Registration:
    registration = Registration.objects.select_for_update().get(pk=pk)
    standing = queries.standing(registration, now)
    if standing is not rules.Standing.VALID:
        raise NotValid(registration, standing)
    return registration


def note_change(entry: Entry, act: str, now: dt.datetime) -> None:
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


def new_entry(
    registration: Registration,
    new: rules.NewEntry,
    *,
    kind: str,
    valid_from: dt.datetime,
    now: dt.datetime,
    follows: Entry | None = None,
) -> Entry:
    """One more entry of a registration. Raises BlockAlreadyEntered."""
    until = min(new.until, registration.stays_until) if new.until is not None else registration.stays_until
    with block_is_free(new.block):
        entry = Entry.objects.create(
            registration=registration,
            origin=new.origin,
            holder=registration.holder,
            block=new.block,
            protocol=new.protocol,
            port=new.port,
            asn=new.asn,
            asns=listed_to(new) if kind == rules.CANARY else announced_by(new.block, new.asn),
            kind=kind,
            follows=follows,
            valid_from=valid_from,
            valid_until=until,
        )
    note_change(entry, "move" if follows is not None else "enter", now)
    return entry


def hold_name(name: str) -> None:
    """Wait for others that act on the same name, until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7))", [name])


@contextmanager
def block_is_free(block: Block, *, besides: Entry | None = None) -> Iterator[None]:
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


def free_reference() -> str:
    while True:
        candidate = reference.make()
        if not Registration.objects.filter(reference=candidate).exists():
            return candidate
