"""From files to what agents see: the roles of the streams, then the snapshot and timestamp of each operator.

Invariants: what is signed is noted, with its version, before it is written, and no version is used twice; with an
operator's timestamp it is published to that operator; whatever is signed can be signed again from what the database
says, at a higher version.
"""

import datetime as dt
import functools
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F

from rahdari.feed import Head
from rahdari.feed.entry import time_text
from rahdari.feed.repository import ROLES, Stamp, StampHead
from rahdari.feed.terms import TERMS

from . import envelope, files, folder
from .envelope import Named, Published, Repository, sealed
from .files import Live
from .folder import Checkpoint, no_checkpoint
from .models import Edition, File, Operator, Session, Stream

# Writing is waiting for the disk: so many repositories at once share its flushes.
AT_ONCE = 16


class Led(NamedTuple):
    """An operator, and the streams that its repository leads to."""

    pk: uuid.UUID
    slug: str
    repository: str
    streams: list[int]


class Standing(NamedTuple):
    """Whose repositories lead to some streams, and all that they lead to, as it was signed last."""

    operators: list[Led]
    streams: dict[int, Stream]

    @property
    def known(self) -> dict[tuple[str, int], str]:
        """Digests of editions, by session and sequence."""
        last = [stream.signed_edition for stream in self.streams.values() if stream.signed_edition is not None]
        return {(edition.session_id, edition.sequence): edition.digest for edition in last}


_LED = """
SELECT o.id, o.slug, o.repository, array_agg(d.stream_id)
  FROM publish_operator o JOIN publish_delegation d ON d.operator_id = o.id AND d.left_at IS NULL
 WHERE o.id = ANY(%s::uuid[]) OR (o.active AND o.id IN (
       SELECT c.operator_id FROM publish_delegation c WHERE c.stream_id = ANY(%s::int[]) AND c.left_at IS NULL))
 GROUP BY o.id
"""


def standing(*, concerned: Iterable[Stream], operators: Iterable[Operator] = ()) -> Standing:
    """Of the operators whose repositories lead to one of these streams, and of these operators."""
    with connection.cursor() as cursor:
        cursor.execute(_LED, [[operator.pk for operator in operators], [stream.pk for stream in concerned]])
        led = [Led(*row) for row in cursor.fetchall()]
    among = {pk for operator in led for pk in operator.streams}
    return Standing(led, Stream.objects.select_related("signed_edition").in_bulk(among))


@dataclass
class Signed:
    """What is signed, and noted in the database as such: to be written once that is committed."""

    streams: list[Stream] = field(default_factory=list)
    # The files that are named now.
    named: list[int] = field(default_factory=list)
    roles: list[Callable[[Checkpoint], None]] = field(default_factory=list)
    repositories: list[Callable[[Checkpoint], None]] = field(default_factory=list)

    def write(self, checkpoint: Checkpoint = no_checkpoint, *, beside: Sequence[Callable[[], None]] = ()) -> None:
        """The roles, and `beside` them what they name; then the repositories that lead to them."""
        side_by_side([*beside, *(functools.partial(role, checkpoint) for role in self.roles)])
        checkpoint("roles: signed")
        side_by_side([functools.partial(repository, checkpoint) for repository in self.repositories])


def sign(
    *,
    repository: Repository,
    concerned: Sequence[Stream],
    now: dt.datetime,
    operators: Sequence[Operator] = (),
    checkpoint: Checkpoint = no_checkpoint,
) -> list[int]:
    """Sign these streams, and the repositories that lead to them and of these operators; return the files that are
    named now."""
    with transaction.atomic():
        signed = prepare(
            repository=repository,
            concerned=concerned,
            now=now,
            stands=standing(concerned=concerned, operators=operators),
        )
    signed.write(checkpoint)
    return signed.named


def prepare(
    *,
    repository: Repository,
    concerned: Iterable[Stream],
    now: dt.datetime,
    stands: Standing,
    fresh: Sequence[Edition] = (),
    at_hand: Sequence[File] = (),
) -> Signed:
    """Sign what is said of these streams, as far as somebody is led to them, and note it in the caller's transaction;
    nothing is written yet.

    `fresh` are editions that were cut just now, `at_hand` files that are written before what is signed here.
    """
    # An operator's other streams stay as they were signed last, if they are there.
    wanted = {stream.pk for stream in concerned}
    unsigned = [stream for pk, stream in stands.streams.items() if pk in wanted or not _is_signed(repository, stream)]
    cut = {edition.stream_id: edition for edition in fresh}
    heads = {stream.pk: cut[stream.pk] for stream in unsigned if stream.pk in cut}
    heads |= _heads([stream for stream in unsigned if stream.pk not in heads])
    listed: dict[str, list[Live]] = {edition.session_id: [] for edition in heads.values()}
    for file in files.live(listed) if listed else ():
        listed[file.session_id].append(file)
    signed, paths = Signed(), {file.path for file in at_hand}
    for stream in sorted(unsigned, key=lambda stream: stream.pk):
        last = heads.get(stream.pk)
        # A session without a snapshot leads nowhere: whoever follows it too waits for that.
        if last is not None and stream.is_open and any(file.width == 0 for file in listed[last.session_id]):
            there = files.present(repository, listed[last.session_id], at_hand=paths, now=now)
            signed.named += [file.id for file in there]
            signed.roles.append(_role(repository, stream, last, there, now))
            signed.streams.append(stream)
    _note_signed(signed.streams)
    waiting = {stream.pk for stream in unsigned} - {stream.pk for stream in signed.streams}
    led = [each for each in stands.operators if len(each.streams) == len(ROLES) and waiting.isdisjoint(each.streams)]
    versions = _reserve(repository, led, snapshots=True)
    signed.repositories = [
        _repository(repository, operator, [stands.streams[pk] for pk in operator.streams], versions[operator.pk], now)
        for operator in led
    ]
    return signed


def _is_signed(repository: Repository, stream: Stream) -> bool:
    return stream.signed_version > 0 and _role_file(repository, stream, stream.signed_version).exists()


def _role_file(repository: Repository, stream: Stream, version: int) -> Path:
    return repository.stream(stream.folder) / f"{version}.{stream.role}.json"


# -- streams -------------------------------------------------------------------------------------------------------


def _role(
    repository: Repository, stream: Stream, last: Edition, there: Sequence[Live], now: dt.datetime
) -> Callable[[Checkpoint], None]:
    """Sign what a stream's files are, and say in it what is to be noted; how that is written."""
    stream.version += 1
    # The database may be older than the folder: go on above a file that is there.
    while (path := _role_file(repository, stream, stream.version)).exists():
        stream.version += 1
    data, stream.signed_expires_at = repository.role(
        role=stream.role,
        version=stream.version,
        head=Head(last.session_id, last.sequence, last.digest, last.entries, time_text(last.published_at or now)),
        files=[file.said for file in there],
        now=now,
    )
    said = Named.of(stream.version, data)
    stream.signed_version, stream.signed_sha256, stream.signed_length = said.version, said.sha256, said.length
    stream.signed_edition, stream.unnamed = last, False
    return functools.partial(_write_role, path, data)


def _write_role(path: Path, data: bytes, checkpoint: Checkpoint) -> None:
    folder.write_whole(path, data, checkpoint=lambda at: checkpoint(at.replace(path.name, "role.json")))


_NOTE = """
UPDATE publish_stream s
   SET version = said.version, signed_version = said.version, signed_sha256 = said.sha256,
       signed_length = said.length, signed_edition_id = said.edition, signed_expires_at = said.expires_at,
       unnamed = FALSE
  FROM unnest(%s::int[], %s::bigint[], %s::text[], %s::int[], %s::bigint[], %s::timestamptz[])
       AS said (id, version, sha256, length, edition, expires_at)
 WHERE s.id = said.id
"""


def _note_signed(streams: Sequence[Stream]) -> None:
    if not streams:
        return
    said = [
        (each.pk, each.signed_version, each.signed_sha256, each.signed_length, each.signed_edition_id, expires)
        for each in streams
        if (expires := each.signed_expires_at) is not None
    ]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [list(column) for column in zip(*said, strict=True)])


def _heads(streams: Sequence[Stream]) -> dict[int, Edition]:
    """The last edition of each stream that is cut."""
    if not streams:
        return {}
    last = Edition.objects.filter(session__stream__in=streams, session__closed_at=None, sequence=F("session__sequence"))
    return {edition.stream_id: edition for edition in last}


# -- operators -----------------------------------------------------------------------------------------------------

_RESERVE = """
UPDATE publish_operator o
   SET snapshot_version = GREATEST(o.snapshot_version, floors.snapshot) + floors.renewed,
       timestamp_version = GREATEST(o.timestamp_version, floors.timestamp) + 1
  FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[]) AS floors (id, snapshot, timestamp, renewed)
 WHERE o.id = floors.id RETURNING o.id, o.snapshot_version, o.timestamp_version
"""


def _reserve(
    repository: Repository, operators: Sequence[Operator | Led], *, snapshots: bool
) -> dict[object, tuple[int, int]]:
    """The next versions of their snapshots and timestamps: above what was ever noted and above what is published."""
    if not operators:
        return {}
    floors = []
    for operator in operators:
        seen = published(repository, operator)
        floors.append((seen.snapshot.version, seen.timestamp_version) if seen else (0, 0))
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                _RESERVE,
                [
                    [operator.pk for operator in operators],
                    [snapshot for snapshot, _ in floors],
                    [timestamp for _, timestamp in floors],
                    [int(snapshots)] * len(operators),
                ],
            )
            reserved = {pk: (snapshot, timestamp) for pk, snapshot, timestamp in cursor.fetchall()}
        if not snapshots or not any(
            repository.of(operator.repository).is_used(reserved[operator.pk][0]) for operator in operators
        ):
            return reserved


def published(repository: Repository, operator: Operator | Led) -> Published | None:
    """What is published to an operator; None when there is nothing, or nothing that can be read."""
    try:
        return repository.of(operator.repository).published()
    except envelope.FeedUnusable:
        return None


def behind(
    repository: Repository, operators: Iterable[Operator | Led], *, known: Mapping[tuple[str, int], str] | None = None
) -> dict[uuid.UUID, tuple[tuple[str, int], tuple[str, int] | None]]:
    """The operators to whom something is published that the database does not know, with what that is. `known` are
    digests of editions that were read from it just now."""
    told: dict[uuid.UUID, list[tuple[str, StampHead]]] = {}
    for operator in operators:
        if (last := published(repository, operator)) is not None:
            told[operator.pk] = list(last.stamp.heads.items())
    known = dict(known or {})
    asked = {(head.session, head.sequence) for said in told.values() for _, head in said} - known.keys()
    if asked:
        found = Edition.objects.filter(
            session__in={session for session, _ in asked}, sequence__in={sequence for _, sequence in asked}
        )
        known |= {(edition.session_id, edition.sequence): edition.digest for edition in found}
    unknown = {
        pk: [(role, head) for role, head in said if known.get((head.session, head.sequence)) != head.digest]
        for pk, said in told.items()
    }
    lost: dict[uuid.UUID, tuple[tuple[str, int], tuple[str, int] | None]] = {}
    for pk, said in unknown.items():
        for role, head in said:
            session = Session.objects.filter(
                stream__role=role, stream__followings__operator=pk, stream__followings__left_at=None, closed_at=None
            ).first()
            # A session that was opened above it after a restore leads on.
            if session is None or session.first_sequence <= head.sequence:
                lost[pk] = ((head.session, head.sequence), (session.pk, session.sequence) if session else None)
    return lost


def _repository(
    repository: Repository, operator: Led, streams: Sequence[Stream], versions: tuple[int, int], now: dt.datetime
) -> Callable[[Checkpoint], None]:
    """How an operator's repository comes to lead to what is signed of its streams."""

    def work(checkpoint: Checkpoint) -> None:
        trusted = repository.trusted()
        snapshot_version, timestamp_version = versions
        roles = {each.role: Named(each.signed_version, each.signed_sha256, each.signed_length) for each in streams}
        snapshot = sealed(
            envelope.snapshot_signed(
                version=snapshot_version, targets_version=trusted.targets.signed.version, roles=roles, now=now
            ),
            trusted.signers["snapshot"],
        )
        timestamp = sealed(
            envelope.timestamp_signed(
                version=timestamp_version,
                snapshot=Named.of(snapshot_version, snapshot),
                stamp=Stamp(time_text(now), {each.role: _stamp_head(each) for each in streams}, TERMS),
                now=now,
            ),
            trusted.signers["timestamp"],
        )
        repository.of(operator.repository).write(
            roles={each.role: (repository.stream(each.folder), roles[each.role]) for each in streams},
            snapshot=(snapshot_version, snapshot),
            timestamp=timestamp,
            checkpoint=checkpoint,
        )

    return work


def _stamp_head(stream: Stream) -> StampHead:
    edition = stream.signed_edition
    if edition is None:
        raise ValueError(f"{stream} was never signed")
    return StampHead(edition.session_id, edition.sequence, edition.digest)


def sign_timestamps(
    *,
    repository: Repository,
    operators: Sequence[Operator],
    now: dt.datetime,
    snapshots: bool = False,
    checkpoint: Checkpoint = no_checkpoint,
) -> None:
    """Say to these operators once more, with a new time, what was said to them last: from what lies in the folder.

    It works while the database is behind. With `snapshots` their snapshots are signed again too.
    """
    seen = [(operator, said) for operator in operators if (said := published(repository, operator)) is not None]
    if not seen:
        return
    trusted = repository.trusted()
    versions = _reserve(repository, [operator for operator, _ in seen], snapshots=snapshots)

    def work(operator: Operator, said: Published) -> Callable[[], None]:
        snapshot_version, timestamp_version = versions[operator.pk]
        named, snapshot = said.snapshot, None
        if snapshots:
            data = sealed(
                envelope.snapshot_signed(
                    version=snapshot_version, targets_version=trusted.targets.signed.version, roles=said.roles, now=now
                ),
                trusted.signers["snapshot"],
            )
            named, snapshot = Named.of(snapshot_version, data), (snapshot_version, data)
        timestamp = sealed(
            envelope.timestamp_signed(
                version=timestamp_version, snapshot=named, stamp=Stamp(time_text(now), said.stamp.heads, TERMS), now=now
            ),
            trusted.signers["timestamp"],
        )
        place = repository.of(operator.repository)
        return functools.partial(place.write, roles={}, snapshot=snapshot, timestamp=timestamp, checkpoint=checkpoint)

    side_by_side([work(operator, said) for operator, said in seen])


def side_by_side(works: Sequence[Callable[[], None]]) -> None:
    """Do what mostly waits for the disk, several at once. None of it may ask the database."""
    if len(works) == 1:
        works[0]()
        return
    waiting = [_pool().submit(work) for work in works]
    # All have come to their end when the first error is told: nothing goes on writing behind our back.
    wait(waiting)
    for done in waiting:
        done.result()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="writing")


# A process that is forked has none of the threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
