"""The files of the streams: deltas, merged ones, and snapshots; when one is due, how it is written, when it goes.

A delta is cut with its bytes. What is too large for that, wide deltas and snapshots, is written after its edition
is published: a row says that it is to be, its hash is noted once it is in place, and metadata name it from the next
signature on. Killed in between, it is written again from the listings, byte for byte the same, under the same name.
"""

import datetime as dt
import functools
import hashlib
import logging
import secrets
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet, Sum

from rahdari.errors import RahdariError
from rahdari.feed import DigestMismatch, FeedFile, Header, Kind, Op, Operation, SetDigest
from rahdari.feed.edition import write_edition
from rahdari.feed.repository import snapshot_path

from . import cutting, folder, reading, rules
from .envelope import Repository
from .folder import Checkpoint, no_checkpoint
from .models import Edition, File, Session, Stream

log = logging.getLogger("rahdari.publish")


class FileDiffers(RahdariError):
    """A file of an edition cannot be written again as it was. `.path` is its name."""

    says = "{path}"
    path: str


class Live(NamedTuple):
    """What is to be said of a file in signed metadata. Named as its columns are."""

    id: int
    session_id: str
    path: str
    width: int
    from_sequence: int | None
    to_sequence: int
    digest: str
    sha256: str
    length: int

    @property
    def said(self) -> FeedFile:
        return _said(self)


# From one edition to the next nearly all files are the same.
@functools.lru_cache(maxsize=16_384)
def _said(file: Live) -> FeedFile:
    return FeedFile(
        path=file.path,
        kind=Kind.SNAPSHOT if file.width == 0 else Kind.DELTA,
        session=file.session_id,
        from_sequence=file.from_sequence,
        to_sequence=file.to_sequence,
        digest_after=file.digest,
        sha256=file.sha256,
        length=file.length,
    )


def feed_file(file: File) -> FeedFile:
    return Live(*(getattr(file, name) for name in Live._fields)).said


# -- which ---------------------------------------------------------------------------------------------------------


_LIVE = f"""
SELECT {", ".join(Live._fields)}
  FROM (SELECT *, row_number() OVER (PARTITION BY session_id, width ORDER BY to_sequence DESC) AS rank
          FROM publish_file
         WHERE session_id = ANY(%s) AND dropped_at IS NULL AND sha256 <> '') AS file
 WHERE rank <= CASE width WHEN 0 THEN %s WHEN 1 THEN %s ELSE %s END
 ORDER BY session_id, width, to_sequence
"""  # noqa: S608 - our names


def live(sessions: Iterable[str]) -> list[Live]:
    """What the metadata of these sessions name: of each width the last few that are whole."""
    lengths = (rules.LIVE_SNAPSHOTS, rules.LIVE_NARROW, rules.LIVE_WIDE)
    with connection.cursor() as cursor:
        cursor.execute(_LIVE, [list(sessions), *lengths])
        return [Live(*row) for row in cursor.fetchall()]


def present(
    repository: Repository, files: Sequence[Live], *, now: dt.datetime, at_hand: Container[str] = frozenset()
) -> list[Live]:
    """The files that are in the folder, after writing again what was lost: metadata name no file that is not there.

    `at_hand` are paths of those that are written before the metadata.
    """
    found = []
    folders: dict[str, set[str]] = {}
    for file in files:
        parent, _, name = file.said.location.rpartition("/")
        if parent not in folders:
            folders[parent] = folder.names_in(repository.targets / parent)
        if name not in folders[parent] and file.path not in at_hand:
            kept = File.objects.get(pk=file.id)
            if file.width != 1 and not kept.content:
                log.error("%s is lost; it is named no more, and another is made in time", file.path)
                File.objects.filter(pk=file.id).update(dropped_at=now, erased_at=now)
                order_snapshots(of=Stream.objects.filter(sessions=file.session_id), now=now)
                continue
            write_kept(repository=repository, file=kept)
        found.append(file)
    return found


# -- writing -------------------------------------------------------------------------------------------------------


def write_kept(*, repository: Repository, file: File, checkpoint: Checkpoint = no_checkpoint) -> None:
    """Write a file whose bytes are kept. Raises FileDiffers."""
    place = repository.place_of(feed_file(file))
    if folder.holds(place, sha256=file.sha256, length=file.length):
        return
    content = bytes(file.content)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise FileDiffers(file.path)
    name = place.name
    folder.write_whole(place, content, checkpoint=lambda at: checkpoint(at.replace(name, "delta")))


def unwritten() -> QuerySet[File]:
    """Wide deltas and snapshots that are to be written, deltas first."""
    return File.objects.filter(dropped_at=None, sha256="").select_related("session__stream").order_by("-width", "pk")


def write_next(*, repository: Repository, meanwhile: Callable[[], None], checkpoint: Checkpoint) -> File | None:
    """Write one of the files that are to be written; None when there is none.

    `meanwhile` is called every so often, and may publish what came: no change waits for a snapshot or a wide delta.
    """
    file = unwritten().first()
    if file is None:
        return None
    session = file.session
    end = Edition.objects.select_related("stream").get(session=session, sequence=file.to_sequence)
    if file.width:
        if _too_many(session, file):
            file.delete()
            return file
        header, lines = cutting.merge(session=session, start=file.from_sequence or 0, end=end, meanwhile=meanwhile)
    else:
        header = Header.snapshot(session=session.pk, sequence=file.to_sequence, digest=end.digest, count=end.entries)
        lines = _snapshot(session.stream, end, meanwhile)
    kind = "snapshot" if file.width == 0 else "wide"
    parent = file.path.rpartition("/")[0]
    with folder.unfinished(repository.targets / parent) as draft:
        file.sha256, file.length = write_edition(draft.file, header, lines)
        file.digest, file.operations = header.digest_after, header.count
        final = repository.place_of(feed_file(file)).name
        draft.place(final, checkpoint=lambda at: checkpoint(at.replace(final, kind)))
    file.save(update_fields=["sha256", "length", "digest", "operations"])
    Stream.objects.filter(pk=session.stream_id).update(unnamed=True)
    checkpoint(f"{kind}: noted")
    return file


def _snapshot(stream: Stream, end: Edition, meanwhile: Callable[[], None]) -> Iterator[Operation]:
    digest = SetDigest()
    for part in reading.entries_at(stream, end.sequence):
        for entry in part:
            digest.add(entry.canonical)
            yield Operation(Op.ADD, entry)
        meanwhile()
    # Before anyone can see it: what is listed must be what was counted change by change.
    if digest.hexdigest() != end.digest:
        raise DigestMismatch("after", end.digest, digest.hexdigest())


def _too_many(session: Session, file: File) -> bool:
    within = Edition.objects.filter(session=session, sequence__gt=file.from_sequence, sequence__lte=file.to_sequence)
    return (within.aggregate(number=Sum("changes"))["number"] or 0) > rules.MOST_OPERATIONS


# -- snapshots that are due ----------------------------------------------------------------------------------------


def order_snapshots(*, of: Iterable[Stream], now: dt.datetime) -> None:
    """Say of which of these streams a snapshot is to be written, at the edition that was published last."""
    of = list(of)
    if not of:
        return
    sessions = Session.objects.filter(
        stream__in=of, stream__followed=True, stream__filled_to=None, closed_at=None
    ).select_related("stream")
    asked = list(sessions)
    ordered = set(
        File.objects.filter(session__in=asked, width=0, sha256="", dropped_at=None).values_list("session", flat=True)
    )
    asked = [session for session in asked if session.pk not in ordered]
    due = _due(asked, now)
    for session in asked:
        if session.pk in due:
            editions = Edition.objects.filter(session=session).order_by("-sequence")
            head = editions.filter(published_at__isnull=False).first() or editions.last()
            if head is not None:
                _order(session, head, now)


def _due(sessions: Sequence[Session], now: dt.datetime) -> set[str]:
    """Of which of these sessions a snapshot is due: asked for all at once, as it is with each edition."""
    snapshots: dict[str, tuple[int, dt.datetime, int]] = {}
    spans: dict[str, list[tuple[int, int, int, int]]] = {session.pk: [] for session in sessions}
    rows = (
        File.objects.filter(session__in=list(spans), dropped_at=None)
        .exclude(sha256="")
        .order_by("pk")
        .values_list("session", "width", "from_sequence", "to_sequence", "length", "made_at")
    )
    for session, width, begin, to, length, made_at in rows:
        if width == 0:
            snapshots[session] = (to, made_at, length)
        elif begin is not None:
            spans[session].append((width, begin, to, length))
    return {session.pk for session in sessions if _is_due(session, snapshots.get(session.pk), spans[session.pk], now)}


def _is_due(
    session: Session,
    last: tuple[int, dt.datetime, int] | None,
    spans: Sequence[tuple[int, int, int, int]],
    now: dt.datetime,
) -> bool:
    start, made_at, length = last or (0, None, 0)
    return rules.snapshot_is_due(
        sequence=session.sequence,
        last=start if last else None,
        last_at=made_at,
        reachable=rules.reaches([(begin, to) for _, begin, to, _ in spans], start=start, end=session.sequence)
        is not None,
        narrow_bytes=sum(size for width, begin, _, size in spans if width == 1 and begin >= start),
        last_bytes=length,
        now=now,
    )


def _order(session: Session, head: Edition, now: dt.datetime) -> None:
    File.objects.create(
        session=session,
        path=snapshot_path(session.stream.role, session.pk, head.sequence, secrets.token_hex(16)),
        width=0,
        to_sequence=head.sequence,
        operations=head.entries,
        digest=head.digest,
        made_at=now,
    )


# -- erasing -------------------------------------------------------------------------------------------------------


def erase(*, repository: Repository, now: dt.datetime) -> None:
    """Erase the files that no metadata have named for a day, and what a kill left unfinished."""
    due = File.objects.filter(dropped_at__lte=now - rules.KEPT_UNREFERENCED, erased_at=None).order_by("pk")
    for file in due.only("path"):
        # The files first: killed in between, they are found gone the next time.
        # By name without the hash, so that a snapshot is found too that was placed and, for a kill, never noted.
        parent, _, name = file.path.rpartition("/")
        for place in (repository.targets / parent).glob(f"*.{name}"):
            place.unlink(missing_ok=True)
        File.objects.filter(pk=file.pk).update(erased_at=now, content=b"")
    # Nobody else writes here: what is unfinished was left by a process that was killed.
    for left in repository.path.rglob(f".*{folder.UNFINISHED}"):
        left.unlink(missing_ok=True)
