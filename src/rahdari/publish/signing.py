"""From files to what agents see: the roles of the streams, then the snapshot and timestamp of each operator.

Invariants: a version is noted before it is used, and never used twice; with an operator's timestamp it is published to
that operator; whatever is signed can be signed again from what the database says, at a higher version.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from django.db import connection, transaction
from django.db.models import F

from rahdari.feed import Head
from rahdari.feed.entry import time_text
from rahdari.feed.repository import ROLES, Stamp, StampHead
from rahdari.feed.terms import TERMS

from . import envelope, files
from .envelope import Named, Published, Repository, sealed
from .folder import Checkpoint, no_checkpoint
from .models import Delegation, Edition, File, Operator, Session, Stream
from .streams import with_snapshot

# Writing is waiting for the disk: so many repositories at once share its flushes.
AT_ONCE = 16


def sign(
    *,
    repository: Repository,
    concerned: Sequence[Stream],
    now: dt.datetime,
    operators: Sequence[Operator] = (),
    begun: Set[int] = frozenset(),
    checkpoint: Checkpoint = no_checkpoint,
) -> list[int]:
    """Sign these streams, and the repositories that lead to them and of these operators; return the files that are
    named now. `begun` are streams that are known to have a snapshot."""
    leading: dict[uuid.UUID, Operator] = {each.pk: each for each in operators}
    for operator in Operator.objects.filter(active=True, followings__stream__in=concerned, followings__left_at=None):
        leading.setdefault(operator.pk, operator)
    followed = _followed(leading)
    # An operator's other streams stay as they were signed last, if they are there.
    wanted = {stream.pk: stream for stream in concerned}
    known = Stream.objects.select_related("signed_edition").in_bulk(
        {pk for streams in followed.values() for pk in streams} | set(wanted)
    )
    unsigned = {pk for pk, stream in known.items() if pk in wanted or not _is_signed(repository, stream)}
    # A session without a snapshot leads nowhere: whoever follows it too waits for that.
    ready = (unsigned & begun) | with_snapshot(unsigned - begun)
    signed = [known[pk] for pk in sorted(ready)]
    named = _sign_roles(repository, signed, now, checkpoint)
    checkpoint("roles: signed")
    _sign_operators(
        repository,
        [
            (leading[pk], [known[each] for each in streams])
            for pk, streams in followed.items()
            if unsigned & set(streams) <= ready
        ],
        signed,
        now,
        checkpoint,
    )
    return named


def _followed(operators: Mapping[uuid.UUID, Operator]) -> dict[uuid.UUID, list[int]]:
    found: dict[uuid.UUID, list[int]] = {}
    rows = Delegation.objects.filter(operator__in=list(operators), left_at=None).values_list("operator", "stream")
    for operator, stream in rows:
        found.setdefault(operator, []).append(stream)
    return {operator: streams for operator, streams in found.items() if len(streams) == len(ROLES)}


def _is_signed(repository: Repository, stream: Stream) -> bool:
    return stream.signed_version > 0 and _role_file(repository, stream).exists()


def _role_file(repository: Repository, stream: Stream) -> Path:
    return repository.stream(stream.folder) / f"{stream.signed_version}.{stream.role}.json"


# -- streams -------------------------------------------------------------------------------------------------------


def _sign_roles(
    repository: Repository, streams: Sequence[Stream], now: dt.datetime, checkpoint: Checkpoint
) -> list[int]:
    if not streams:
        return []
    heads = _heads(streams)
    rows: dict[str, list[File]] = {}
    for file in files.live([last.session_id for last in heads.values()]):
        rows.setdefault(file.session_id, []).append(file)
    versions = _reserve_roles(repository, streams)
    named: list[int] = []

    def work(stream: Stream) -> Callable[[], None]:
        last = heads[stream.pk]
        listed = rows.get(last.session_id, [])
        there = files.present(repository, listed, now=now, checkpoint=checkpoint)
        paths = {file.path for file in there}
        named.extend(file.pk for file in listed if file.path in paths)

        def sign_it() -> None:
            signed, expires = repository.sign_role(
                role=stream.role,
                name=stream.folder,
                version=versions[stream.pk],
                head=Head(
                    last.session_id, last.sequence, last.digest, last.entries, time_text(last.published_at or now)
                ),
                files=there,
                now=now,
                checkpoint=checkpoint,
            )
            stream.signed_version, stream.signed_sha256, stream.signed_length = (
                signed.version,
                signed.sha256,
                signed.length,
            )
            stream.signed_edition, stream.signed_expires_at, stream.unnamed = last, expires, False

        return sign_it

    side_by_side([work(stream) for stream in streams])
    return named


_NOTE = """
UPDATE publish_stream s
   SET signed_version = said.version, signed_sha256 = said.sha256, signed_length = said.length,
       signed_edition_id = said.edition, signed_expires_at = said.expires_at, unnamed = FALSE
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
    last = Edition.objects.filter(session__stream__in=streams, session__closed_at=None, sequence=F("session__sequence"))
    return {edition.stream_id: edition for edition in last}


def _reserve_roles(repository: Repository, streams: Sequence[Stream]) -> dict[int, int]:
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE publish_stream SET version = version + 1 WHERE id = ANY(%s) RETURNING id, version",
                [[stream.pk for stream in streams]],
            )
            reserved: dict[int, int] = dict(cursor.fetchall())
        # The database may be older than the folder: go on above a file that is there.
        if not any(
            (repository.stream(stream.folder) / f"{reserved[stream.pk]}.{stream.role}.json").exists()
            for stream in streams
        ):
            return reserved


# -- operators -----------------------------------------------------------------------------------------------------

_RESERVE = """
UPDATE publish_operator o
   SET snapshot_version = GREATEST(o.snapshot_version, floors.snapshot) + floors.renewed,
       timestamp_version = GREATEST(o.timestamp_version, floors.timestamp) + 1
  FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[]) AS floors (id, snapshot, timestamp, renewed)
 WHERE o.id = floors.id RETURNING o.id, o.snapshot_version, o.timestamp_version
"""


def _reserve(
    repository: Repository, operators: Sequence[Operator], *, snapshots: bool
) -> dict[object, tuple[int, int]]:
    """The next versions of their snapshots and timestamps: above what was ever noted and above what is published."""
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


def published(repository: Repository, operator: Operator) -> Published | None:
    """What is published to an operator; None when there is nothing, or nothing that can be read."""
    try:
        return repository.of(operator.repository).published()
    except envelope.FeedUnusable:
        return None


def behind(
    repository: Repository, operators: Iterable[Operator]
) -> dict[uuid.UUID, tuple[tuple[str, int], tuple[str, int] | None]]:
    """The operators to whom something is published that the database does not know, with what that is."""
    told: dict[uuid.UUID, list[tuple[str, StampHead]]] = {}
    for operator in operators:
        if (last := published(repository, operator)) is not None:
            told[operator.pk] = list(last.stamp.heads.items())
    heads = {(head.session, head.sequence) for said in told.values() for _, head in said}
    found = Edition.objects.filter(
        session__in={session for session, _ in heads}, sequence__in={sequence for _, sequence in heads}
    )
    known = {(edition.session_id, edition.sequence): edition.digest for edition in found}
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


def _sign_operators(
    repository: Repository,
    leading: Sequence[tuple[Operator, Sequence[Stream]]],
    signed: Sequence[Stream],
    now: dt.datetime,
    checkpoint: Checkpoint,
) -> None:
    trusted = repository.trusted()
    # What was signed is noted with the versions that lead to it: one flush, and neither without the other.
    with transaction.atomic():
        _note_signed(signed)
        versions = _reserve(repository, [operator for operator, _ in leading], snapshots=True) if leading else {}

    def work(operator: Operator, streams: Sequence[Stream]) -> Callable[[], None]:
        snapshot_version, timestamp_version = versions[operator.pk]
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
        sources = {each.role: (repository.stream(each.folder), roles[each.role]) for each in streams}
        return lambda: repository.of(operator.repository).write(
            roles=sources, snapshot=(snapshot_version, snapshot), timestamp=timestamp, checkpoint=checkpoint
        )

    side_by_side([work(operator, streams) for operator, streams in leading])


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
        return lambda: repository.of(operator.repository).write(roles={}, snapshot=snapshot, timestamp=timestamp)

    side_by_side([work(operator, said) for operator, said in seen])


def side_by_side(works: Sequence[Callable[[], None]]) -> None:
    """Do what mostly waits for the disk, several at once. None of it may ask the database."""
    if len(works) <= 2:
        for work in works:
            work()
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()
