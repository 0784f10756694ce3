"""Which streams there are, how one is filled from the register and opened, and who follows which.

Invariants: the streams of everything are there always, and list every entry that has been cut; a stream that is filled
takes part in each cut from its first moment, so that nothing is missed while it is; whoever changes what streams list,
or where their sessions stand, holds `Lock.STREAMS`.
"""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from rahdari.db.locks import Lock, hold
from rahdari.feed import SetDigest
from rahdari.feed.repository import KINDS, role_of

from . import rules
from .models import Delegation, Edition, File, Listing, Operator, PendingChange, Session, Stream


def present() -> QuerySet[Stream]:
    return Stream.objects.filter(retired_at=None)


def concerned(*, roles: Iterable[str], asns: Iterable[int], by: str = "") -> Q:
    """Of streams that are present: those that may get entries of these roles and networks. `by` leads to the stream."""
    rights = Q(**{f"{by}everything": True}) | Q(**{f"{by}asns__overlap": sorted(asns)})
    return rights & Q(**{f"{by}role__in": list(roles)})


def rights_of(operator: Operator) -> tuple[bool, list[int]]:
    """What a stream for this operator has as `everything` and `asns`."""
    return operator.gateway, [] if operator.gateway else sorted(set(operator.asns))


def of_rights(operator: Operator) -> QuerySet[Stream]:
    everything, asns = rights_of(operator)
    return present().filter(everything=everything, asns=asns)


# -- opening -------------------------------------------------------------------------------------------------------


def open_everything(now: dt.datetime) -> list[Edition]:
    """The streams of everything, at the first time. The caller holds `Lock.STREAMS`."""
    editions = []
    there = set(present().filter(everything=True).values_list("role", flat=True))
    for role in (role_of(kind) for kind in KINDS):
        if role not in there:
            stream = Stream.objects.create(role=role, everything=True, created_at=now, filled_to=None)
            editions.append(open_session(stream=stream, sequence=0, now=now))
    return editions


def open_session(*, stream: Stream, sequence: int, now: dt.datetime) -> Edition:
    """Begin another session of a stream, at this sequence or a little above, with the set that it lists now; return its
    first edition.

    Agents load a snapshot of it, so nothing leads there until one is written. The caller holds `Lock.STREAMS`.
    """
    sequence = rules.first_at_or_after(sequence)
    last = Session.objects.select_for_update().filter(stream=stream, closed_at=None).first()
    if last is not None:
        last.closed_at = now
        last.save(update_fields=["closed_at"])
    session = Session.objects.create(
        stream=stream,
        opened_at=now,
        first_sequence=sequence,
        sequence=sequence,
        entries=last.entries if last else 0,
        state=bytes(last.state) if last else SetDigest().state,
    )
    return _first_edition(session, now)


def _first_edition(session: Session, now: dt.datetime) -> Edition:
    return Edition.objects.create(
        stream_id=session.stream_id,
        session=session,
        sequence=session.sequence,
        cut_at=now,
        digest=SetDigest(bytes(session.state)).hexdigest(),
        entries=session.entries,
        changes=0,
    )


# -- who wants which -----------------------------------------------------------------------------------------------


def want(operator: Operator, *, now: dt.datetime) -> None:
    """See to it that there are streams of an operator's rights; the publisher fills what is new."""
    everything, asns = rights_of(operator)
    if everything:
        with transaction.atomic():
            hold(Lock.STREAMS)
            open_everything(now)
    for kind in KINDS:
        role = role_of(kind)
        stream = present().filter(role=role, everything=everything, asns=asns).first()
        if stream is not None:
            if not stream.followed:
                present().filter(pk=stream.pk).update(followed=True)
            continue
        stream = Stream.objects.create(role=role, asns=asns, followed=True, created_at=now)
        left = followed_by(operator).filter(role=role).first()
        at = rules.first_at_or_after(_sequence_of(left) + rules.ROOM_FOR_MEANWHILE) if left is not None else 0
        Session.objects.create(stream=stream, opened_at=now, first_sequence=at, sequence=at)


def followed_by(operator: Operator) -> QuerySet[Stream]:
    return Stream.objects.filter(followings__operator=operator, followings__left_at=None)


def _sequence_of(stream: Stream) -> int:
    return Session.objects.get(stream=stream, closed_at=None).sequence


def retire_unwanted(now: dt.datetime) -> None:
    """Let go of streams that nobody follows and nobody is to follow."""
    wanted = {(everything, tuple(asns)) for everything, asns in map(rights_of, Operator.objects.filter(active=True))}
    for stream in present().filter(followed=True):
        if (stream.everything, tuple(stream.asns)) in wanted or stream.followings.filter(left_at=None).exists():
            continue
        with transaction.atomic():
            hold(Lock.STREAMS)
            stream.followed = False
            if not stream.everything:
                stream.retired_at = now
            stream.save(update_fields=["followed", "retired_at"])
            File.objects.filter(session__stream=stream, dropped_at=None).update(dropped_at=now)


def tidy_retired() -> None:
    """Delete a part of what retired streams list, so that it goes without holding anybody up."""
    part = Listing.objects.filter(stream__retired_at__isnull=False).values("pk")[: rules.CHANGES_IN_AN_EDITION]
    Listing.objects.filter(pk__in=part)._raw_delete(using="default")


def needed(entries: Collection[uuid.UUID], *, now: dt.datetime) -> set[uuid.UUID]:
    """Which of these entries a file that is still to be made may speak of: one that waits to be cut, that a stream
    lists or has listed lately, or in a stream of which a file is not written yet."""
    lately = Edition.objects.filter(
        stream=OuterRef("stream"), sequence=OuterRef("until_sequence"), cut_at__gt=now - rules.FORGOTTEN_AFTER
    )
    unwritten = File.objects.filter(session__stream=OuterRef("stream"), dropped_at=None, sha256="")
    listed = Listing.objects.filter(entry__in=entries, stream__retired_at=None)
    found = listed.filter(Q(until_sequence=None) | Exists(lately) | Exists(unwritten)).values_list("entry", flat=True)
    waiting = PendingChange.objects.filter(change__entry__in=entries).values_list("change__entry", flat=True)
    return {*found, *waiting}


def forget_listings(entries: Collection[uuid.UUID]) -> None:
    """What was listed of entries that were forgotten; in the transaction in which they go. Streams that are retired
    empty by themselves, so theirs may be open."""
    Listing.objects.filter(entry__in=entries)._raw_delete(using="default")


# -- filling -------------------------------------------------------------------------------------------------------


def fill(*, now: dt.datetime, meanwhile: Callable[[], None]) -> list[Edition]:
    """Fill and open the streams that are new; `meanwhile` is called every so often, and may publish what came."""
    opened = []
    for stream in present().exclude(filled_to=None).order_by("pk"):
        while (edition := _fill_a_part(stream.pk, now)) is None:
            meanwhile()
        opened.append(edition)
    return opened


def _fill_a_part(pk: int, now: dt.datetime) -> Edition | None:
    with transaction.atomic():
        hold(Lock.STREAMS)
        stream = Stream.objects.select_for_update().get(pk=pk)
        session = Session.objects.select_for_update().get(stream=stream, closed_at=None)
        # What was cut since it is there is in it already; the rest is in the stream of everything as it stands.
        source = present().get(role=stream.role, everything=True)
        fitting, reached = _listed_after(source, stream.filled_to or 0, stream.asns)
        if reached is None:
            stream.filled_to = None
            stream.save(update_fields=["filled_to"])
            return _first_edition(session, now)
        there = set(
            Listing.objects.filter(
                stream=stream, until_sequence=None, entry__in=[entry for entry, _, _ in fitting]
            ).values_list("entry", flat=True)
        )
        fitting = [each for each in fitting if each[0] not in there]
        digest = SetDigest(bytes(session.state))
        digest.add_all(rules.entry_of(snapshot).canonical for _, _, snapshot in fitting)
        Listing.objects.bulk_create(
            [
                Listing(stream=stream, entry_id=entry, change_id=change, from_sequence=session.sequence)
                for entry, change, _ in fitting
            ]
        )
        session.entries, session.state = session.entries + len(fitting), digest.state
        session.save(update_fields=["entries", "state"])
        stream.filled_to = reached
        stream.save(update_fields=["filled_to"])
    return None


def _listed_after(
    source: Stream, after: int, asns: Sequence[int]
) -> tuple[list[tuple[uuid.UUID, int, Any]], int | None]:
    """What of the next part of a stream belongs to these networks: entry, change, snapshot. And up to where that is.

    None: there is no more. The database looks through the part, so that one operator's stream costs by its own size.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id) FROM (SELECT id FROM publish_listing WHERE stream_id = %s AND until_sequence IS NULL "
            "AND id > %s ORDER BY id LIMIT %s) AS part",
            [source.pk, after, rules.LISTINGS_AT_A_TIME],
        )
        reached = cursor.fetchone()[0]
        if reached is None:
            return [], None
        cursor.execute(
            "SELECT l.id, l.entry_id, l.change_id, c.snapshot::text FROM publish_listing l "
            "JOIN register_entry e ON e.id = l.entry_id JOIN register_change c ON c.id = l.change_id "
            "WHERE l.stream_id = %s AND l.until_sequence IS NULL AND l.id > %s AND l.id <= %s "
            "AND e.asns && %s::bigint[] ORDER BY l.id LIMIT %s",
            [source.pk, after, reached, list(asns), rules.ENTRIES_AT_A_TIME],
        )
        rows = cursor.fetchall()
    # As many as are taken at a time: the next part begins behind the last of them.
    full = len(rows) == rules.ENTRIES_AT_A_TIME
    return [(entry, change, json.loads(said)) for _, entry, change, said in rows], rows[-1][0] if full else reached


# -- following -----------------------------------------------------------------------------------------------------


def with_snapshot(asked: Iterable[int]) -> set[int]:
    """Which of these streams agents can begin with: it is open, and a snapshot of its session is in place."""
    return set(
        Session.objects.filter(stream__in=list(asked), closed_at=None, stream__filled_to=None)
        .filter(files__width=0, files__dropped_at=None, files__sha256__gt="")
        .values_list("stream", flat=True)
    )


def can_be_named(asked: Sequence[Stream]) -> bool:
    """Whether agents can begin with all of these, one of each kind."""
    return len(asked) == len(KINDS) and len(with_snapshot(stream.pk for stream in asked)) == len(asked)


def join(*, now: dt.datetime) -> bool:
    """Let operators follow the streams of their rights, once all of these can be named; return whether one moved on."""
    moved = False
    for operator in Operator.objects.filter(active=True, due=True).order_by("slug"):
        wanted = list(of_rights(operator))
        following = list(followed_by(operator))
        if {stream.pk for stream in wanted} == {stream.pk for stream in following} or not can_be_named(wanted):
            continue
        moved = True
        with transaction.atomic():
            hold(Lock.STREAMS)
            if not _goes_on_above(following, wanted, now):
                continue
            left = Delegation.objects.filter(operator=operator, left_at=None).exclude(stream__in=wanted)
            left.update(left_at=now)
            Delegation.objects.bulk_create(
                Delegation(operator=operator, stream=stream, since_at=now)
                for stream in wanted
                if stream not in following
            )
    return moved


def _goes_on_above(left: Sequence[Stream], wanted: Sequence[Stream], now: dt.datetime) -> bool:
    """Whether in the new streams sequences and versions are above those that the operator's agents hold.

    Where they are not, another session is opened that is; it is joined once that has a snapshot.
    """
    before = {stream.role: stream for stream in left}
    pairs = [(stream, before[stream.role]) for stream in wanted if stream.role in before]
    pairs = [(stream, old) for stream, old in pairs if stream.pk != old.pk]
    above = [(stream, _sequence_of(old)) for stream, old in pairs if _sequence_of(stream) <= _sequence_of(old)]
    for stream, at in above:
        open_session(stream=stream, sequence=at + rules.ROOM_FOR_MEANWHILE, now=now)
    if above:
        return False
    for stream, old in pairs:
        # Reserved means: never used again below it. Signed anew, it comes out above.
        if stream.signed_version <= old.version:
            Stream.objects.filter(pk=stream.pk).update(version=max(stream.version, old.version), signed_version=0)
    return True
