"""From committed changes to signed files, so that a kill at any point loses nothing and doubles nothing.

    1  cut        one transaction: the changes that wait, an edition with the next number, its delta, the digest
    2  write      the delta: a file with a name of its own, never changed
    3  sign       feed role, snapshot, timestamp; with the timestamp it is published
    4  mark       one transaction: published_at, and the wake-up of whoever waits for it
    5  snapshot   when one is due: write it, going on with 1 to 4 meanwhile; note its hash, and sign once more

After a kill, 2 to 4 are done again for every edition that is not marked, before anything new is cut. 2 finds its files
or writes the same bytes again (the delta's stand in the database, a snapshot follows from the register's history);
3 signs a higher version of the same statement; 4 was not done; 5 is due until its hash is noted.
"""

import datetime as dt
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterator, Sequence

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery

from rahdari.proof import DigestMismatch, FeedFile, Head, Header, Kind, Op, Operation, SetDigest
from rahdari.proof.edition import encode_edition, write_edition
from rahdari.proof.entry import time_text
from rahdari.proof.repository import ROLE, delta_path, snapshot_path
from rahdari.register import queries as register

from . import folder, queries, rules
from .envelope import Repository, Versions, targets_of
from .folder import Checkpoint
from .models import Edition, EditionChange, Session, WaitingChange

log = logging.getLogger("rahdari.publish")

SCISSORS = 0x7261_6864_6172_6901  # the advisory lock of whoever cuts


class DatabaseBehindFeed(Exception):
    """The database knows less than was published: it was restored from an older day, or it is another one.

    `.on_disk` is what is published, `.in_database` the last edition the database knows (None: none). Nothing is signed,
    since agents would have to go back.
    """

    def __init__(self, on_disk: tuple[str, int], in_database: tuple[str, int] | None) -> None:
        super().__init__(f"published is {on_disk}, the database knows {in_database}")
        self.on_disk, self.in_database = on_disk, in_database


class FileDiffers(Exception):
    """A file of an edition cannot be written again as it was. `.path` is its name."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


def cut(*, now: dt.datetime, checkpoint: Checkpoint) -> Edition | None:
    """The next edition, or None when no change waits. The first one opens the session with the empty set."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SCISSORS])
        session = queries.open_session()
        if session is None:
            edition: Edition | None = _open_session(now)
        else:
            edition = _cut_changes(session, now)
        if edition is not None:
            checkpoint("cut: before commit")
    if edition is not None:
        checkpoint("cut: committed")
    return edition


def _open_session(now: dt.datetime) -> Edition:
    session = Session.objects.create(id=secrets.token_hex(16), opened_at=now, sequence=0)
    empty = SetDigest().hexdigest()
    return Edition.objects.create(
        sequence=0,
        session=session,
        cut_at=now,
        digest_before=empty,
        digest_after=empty,
        entries=0,
        changes=0,
        snapshot_path=snapshot_path(session.id, 0, secrets.token_hex(16)),
    )


def _cut_changes(session: Session, now: dt.datetime) -> Edition | None:
    # The lowest numbers first: for one entry that is the order in which its changes were committed, and all its
    # earlier ones are in this edition or an earlier one.
    before = register.changes().filter(entry=OuterRef("entry"), id__lt=OuterRef("id")).order_by("-id")
    changes = list(
        register.changes()
        .filter(waiting__isnull=False)
        .annotate(before=Subquery(before.values("snapshot")[:1]))[: rules.CHANGES_IN_AN_EDITION]
    )
    if not changes:
        return None
    operations = [rules.operation_of(change.before or {}, change.snapshot) for change in changes]
    digest = SetDigest(bytes(session.state))
    digest_before = digest.hexdigest()
    for operation in operations:
        operation.apply_to(digest)
    sequence = session.sequence + 1
    added = sum((operation.op is Op.ADD) - (operation.op is Op.REMOVE) for operation in operations)
    header = Header(
        kind=Kind.DELTA,
        session=session.id,
        from_sequence=session.sequence,
        to_sequence=sequence,
        digest_before=digest_before,
        digest_after=digest.hexdigest(),
        count=len(operations),
    )
    delta = encode_edition(header, operations)
    snapshot_due = rules.snapshot_is_due(sequence=sequence, last_snapshot=queries.last_snapshot_sequence())
    edition = Edition.objects.create(
        sequence=sequence,
        session=session,
        cut_at=now,
        digest_before=digest_before,
        digest_after=header.digest_after,
        entries=session.entries + added,
        changes=len(changes),
        delta_path=delta_path(session.id, session.sequence, sequence, secrets.token_hex(16)),
        delta_sha256=_sha256(delta),
        delta_length=len(delta),
        delta=delta,
        snapshot_path=snapshot_path(session.id, sequence, secrets.token_hex(16)) if snapshot_due else "",
    )
    EditionChange.objects.bulk_create(
        [EditionChange(change=change, edition=edition, position=place) for place, change in enumerate(changes)]
    )
    WaitingChange.objects.filter(change__in=changes).delete()
    session.sequence, session.entries, session.state = sequence, edition.entries, digest.state
    session.save(update_fields=["sequence", "entries", "state"])
    return edition


def publish(*, repository: Repository, editions: Sequence[Edition], now: dt.datetime, checkpoint: Checkpoint) -> None:
    """Steps 2 to 4 for editions that follow each other and of which none is marked."""
    for edition in editions:
        if edition.delta_path:
            _write_delta(repository, edition, checkpoint)
        else:
            write_snapshot(repository=repository, edition=edition, checkpoint=checkpoint)
    sign(repository=repository, last=editions[-1], published_at=now, now=now, checkpoint=checkpoint)
    checkpoint("signed")
    with transaction.atomic():
        Edition.objects.filter(
            sequence__in=[edition.sequence for edition in editions], published_at__isnull=True
        ).update(published_at=now)
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY rahdari_published")
        checkpoint("mark: before commit")
    checkpoint("mark: committed")


def sign(
    *, repository: Repository, last: Edition, published_at: dt.datetime, now: dt.datetime, checkpoint: Checkpoint
) -> None:
    """Sign what leads to the edition `last`, with all files that are live then."""
    head = Head(last.session_id, last.sequence, last.digest_after, last.entries, time_text(published_at))
    repository.sign(
        head=head,
        targets=targets_of(_present(repository, live_files(last), checkpoint)),
        versions=reserve_versions(repository),
        now=now,
        checkpoint=checkpoint,
    )


def publish_due_snapshot(
    *, repository: Repository, now: dt.datetime, meanwhile: Callable[[], None], checkpoint: Checkpoint
) -> None:
    """Write the newest snapshot that is due, and sign once more. Its edition was published by its delta before.

    `meanwhile` is called every so often, and may publish what came: no change waits for a snapshot.
    """
    due = queries.due_snapshot()
    if due is None:
        return
    write_snapshot(repository=repository, edition=due, meanwhile=meanwhile, checkpoint=checkpoint)
    last = queries.latest_edition()
    if last is not None and last.published_at is not None:
        sign(repository=repository, last=last, published_at=last.published_at, now=now, checkpoint=checkpoint)


def _write_delta(repository: Repository, edition: Edition, checkpoint: Checkpoint) -> None:
    place = repository.place_of(delta_file(edition))
    if folder.holds(place, sha256=edition.delta_sha256, length=edition.delta_length):
        return
    data = bytes(edition.delta)
    if _sha256(data) != edition.delta_sha256:
        raise FileDiffers(edition.delta_path)
    name = place.name
    folder.write_whole(place, data, checkpoint=lambda at: checkpoint(at.replace(name, "delta")))


def write_snapshot(
    *,
    repository: Repository,
    edition: Edition,
    checkpoint: Checkpoint,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Streamed from the register's history as it was published up to this edition, so it can be written at any time."""
    known = edition.snapshot_sha256
    if known and folder.holds(
        repository.place_of(snapshot_file(edition)), sha256=known, length=edition.snapshot_length
    ):
        return
    header = Header.snapshot(
        session=edition.session_id, sequence=edition.sequence, digest=edition.digest_after, count=edition.entries
    )
    parent = edition.snapshot_path.rpartition("/")[0]
    digest = SetDigest()
    with folder.unfinished(repository.targets / parent) as draft:
        sha256, length = write_edition(draft.file, header, _entries_at(edition.sequence, digest, meanwhile))
        # Before anyone can see it: what is in the history must be what was counted change by change.
        if digest.hexdigest() != edition.digest_after:
            raise DigestMismatch("after", edition.digest_after, digest.hexdigest())
        if known and (sha256, length) != (known, edition.snapshot_length):
            raise FileDiffers(edition.snapshot_path)
        edition.snapshot_sha256, edition.snapshot_length = sha256, length
        final = repository.place_of(snapshot_file(edition)).name
        draft.place(final, checkpoint=lambda at: checkpoint(at.replace(final, "snapshot")))
    # Metadata name it once this is noted; killed before, it is written again, byte for byte.
    if not known:
        Edition.objects.filter(pk=edition.pk).update(snapshot_sha256=sha256, snapshot_length=length)
        checkpoint("snapshot: noted")


def _entries_at(sequence: int, digest: SetDigest, meanwhile: Callable[[], None]) -> Iterator[Operation]:
    found = (
        register.changes()
        .filter(published_in__edition__lte=sequence)
        .order_by("entry_id", "-id")
        .distinct("entry_id")
        .values_list("snapshot", flat=True)
    )
    # A cursor of the database's: it goes on showing this moment, whatever is published between two of its pages.
    for number, said in enumerate(found.iterator(chunk_size=rules.ENTRIES_AT_A_TIME), start=1):
        if said:
            operation = Operation(Op.ADD, rules.entry_of(said))
            operation.apply_to(digest)
            yield operation
        if number % rules.ENTRIES_AT_A_TIME == 0:
            meanwhile()


def _present(repository: Repository, files: Sequence[FeedFile], checkpoint: Checkpoint) -> list[FeedFile]:
    """The files that are in the folder, after writing again what was lost: metadata name no file that is not there."""
    missing = [file.to_sequence for file in files if not repository.place_of(file).exists()]
    for edition in Edition.objects.filter(sequence__in=missing):
        try:
            if edition.delta_path:
                _write_delta(repository, edition, checkpoint)
            if edition.snapshot_sha256:
                write_snapshot(repository=repository, edition=edition, checkpoint=checkpoint)
        except FileDiffers as error:
            log.error("%s is lost and cannot be written again as it was; it is named no more", error.path)
    return [file for file in files if not missing or repository.place_of(file).exists()]


def live_files(last: Edition) -> list[FeedFile]:
    """The files that the metadata name when `last` is the last edition."""
    up_to_last = Edition.objects.defer("delta").filter(session=last.session_id, sequence__lte=last.sequence)
    snapshots = list(up_to_last.exclude(snapshot_sha256="").order_by("-sequence")[: rules.LIVE_SNAPSHOTS])
    oldest = rules.oldest_live_delta(head=last.sequence, newest_snapshot=snapshots[0].sequence if snapshots else 0)
    deltas = up_to_last.filter(sequence__gte=oldest).exclude(delta_path="")
    return [delta_file(edition) for edition in deltas] + [snapshot_file(edition) for edition in snapshots]


def delta_file(edition: Edition) -> FeedFile:
    return FeedFile(
        path=edition.delta_path,
        kind=Kind.DELTA,
        session=edition.session_id,
        from_sequence=edition.sequence - 1,
        to_sequence=edition.sequence,
        digest_after=edition.digest_after,
        sha256=edition.delta_sha256,
        length=edition.delta_length,
    )


def snapshot_file(edition: Edition) -> FeedFile:
    return FeedFile(
        path=edition.snapshot_path,
        kind=Kind.SNAPSHOT,
        session=edition.session_id,
        from_sequence=None,
        to_sequence=edition.sequence,
        digest_after=edition.digest_after,
        sha256=edition.snapshot_sha256,
        length=edition.snapshot_length,
    )


def reserve_versions(repository: Repository) -> Versions:
    """The next version of each online role. Noted before it is used: no version is ever signed twice."""
    reserved = _reserve(repository, (ROLE, "snapshot", "timestamp"))
    return Versions(reserved[ROLE], reserved["snapshot"], reserved["timestamp"])


def reserve_timestamp_version(repository: Repository) -> int:
    return _reserve(repository, ("timestamp",))["timestamp"]


RESERVE = """
INSERT INTO publish_metadataversion AS known (role, version)
SELECT role, floor + 1 FROM unnest(%s::text[], %s::bigint[]) AS wanted (role, floor)
ON CONFLICT (role) DO UPDATE SET version = GREATEST(known.version + 1, EXCLUDED.version)
RETURNING role, version
"""


def _reserve(repository: Repository, roles: Sequence[str]) -> dict[str, int]:
    # Above what was ever noted and above what is published: either may have been restored from an older day.
    floors = repository.versions()
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(RESERVE, [list(roles), [floors.get(role, 0) for role in roles]])
            reserved: dict[str, int] = dict(cursor.fetchall())
        # Both were, and the folder still has a later file that nothing names: go on above it.
        if not any(repository.is_used(role, version) for role, version in reserved.items()):
            return reserved


def check_not_behind(repository: Repository) -> None:
    """Raises DatabaseBehindFeed."""
    timestamp = repository.timestamp()
    if timestamp is None:
        return
    said = timestamp.signed.unrecognized_fields["feed"]
    session = queries.open_session()
    published = Edition.objects.defer("delta").filter(pk=said["sequence"]).first()
    if published is None or (published.session_id, published.digest_after) != (said["session"], said["digest"]):
        known = (session.id, session.sequence) if session else None
        raise DatabaseBehindFeed((said["session"], said["sequence"]), known)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
