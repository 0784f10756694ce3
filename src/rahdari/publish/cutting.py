"""Cutting: one transaction takes the changes that wait, and makes one edition in each stream that they concern.

An entry stands in a stream as its last change says it; several that waited together are one line. Its cost depends on
the changes and on the streams they concern, and on nothing else: not on the size of the register, nor on how many
operators there are.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from rahdari.db.locks import Lock, hold
from rahdari.feed import Header, Kind, Operation, SetDigest
from rahdari.feed.edition import encode_edition
from rahdari.feed.repository import KINDS, delta_path, role_of
from rahdari.register.models import Change

from . import holds, reading, rules, streams
from .folder import Checkpoint
from .models import Edition, File, Leaving, Listing, PendingChange, RemovalHold, Session, Stream
from .rules import Net

# Called with the streams that are about to be cut, while nothing is made of it yet.
Guard = Callable[[Sequence[Stream]], object]
# Called with what was cut, in the same transaction.
Beside = Callable[["Cut"], None]


class Cut(NamedTuple):
    """Editions, and the deltas of them whose bytes are kept."""

    editions: list[Edition]
    files: list[File]


@dataclass(frozen=True)
class Waiting:
    """What there may be to do: asked in one question, since mostly it is a change and nothing else. True when there is
    something to cut."""

    now: dt.datetime
    changes: bool
    holds: bool
    moved: bool
    opened: bool
    unpublished: bool
    # What is done beside publishing.
    beside: bool

    def __bool__(self) -> bool:
        return (
            self.changes
            or not self.opened
            or (self.holds and holds.has_release(now=self.now))
            or (self.moved and bool(may_leave(now=self.now)))
        )


@dataclass
class Plan:
    """What becomes of one stream: entries that are put in or changed, rows that end, and rows that stay but leave."""

    stream: Stream
    put: list[tuple[Change, Listing | None, str, dt.datetime | None]] = field(default_factory=list)
    gone: list[Listing] = field(default_factory=list)
    kept: list[Listing] = field(default_factory=list)

    def nets(self) -> list[tuple[str, Net]]:
        """By the entry's id, in the order of these."""
        found = [
            (str(change.snapshot["id"]), Net(row.change.snapshot if row else None, change.snapshot))
            for change, row, _, _ in self.put
        ]
        found += [(str(row.change.snapshot["id"]), Net(row.change.snapshot, None)) for row in self.gone]
        return sorted(found, key=lambda each: each[0])


def cut(
    *,
    now: dt.datetime,
    checkpoint: Checkpoint,
    guard: Guard,
    waits: Waiting | None = None,
    beside: Beside = lambda made: None,
) -> list[Edition]:
    """One edition of each stream that something waits for, at first the opening ones; empty when nothing does.

    `waits` is what was found to wait a moment ago: nobody else cuts meanwhile, and what comes later is cut later.
    """
    with transaction.atomic():
        hold(Lock.STREAMS)
        waits = waiting(now=now) if waits is None else waits
        opened = streams.open_everything(now) if not waits.opened else []
        made = Cut(opened, []) if opened else _cut_waiting(waits, now, guard)
        if made.editions:
            beside(made)
            checkpoint("cut: before commit")
    if made.editions:
        checkpoint("cut: committed")
    return made.editions


_WAITING = """
SELECT EXISTS (SELECT 1 FROM publish_pendingchange),
       EXISTS (SELECT 1 FROM publish_removalhold WHERE state <> %s),
       EXISTS (SELECT 1 FROM publish_listing
                WHERE until_sequence IS NULL AND leaving = 'moved' AND leaving_since <= %s),
       (SELECT count(*) FROM publish_stream WHERE everything AND retired_at IS NULL) >= %s,
       EXISTS (SELECT 1 FROM publish_edition WHERE published_at IS NULL),
       EXISTS (SELECT 1 FROM publish_operator WHERE due)
       OR EXISTS (SELECT 1 FROM publish_stream WHERE retired_at IS NULL AND filled_to IS NOT NULL)
       OR EXISTS (SELECT 1 FROM publish_file WHERE dropped_at IS NULL AND sha256 = '')
"""


def waiting(*, now: dt.datetime) -> Waiting:
    """Whether changes wait, removals are held, entries that moved were long enough with both, and streams are there;
    whether editions are cut and not published, and whether operators, streams or files wait."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [RemovalHold.State.ENDED, now - rules.OVERLAP, len(KINDS)])
        return Waiting(now, *cursor.fetchone())


def _cut_waiting(waits: Waiting, now: dt.datetime, guard: Guard) -> Cut:
    # The lowest numbers first: for one entry that is the order in which its changes were committed, and all its
    # earlier ones are in these editions or in earlier ones.
    pending = list(
        PendingChange.objects.select_related("change__entry").order_by("change_id")[: rules.CHANGES_IN_AN_EDITION]
    )
    last = {each.change.entry_id: each.change for each in pending}
    plans, sessions = _planned(last, now)
    released = {hold.stream_id: hold for hold in holds.to_release(now=now)} if waits.holds else {}
    if waits.holds or waits.moved:
        _let_leave(plans, released, now)
        sessions |= _sessions(Q(stream__in=plans.keys() - sessions.keys()))
    for pk, plan in plans.items():
        _hold_back(plan, sessions[pk], released.get(pk), now)
    guard([plan.stream for plan in plans.values() if plan.put or plan.gone])
    made = _carry_out(plans, sessions, now)
    if waits.holds:
        holds.recount(streams=list(plans), now=now)
    PendingChange.objects.filter(change__in=[each.change_id for each in pending])._raw_delete(using="default")
    return made


# -- what is to be done --------------------------------------------------------------------------------------------


def _planned(last: Mapping[uuid.UUID, Change], now: dt.datetime) -> tuple[dict[int, Plan], dict[int, Session]]:
    """What becomes of the streams, and the sessions of all that may be concerned, which are locked."""
    plans: dict[int, Plan] = {}
    if not last:
        return plans, {}
    rows: dict[uuid.UUID, list[Listing]] = defaultdict(list)
    for row in Listing.objects.filter(
        entry__in=list(last), until_sequence=None, stream__retired_at=None
    ).select_related("change", "stream"):
        rows[row.entry_id].append(row)
    roles = {role_of(change.entry.kind) for change in last.values()}
    asns = {asn for change in last.values() if change.snapshot for asn in change.asns}
    listing_them = {row.stream_id for listed in rows.values() for row in listed}
    sessions = _sessions(streams.concerned(roles=roles, asns=asns, by="stream__") | Q(stream__in=listing_them))
    candidates = [session.stream for session in sessions.values()]

    def plan(stream: Stream) -> Plan:
        return plans.setdefault(stream.pk, Plan(stream))

    for entry, change in last.items():
        listed = {row.stream_id: row for row in rows[entry]}
        if not change.snapshot:
            for row in listed.values():
                plan(row.stream).gone.append(row)
            continue
        role = role_of(change.entry.kind)
        entitled = [
            stream
            for stream in candidates
            if stream.role == role
            and rules.is_entitled(everything=stream.everything, theirs=stream.asns, asns=change.asns)
        ]
        for stream in entitled:
            listing = listed.pop(stream.pk, None)
            if listing is None or listing.change.snapshot != change.snapshot:
                plan(stream).put.append((change, listing, "", None))
            elif listing.leaving:
                listing.leaving, listing.leaving_since = "", None
                plan(stream).kept.append(listing)
        for listing in listed.values():
            since = listing.leaving_since or now
            if listing.change.snapshot != change.snapshot:
                plan(listing.stream).put.append((change, listing, Leaving.MOVED, since))
            elif not listing.leaving:
                listing.leaving, listing.leaving_since = Leaving.MOVED, now
                plan(listing.stream).kept.append(listing)
    return plans, sessions


def _sessions(of: Q) -> dict[int, Session]:
    """The open sessions of these streams, by their streams; locked."""
    found = Session.objects.select_for_update(of=("self",)).select_related("stream")
    return {session.stream_id: session for session in found.filter(of, closed_at=None, stream__retired_at=None)}


# An entry may leave the operators it had when the overlap is over, and each operator of the networks that it has now
# has said that an edition with it is in force. One that was stopped is not waited for.
_MAY_LEAVE = """
SELECT l.id FROM publish_listing l JOIN publish_stream s ON s.id = l.stream_id AND s.retired_at IS NULL
 WHERE l.until_sequence IS NULL AND l.leaving = 'moved' AND l.leaving_since <= %s
   AND NOT EXISTS (
    SELECT 1 FROM publish_listing o
      JOIN publish_stream t ON t.id = o.stream_id AND t.retired_at IS NULL AND NOT t.everything
      JOIN publish_operator p ON p.active AND NOT p.gateway AND p.asns = t.asns
     WHERE o.entry_id = l.entry_id AND o.until_sequence IS NULL AND o.leaving = ''
       AND NOT EXISTS (SELECT 1 FROM publish_receipt r
                        WHERE r.operator_id = p.id AND r.stream_id = t.id AND r.standing = 'good'
                          AND r.sequence >= o.from_sequence))
 ORDER BY l.id LIMIT %s
"""


def may_leave(*, now: dt.datetime) -> list[int]:
    """The listings whose time to leave has come, by their numbers."""
    with connection.cursor() as cursor:
        cursor.execute(_MAY_LEAVE, [now - rules.OVERLAP, rules.CHANGES_IN_AN_EDITION])
        return [number for (number,) in cursor.fetchall()]


def _let_leave(plans: dict[int, Plan], released: Mapping[int, RemovalHold], now: dt.datetime) -> None:
    touched = {row.pk for plan in plans.values() for row in [*plan.gone, *plan.kept]}
    touched |= {row.pk for plan in plans.values() for _, row, _, _ in plan.put if row is not None}
    due = {*may_leave(now=now), *holds.released_listings(released.values(), now=now)} - touched
    for row in Listing.objects.filter(pk__in=due).select_related("change", "stream") if due else ():
        plans.setdefault(row.stream_id, Plan(row.stream)).gone.append(row)


def _hold_back(plan: Plan, session: Session, hold: RemovalHold | None, now: dt.datetime) -> None:
    """What is removed from a stream at once goes out together, or none of it does; nothing added waits for it."""
    new = [row for row in plan.gone if row.leaving != Leaving.ENDED]
    if holds.hold_back(session=session, removals=len(new), now=now):
        for row in new:
            row.leaving, row.leaving_since = Leaving.ENDED, now
        plan.kept += new
        plan.gone = []
    elif hold is not None:
        holds.note_release(hold=hold, session=session, now=now)
    else:
        plan.gone = [*new, *(row for row in plan.gone if row not in new and holds.is_over(row.change, now=now))]


# -- doing it ------------------------------------------------------------------------------------------------------


def _carry_out(plans: Mapping[int, Plan], sessions: Mapping[int, Session], now: dt.datetime) -> Cut:
    editions: list[Edition] = []
    rows: list[Listing] = []
    files: list[File] = []
    ended: list[tuple[int, int]] = []
    changed: list[Session] = []
    for pk, plan in plans.items():
        nets = plan.nets()
        if not nets:
            continue
        stream, session = plan.stream, sessions[pk]
        operations = [operation for _, net in nets for operation in rules.operations_of(net)]
        digest = SetDigest(bytes(session.state))
        before, start = digest.hexdigest(), session.sequence
        for operation in operations:
            operation.apply_to(digest)
        # A stream that is being filled has no edition yet: what is cut meanwhile belongs to its first one.
        session.sequence += stream.is_open
        session.entries += sum(row is None for _, row, _, _ in plan.put) - len(plan.gone)
        session.state = digest.state
        changed.append(session)
        rows += [
            Listing(
                stream=stream,
                entry_id=change.entry_id,
                change=change,
                from_sequence=session.sequence,
                leaving=leaving,
                leaving_since=since,
            )
            for change, _, leaving, since in plan.put
        ]
        ended += [(row.pk, session.sequence) for row in plan.gone]
        ended += [(row.pk, session.sequence) for _, row, _, _ in plan.put if row is not None]
        if not stream.is_open:
            continue
        after = digest.hexdigest()
        editions.append(
            Edition(
                stream=stream,
                session=session,
                sequence=session.sequence,
                cut_at=now,
                digest=after,
                entries=session.entries,
                changes=len(operations),
            )
        )
        if stream.followed:
            header = Header(Kind.DELTA, session.pk, start, session.sequence, before, after, len(operations))
            files.append(delta(stream=stream, header=header, operations=operations, now=now))
    Listing.objects.bulk_update([row for plan in plans.values() for row in plan.kept], ["leaving", "leaving_since"])
    _end(ended)
    Listing.objects.bulk_create(rows)
    Edition.objects.bulk_create(editions)
    _move_on(changed)
    for edition in editions:
        if edition.stream.followed:
            files += _merged(edition, now)
    File.objects.bulk_create(files)
    return Cut(editions, [file for file in files if file.sha256])


def _move_on(sessions: Sequence[Session]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE publish_session s SET sequence = now.sequence, entries = now.entries, state = now.state"
            " FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::bytea[]) AS now (id, sequence, entries, state)"
            " WHERE s.id = now.id",
            [
                [session.pk for session in sessions],
                [session.sequence for session in sessions],
                [session.entries for session in sessions],
                [bytes(session.state) for session in sessions],
            ],
        )


def _end(rows: Sequence[tuple[int, int]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE publish_listing l SET until_sequence = ended.sequence"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS ended (id, sequence) WHERE l.id = ended.id",
            [[pk for pk, _ in rows], [sequence for _, sequence in rows]],
        )


def delta(
    *, stream: Stream, header: Header, operations: Sequence[Operation], now: dt.datetime, written: bool = True
) -> File:
    """The file that is to be written for a delta; with `written`, its bytes are made now and kept with it."""
    start, end = header.from_sequence or 0, header.to_sequence
    content = encode_edition(header, operations) if written else b""
    return File(
        session_id=header.session,
        path=delta_path(stream.role, header.session, start, end, secrets.token_hex(16)),
        width=end - start,
        from_sequence=start,
        to_sequence=end,
        operations=header.count,
        digest=header.digest_after,
        made_at=now,
        sha256=hashlib.sha256(content).hexdigest() if written else "",
        length=len(content),
        content=content,
    )


def _merged(edition: Edition, now: dt.datetime) -> Iterable[File]:
    session = edition.session
    for width in rules.merged_widths(edition.sequence, first=session.first_sequence):
        start = edition.sequence - width
        if not within_reach(session, start, now):
            return
        changes = Edition.objects.filter(session=session, sequence__gt=start, sequence__lte=edition.sequence)
        expected = sum(changes.values_list("changes", flat=True)) if width <= rules.MERGED_BY**3 else None
        if expected is None or expected > rules.OPERATIONS_AT_ONCE:
            # Written after its edition, and named from the next signature on.
            unwritten = Header(Kind.DELTA, session.pk, start, edition.sequence, edition.digest, edition.digest, 0)
            yield delta(stream=edition.stream, header=unwritten, operations=[], now=now, written=False)
            continue
        header, operations = merge(session=session, start=start, end=edition)
        yield delta(stream=edition.stream, header=header, operations=list(operations), now=now)


def within_reach(session: Session, start: int, now: dt.datetime) -> bool:
    """Whether all is still there that a delta from this edition on is made of."""
    return Edition.objects.filter(session=session, sequence=start, cut_at__gt=now - rules.DELTAS_REACH).exists()


def merge(
    *, session: Session, start: int, end: Edition, meanwhile: Callable[[], None] = lambda: None
) -> tuple[Header, Iterator[Operation]]:
    """The net of all editions of a session after `start` up to this one: its header, and its lines as they are read.

    `meanwhile` is called every so often, and may publish what came.
    """
    editions = Edition.objects.filter(session=session, sequence__gt=start, sequence__lte=end.sequence)
    parts = rules.spans(editions.order_by("sequence").values_list("sequence", "changes"), start=start)
    courses = reading.between(end.stream, start, end.sequence, parts=list(parts), meanwhile=meanwhile)
    count = sum(course.lines for course in courses.values())
    before = Edition.objects.get(session=session, sequence=start)
    operations = (
        operation for net in reading.nets(courses, meanwhile=meanwhile) for operation in rules.operations_of(net)
    )
    return Header(Kind.DELTA, session.pk, start, end.sequence, before.digest, end.digest, count), operations
