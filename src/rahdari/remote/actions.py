"""The acts of remote: tell how many, make links, agree, move, withdraw, end.

Invariants: nobody's line is registered but by a press of a button from that very line, by whoever holds the link,
after reading what is kept; the organisation chooses no address and is shown none; whoever agreed may withdraw at any
time, and then the entry ends at once. The journal names the line by its number; no act here knows a person.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse

from rahdari.address import Address, Part, Protocol, directory, in_order, is_global
from rahdari.archive.actions import Box
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.policy import RemoteStaff
from rahdari.register import address_changes, changes
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import HOME, new_endpoint

from . import queries, rules
from .models import HomeConnection, StaffGateway
from .rules import HomeConnectionState, WhyNot

# So long the old address stays beside the new one.
OVERLAP = dt.timedelta(minutes=10)


class TooManyLines(RahdariError):
    """More links than there is room for. `.room` is how many may still be made."""

    says = "{room}"
    room: int


class NotFromHere(RahdariError):
    """Nothing is registered from this address. `.why`"""

    says = "{why}"
    why: WhyNot


class LineOver(Exception):
    """The link has ended, or the line was withdrawn or ended, or its registration was."""


@dataclass(frozen=True)
class From:
    """Where a press of the button came from. `allowed` are special ranges that count all the same (demonstration)."""

    address: Address
    allowed: tuple[str, ...] = ()


@transaction.atomic
def set_workers(*, registration: Registration, workers: int, actor: str, now: dt.datetime) -> StaffGateway:
    """How many people work over it from elsewhere. The same number again changes nothing."""
    known = queries.gateway_of(registration)
    if known is not None and known.workers == workers:
        return known
    gateway, _ = StaffGateway.objects.update_or_create(
        registration=registration, defaults={"workers": workers, "notified_at": now}
    )
    journal.record(
        act="remote.told_workers",
        actor=actor,
        subject=f"registration:{registration.pk}",
        now=now,
        detail={"workers": workers},
    )
    return gateway


@transaction.atomic
def make_links(
    *,
    registration: Registration,
    count: int,
    workers: int,
    policy: RemoteStaff,
    actor: str,
    now: dt.datetime,
    id: uuid.UUID | None = None,
) -> list[HomeConnection]:
    """Links for so many more people. The same `id` twice gives the same ones. Raises TooManyLines, and then none was
    made; NotValid when it has ended.
    """
    registration = changes.locked_valid(registration.pk, now)
    known = list(queries.lines_of(registration))
    if id is not None and any(line.pk == uuid.uuid5(id, "0") for line in known):
        names = {uuid.uuid5(id, str(place)) for place in range(count)}
        return [line for line in known if line.pk in names]
    room = rules.room_for(workers=workers, most=policy.most_lines, live=sum(queries.live(line, now) for line in known))
    if not 1 <= count <= room:
        raise TooManyLines(room)
    first = known[-1].number + 1 if known else 1
    made = []
    for place in range(count):
        line = HomeConnection(
            id=uuid.uuid5(id, str(place)) if id is not None else uuid.uuid4(),
            registration=registration,
            number=first + place,
            made_at=now,
            link_ends_at=now + policy.link_valid,
        )
        line.link_index = queries.link_index(queries.token_of(line))
        made.append(line)
    HomeConnection.objects.bulk_create(made)
    journal.record(
        act="remote.made_links",
        actor=actor,
        subject=f"registration:{registration.pk}",
        now=now,
        detail={"first": first, "count": count},
    )
    return made


@transaction.atomic
def agree(*, line: HomeConnection, source: From, policy: RemoteStaff, now: dt.datetime) -> HomeConnection:
    """Register the line that the button was pressed from; of one that stands, the address that it has now.

    Raises LineOver, NotFromHere; then nothing was changed.
    """
    line = HomeConnection.objects.select_for_update().get(pk=line.pk)
    stands = line.state == HomeConnectionState.STANDING
    if not queries.is_open(line, now) and not stands:
        raise LineOver
    try:
        registration = changes.locked_valid(line.registration_id, now)
    except changes.NotValid:
        raise LineOver from None
    block = rules.line_of(source.address)
    entry = line.entry
    if stands and entry is not None and entry.ended_at is None and entry.block == block:
        return line
    if not is_global(source.address, allowed=source.allowed):
        raise NotFromHere(WhyNot.NOT_PUBLIC)
    if stands and not rules.may_change(changed_at=line.changed_at, now=now, every=policy.change_every):
        raise NotFromHere(WhyNot.TOO_SOON)
    origin = directory.current().origin(block)
    if origin is None:
        raise NotFromHere(WhyNot.UNKNOWN_NETWORK)
    _nobody_else_has(registration, block, now)
    name = f"{HOME}{line.pk}:{line.changes}"
    try:
        if stands and entry is not None and entry.ended_at is None:
            line.entry = address_changes.move_entry(
                entry=entry,
                block=block,
                asn=origin.asn,
                origin=name,
                until=None,
                overlap_until=now + OVERLAP,
                actor=_actor(line),
                now=now,
            )
        else:
            new = new_endpoint(name, block, _parts(registration), origin.asn)
            line.entry = address_changes.add_entry(registration=registration, new=new, actor=_actor(line), now=now)
    except changes.BlockAlreadyEntered:
        raise NotFromHere(WhyNot.TAKEN) from None
    line.changes += 1
    if stands:
        line.changed_at = now
    else:
        line.state, line.agreed_at, line.agreed_to = HomeConnectionState.STANDING.value, now, rules.WORDS
    line.save()
    _record(line, "moved" if stands else "agreed", _actor(line), now)
    return line


def _nobody_else_has(registration: Registration, block: rules.Block, now: dt.datetime) -> None:
    """At the office the gateway itself is seen; in one house a colleague may have agreed already. An address that was
    left makes room."""
    for found in entries.overlapping_active(block=block):
        if found.was_left:
            address_changes.end_entry(entry=found, why="yield", now=now)
        elif found.registration_id == registration.pk and not found.origin.startswith(HOME):
            raise NotFromHere(WhyNot.AT_THE_OFFICE)
        else:
            raise NotFromHere(WhyNot.TAKEN)


def _parts(registration: Registration) -> tuple[Part, ...]:
    """What is spoken to the gateway; at home the ports are any."""
    spoken = {entry.protocol for entry in entries.own_entries_of(registration) if entry.ended_at is None}
    return in_order(Part(Protocol(protocol)) for protocol in spoken or {"any"})


@transaction.atomic
def withdraw(*, line: HomeConnection, now: dt.datetime) -> HomeConnection:
    """The person who agreed takes it back: the entry ends at once, and the organisation hears of the number alone.

    Doing it twice changes nothing. Raises LineOver of one that never stood.
    """
    line = HomeConnection.objects.select_for_update().get(pk=line.pk)
    if line.state == HomeConnectionState.WITHDRAWN:
        return line
    if line.state != HomeConnectionState.STANDING:
        raise LineOver
    _end(line, HomeConnectionState.WITHDRAWN, now)
    _record(line, "withdrew", _actor(line), now)
    for person in people.people_to_notify(line.registration.holder):
        letters.write_once(
            to=person,
            template="home_line_withdrawn",
            about=f"registration:{line.registration_id}",
            once=f"line:{line.pk}",
            context={
                "registration": line.registration.reference,
                "number": line.number,
                "url": reverse("portal:remote_staff", args=[line.registration.reference]),
            },
            now=now,
        )
    return line


@transaction.atomic
def end_line(*, line: HomeConnection, actor: str, now: dt.datetime) -> HomeConnection:
    """The organisation needs the line or its link no more. Doing it twice changes nothing."""
    line = HomeConnection.objects.select_for_update().get(pk=line.pk)
    if line.state not in rules.LIVE:
        return line
    _end(line, HomeConnectionState.ENDED, now)
    _record(line, "ended", actor, now)
    return line


def _end(line: HomeConnection, state: HomeConnectionState, now: dt.datetime) -> None:
    standing = entries.entries_of(line.registration).filter(origin__startswith=f"{HOME}{line.pk}:")
    for entry in standing.filter(ended_at__isnull=True):
        address_changes.end_entry(entry=entry, why="lapse", now=now)
    line.state, line.ended_at = state.value, now
    line.save(update_fields=["state", "ended_at"])


def _actor(line: HomeConnection) -> str:
    return f"line:{line.pk}"


def _record(line: HomeConnection, act: str, actor: str, now: dt.datetime) -> None:
    journal.record(
        act=f"remote.{act}",
        actor=actor,
        subject=f"registration:{line.registration_id}",
        now=now,
        detail={"number": line.number},
    )


def forget(*, registration: Registration, box: Box) -> list[str]:
    """Of a registration whose holder is forgotten: how many worked there, and every line. Gives the subjects by which
    other rooms know the lines."""
    lines = HomeConnection.objects.filter(registration=registration)
    subjects = [origin for line in lines for origin in (f"line:{line.pk}", f"{HOME}{line.pk}:{line.changes}")]
    box.take(lines)
    lines.delete()
    StaffGateway.objects.filter(registration=registration).delete()
    return subjects


def drop_entry(*, entry: Entry) -> None:
    """The entry of a line that is over goes, and nothing says any more which address that was."""
    HomeConnection.objects.filter(
        entry=entry, state__in=[HomeConnectionState.WITHDRAWN, HomeConnectionState.ENDED]
    ).update(entry=None)
