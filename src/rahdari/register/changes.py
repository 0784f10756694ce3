"""What the acts of the register share: their refusals, locking, and the note of a change. Reached through `actions`."""

import datetime as dt
import ipaddress
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from django.db.models import Q

from rahdari.address import Part, directory
from rahdari.db.locks import Lock, hold
from rahdari.db.wake import Channel, wake
from rahdari.errors import RahdariError

from . import queries, reference, rules
from .models import Change, CoHolder, Entry, Registration

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


# The constraints that an entry of another, or the same once more, runs into.
IN_THE_WAY = ("no_block_under_two_holders", "one_holder_has_an_endpoint_once", "an_endpoint_has_one_line")


class BlockAlreadyEntered(RahdariError):
    """The address is under another holder already, or twice under this one. `.entry` is what stands in the way."""

    says = "already entered: {entry}"
    entry: Entry | None


class NotValid(RahdariError):
    """The act needs a valid registration. `.registration` and `.standing` say how it stands."""

    says = "{registration.reference} is {standing}"
    registration: Registration
    standing: rules.Standing


class SharedWithOthers(RahdariError):
    """The entry is of a shared block, and its line in the feed may be that of others too: another endpoint is added,
    and this one left. `.entry`"""

    says = "shared: {entry}"
    entry: Entry


class StillProvisional(RahdariError):
    """A provisional registration is confirmed or prolonged, never renewed. `.registration`"""

    says = "{registration.reference} stands provisionally"
    registration: Registration


class KindUnknown(RahdariError):
    """No kind of entries. `.kind`"""

    says = "{kind}"
    kind: str


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
        end_one(entry, act, now)


def end_one(entry: Entry, act: str, now: dt.datetime) -> None:
    """End an entry that the caller has locked. With the last one of a shared block its holder's part in it is over."""
    entry.ended_at, entry.end_reason = now, act
    entry.save(update_fields=["ended_at", "end_reason"])
    note_change(entry, act, now)
    theirs = Entry.objects.filter(shared=entry.shared_id, holder=entry.holder, ended_at__isnull=True)
    if entry.shared_id is not None and not theirs.exists():
        for sharer in CoHolder.objects.filter(shared=entry.shared_id, holder=entry.holder, ended_at__isnull=True):
            end_sharer(sharer, now)


def end_sharer(sharer: CoHolder, now: dt.datetime) -> None:
    """Its part is over. Whoever was to leave because of it may stay; whoever is left alone has the block as anybody has
    one, unless its line in the feed began with another."""
    sharer.ended_at = now
    sharer.save(update_fields=["ended_at"])
    left = CoHolder.objects.filter(shared=sharer.shared_id, ended_at__isnull=True)
    left.filter(withdrawn_by=sharer.holder).update(leaves_at=None, withdrawn_by=None)
    alone = list(left[:2])
    living = Entry.objects.filter(shared=sharer.shared_id, ended_at__isnull=True)
    if len(alone) == 1 and living.exists() and not living.filter(carrier__isnull=False).exists():
        living.update(shared=None)
        left.update(ended_at=now)


def active_entries_locked(registration: Registration) -> list[Entry]:
    active = Entry.objects.filter(registration=registration, ended_at__isnull=True)
    # Always the shared blocks first, in one order: two holders of the same two end at the same moment, and neither
    # waits for the other.
    for shared in sorted(set(active.filter(shared__isnull=False).values_list("shared", flat=True))):
        hold_shared(shared)
    return list(active.select_for_update().order_by("id"))


def locked_entry(pk: uuid.UUID, *, skip_locked: bool = False) -> Entry | None:
    """One entry, and before it the block that it shares. None when another process has it (`skip_locked`)."""
    shared = Entry.objects.filter(pk=pk).values_list("shared", flat=True).get()
    if shared is not None:
        hold_shared(shared)
    return Entry.objects.select_for_update(skip_locked=skip_locked).filter(pk=pk).first()


def living_parts(entry: Entry) -> list[Entry]:
    """The endpoint that an entry is of: all its entries that have not ended, locked, the one that stands for it in
    front."""
    if entry.shared_id is not None:
        hold_shared(entry.shared_id)
    lead = entry.part_of_id or entry.pk
    found = Entry.objects.filter(Q(pk=lead) | Q(part_of=lead), ended_at__isnull=True)
    return sorted(found.select_for_update().order_by("id"), key=lambda each: each.pk != lead)


def stand_for(lead: Entry, heir: Entry) -> None:
    """Another entry stands for the endpoint from now on: the first one leaves before its parts."""
    heir.part_of = None
    heir.save(update_fields=["part_of"])
    Entry.objects.filter(part_of=lead, ended_at__isnull=True).exclude(pk=heir.pk).update(part_of=heir)
    lead.part_of = heir
    lead.save(update_fields=["part_of"])


def hold_shared(shared: uuid.UUID) -> None:
    """One act at a time on a shared block: what the feed says of it is made of all its entries."""
    hold(Lock.REGISTER, f"shared:{shared}")


def locked_valid(pk: uuid.UUID, now: dt.datetime) -> Registration:
    """A registration that is there, locked; one that is suspended too: what becomes of it meanwhile is listed when it
    resumes. Raises NotValid."""
    registration = Registration.objects.select_for_update().get(pk=pk)
    standing = queries.standing(registration, now)
    if standing not in rules.STANDING:
        raise NotValid(registration, standing)
    return registration


def note_change(entry: Entry, act: str, now: dt.datetime) -> None:
    """What the feed says from now on. Of a shared endpoint that is one line, there as long as one of its entries is:
    its id and its beginning stay those of the first, its end is that of the last."""
    if entry.shared_id is not None:
        hold_shared(entry.shared_id)
    line = entry.line
    living = [entry] if entry.ended_at is None and entry.registration.suspended_at is None else []
    if entry.shared_id is not None:
        listed = Entry.objects.filter(ended_at__isnull=True, registration__suspended_at__isnull=True)
        living = list(listed.filter(Q(pk=line.pk) | Q(carrier=line)).order_by("id"))
        if living and line not in living:
            _keep_networks(line, living)
    snapshot = {}
    if living:
        snapshot = rules.feed_fields(
            feed_id=line.feed_id,
            block=line.block,
            protocol=line.protocol,
            port=line.port,
            kind=line.kind,
            valid_from=line.valid_from,
            valid_until=max(each.valid_until for each in living),
        )
    about = entry if line.pk != entry.pk else None
    Change.objects.create(entry=line, about=about, act=act, at=now, snapshot=snapshot, asns=line.asns)
    wake(Channel.PUBLISH)


def _keep_networks(line: Entry, living: list[Entry]) -> None:
    """A line whose own entry has ended: who gets it follows the entries that live on it."""
    asns = sorted({asn for each in living for asn in each.asns})
    if asns != line.asns:
        line.asns = asns
        line.save(update_fields=["asns"])


def new_entry(
    registration: Registration,
    new: rules.NewEntry,
    *,
    kind: str,
    valid_from: dt.datetime,
    now: dt.datetime,
    follows: Entry | None = None,
) -> Entry:
    """One more endpoint of a registration: an entry, and one for each further part. Raises BlockAlreadyEntered."""
    lead: Entry | None = None
    act = "move" if follows is not None else "enter"
    for each in new.at_parts():
        entry = _enter(registration, each, kind=kind, valid_from=valid_from, part_of=lead, follows=follows)
        note_change(entry, act, now)
        lead, follows = lead or entry, None
    return lead  # type: ignore[return-value]  # there is at least one part


def new_part(lead: Entry, part: Part, act: str, now: dt.datetime) -> Entry:
    """One more part of an endpoint that is there; it ends with it."""
    registration = lead.registration
    new = rules.NewEntry(lead.subject, lead.block, part.protocol, part.port, lead.asn, until=lead.valid_until)
    entry = _enter(registration, new, kind=lead.kind, valid_from=now, part_of=lead)
    note_change(entry, act, now)
    return entry


def _enter(
    registration: Registration,
    new: rules.NewEntry,
    *,
    kind: str,
    valid_from: dt.datetime,
    part_of: Entry | None = None,
    follows: Entry | None = None,
) -> Entry:
    until = min(new.until, registration.stays_until) if new.until is not None else registration.stays_until
    sharer = queries.sharer_of(block=new.block, holder=registration.holder) if kind == "static" else None
    carrier = None
    if sharer is not None:
        hold_shared(sharer.shared_id)
        same = queries.active_of_shared(sharer.shared_id).filter(protocol=new.protocol, port=new.port).first()
        carrier = same.line if same is not None else None
    with block_is_free(new.block):
        return Entry.objects.create(
            registration=registration,
            # Of a part the name need only be another: it may go and come back.
            origin=new.origin if part_of is None else f"{new.origin}#{secrets.token_hex(6)}",
            holder=registration.holder,
            block=new.block,
            protocol=new.protocol,
            port=new.port,
            asn=new.asn,
            asns=listed_to(new) if kind == rules.CANARY else announced_by(new.block, new.asn),
            kind=kind,
            part_of=part_of,
            follows=follows,
            shared_id=sharer.shared_id if sharer is not None else None,
            carrier=carrier,
            valid_from=valid_from,
            valid_until=until,
        )


@contextmanager
def block_is_free(block: Block, *, besides: Entry | None = None) -> Iterator[None]:
    """Turn the database's refusal of an overlap into BlockAlreadyEntered."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if any(name in str(error) for name in IN_THE_WAY):
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
