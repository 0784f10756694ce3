"""After a restore: what the feed on disk has and the database has not, and the new sessions that lead on from both.

A database that was restored from an older day knows less than was published. Agents never go back, so nothing is signed
from it under the old sessions. A new session of each stream begins above every edition that is on disk, with the set
that the database has; agents load a snapshot of it. What they hold and that lacks, they hold back as removals, for all
to see, until the register has entered it again.

Invariants: no sequence that an agent may hold is used again; versions of metadata are above those on disk; a session
that was left is never returned to.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F
from tuf.api.metadata import Metadata, Targets

from rahdari.db.locks import Lock, hold
from rahdari.errors import RahdariError
from rahdari.feed import (
    DELTA_LIMITS,
    SNAPSHOT_LIMITS,
    DigestMismatch,
    EditionReader,
    FeedEntry,
    FeedFault,
    FeedFile,
    Kind,
    Op,
    SetDigest,
    live_files,
)
from rahdari.feed.repository import ROLES, head_of
from rahdari.journal import actions as journal

from . import folder, reading, rules, signing, streams
from .envelope import FeedUnusable, OperatorRepository, Repository
from .models import Operator, Session, Stream

# Where repositories go that no operator owns any more.
LEFT = "left"
# More versions of metadata than were signed since any backup: one each second for eleven days.
VERSIONS_AHEAD = 1_000_000


class NotBehind(Exception):
    """The database knows all that was published, so there is nothing to restore."""


class SequenceTooLow(RahdariError):
    """New sessions must begin above what is on disk. `.above`: the lowest number that will do."""

    says = "{above}"
    above: int


@dataclass(frozen=True)
class Difference:
    """An entry that disk and database do not say the same of. Either side is None where it has none."""

    role: str
    on_disk: FeedEntry | None
    in_database: FeedEntry | None

    @property
    def what(self) -> str:
        """lost: the register has to enter it again; changed: it says an older thing; back: it had gone, and is back."""
        if self.in_database is None:
            return "lost"
        return "back" if self.on_disk is None else "changed"


@dataclass(frozen=True)
class OnDisk:
    """What the folder leads to, over all repositories: the highest of each role, and repositories nobody owns now."""

    sequences: dict[str, int]
    versions: dict[str, int]
    unknown_repositories: list[str]


def on_disk() -> OnDisk:
    """Raises FeedUnusable."""
    repository = Repository(Path(settings.DATA))
    sequences = dict.fromkeys(ROLES, -1)
    versions = dict.fromkeys(ROLES, 0)
    known = set(Operator.objects.values_list("repository", flat=True))
    unknown = []
    for each in repository.all():
        published = each.published()
        if published is None:
            continue
        if each.name not in known:
            unknown.append(each.name)
        for role, head in published.stamp.heads.items():
            sequences[role] = max(sequences[role], head.sequence)
        for role, named in published.roles.items():
            versions[role] = max(versions[role], named.version)
    return OnDisk(sequences, versions, unknown)


def is_behind() -> bool:
    """Whether more was published than the database knows, and nothing leads on from it yet."""
    repository = Repository(Path(settings.DATA))
    return bool(signing.behind(repository, Operator.objects.filter(active=True)) or on_disk().unknown_repositories)


# -- the list ------------------------------------------------------------------------------------------------------


def differences() -> Iterator[Difference]:
    """What the register's staff has to look at, role by role.

    Raises FeedUnusable: a file on disk is gone or broken, or nothing that was published is there.
    Holds the entries on disk in memory: some 400 MB for a million.
    """
    repository = Repository(Path(settings.DATA))
    if not any(each.published() for each in repository.all()):
        raise FeedUnusable(repository.path, "nothing that was published is there, so nothing says what is missing")
    for role in ROLES:
        disk = _entries_on_disk(repository, role)
        stream = streams.present().filter(role=role, everything=True).first()
        parts = reading.entries_at(stream, _sequence_of(stream)) if stream is not None else iter(())
        for part in parts:
            for entry in part:
                other = disk.pop(entry.id, None)
                if other is None or other.canonical != entry.canonical:
                    yield Difference(role, other, entry)
        for other in sorted(disk.values(), key=lambda entry: (entry.prefix, entry.id)):
            yield Difference(role, other, None)


def _sequence_of(stream: Stream) -> int:
    return Session.objects.get(stream=stream, closed_at=None).sequence


def entries_on_disk() -> int:
    """How many entries operators were given, each file that leads to them read. Raises FeedUnusable."""
    repository = Repository(Path(settings.DATA))
    return sum(len(_entries_on_disk(repository, role)) for role in ROLES)


def _entries_on_disk(repository: Repository, role: str) -> dict[str, FeedEntry]:
    """All that any operator was given in this role, by the entry's id."""
    found: dict[str, FeedEntry] = {}
    seen = set()
    for each in repository.all():
        published = each.published()
        named = published.roles[role] if published else None
        # Operators of equal rights share one file of metadata: what is in it is read once.
        if named is not None and named.sha256 not in seen:
            seen.add(named.sha256)
            found.update(_read(repository, each, role, named.version))
    return found


def _read(repository: Repository, operators: OperatorRepository, role: str, version: int) -> dict[str, FeedEntry]:
    path = operators.metadata / f"{version}.{role}.json"
    try:
        signed: Targets = Metadata[Targets].from_file(str(path)).signed
        head, files = head_of(signed), live_files(signed, role=role)
        return _follow(repository, files, head.session, head.sequence)
    except FeedUnusable:
        raise
    except (OSError, FeedFault, ValueError) as error:
        raise FeedUnusable(path, f"what it leads to cannot be read: {error}") from None


def _follow(repository: Repository, files: list[FeedFile], session: str, sequence: int) -> dict[str, FeedEntry]:
    """The entries at this edition, from the newest snapshot on, by the rule of docs/feed.md: of the deltas that begin
    at or before where one stands, the one that leads furthest."""
    own = [file for file in files if file.session == session and file.to_sequence <= sequence]
    step = max((file for file in own if file.kind is Kind.SNAPSHOT), key=lambda file: file.to_sequence, default=None)
    if step is None:
        raise FeedUnusable(repository.targets, f"no snapshot leads to edition {sequence}")
    entries: dict[str, FeedEntry] = {}
    digest = SetDigest()
    while True:
        _take(repository, step, entries, digest)
        if (at := step.to_sequence) == sequence:
            return entries
        deltas = [
            file for file in own if file.from_sequence is not None and file.from_sequence <= at < file.to_sequence
        ]
        step = max(deltas, key=lambda file: (file.to_sequence, file.from_sequence), default=None)
        if step is None:
            raise FeedUnusable(repository.targets, f"no files lead from edition {at} to {sequence}")


def _take(repository: Repository, file: FeedFile, entries: dict[str, FeedEntry], digest: SetDigest) -> None:
    """Bring the entries to the end of this file. A delta that begins earlier says of each entry what became of it."""
    limits = SNAPSHOT_LIMITS if file.kind is Kind.SNAPSHOT else DELTA_LIMITS
    with repository.place_of(file).open("rb") as content:
        reader = EditionReader(content, limits)
        for operation in reader:
            held = entries.pop(operation.entry.id, None)
            if held is not None:
                digest.remove(held.canonical)
            if operation.op is not Op.REMOVE:
                entries[operation.entry.id] = operation.entry
                digest.add(operation.entry.canonical)
    if digest.hexdigest() != reader.header.digest_after:
        raise DigestMismatch("after", reader.header.digest_after, digest.hexdigest())


# -- leading on ----------------------------------------------------------------------------------------------------


def open_new_sessions(
    *,
    now: dt.datetime,
    above: int | None = None,
    restored_to: dt.datetime | None = None,
    actor: str = "system:feed-new-session",
) -> dict[str, int]:
    """Begin another session of every stream, above all that is on disk; return where, by role.

    `above` says that something still higher was signed, by a thief, or before the folder was lost; it also opens new
    sessions when nothing was restored. `restored_to` says whose state database and folder have: an edition a second may
    have been published since, of which nothing here knows. The publisher does the rest when it comes round.

    Raises NotBehind, SequenceTooLow, FeedUnusable.
    """
    repository = Repository(Path(settings.DATA))
    with folder.only_writer(repository.path):
        if above is None and restored_to is None and not is_behind():
            raise NotBehind
        disk = on_disk()
        unknown = max(0, int((now - restored_to).total_seconds())) if restored_to else 0
        with transaction.atomic():
            hold(Lock.STREAMS)
            begun: dict[str, int] = {}
            for stream in streams.present().exclude(followed=False, everything=False).order_by("pk"):
                floor = max(disk.sequences[stream.role], _sequence_of(stream))
                if above is not None and above < floor:
                    raise SequenceTooLow(floor)
                at = max(floor, above or 0) + rules.ROOM_FOR_MEANWHILE + unknown
                _begin(stream, at, disk.versions[stream.role], now)
                begun[stream.role] = max(at, begun.get(stream.role, 0))
            Operator.objects.update(
                snapshot_version=F("snapshot_version") + VERSIONS_AHEAD,
                timestamp_version=F("timestamp_version") + VERSIONS_AHEAD,
                due=True,
            )
            journal.record(
                act="publish.sessions_opened",
                actor=actor,
                subject="feed:sessions",
                now=now,
                detail={"begin": begun, "above": above, "left": disk.unknown_repositories},
            )
        # Of operators that were added since: nobody may fetch it, and the publisher must not take it for its own.
        for name in disk.unknown_repositories:
            left = folder.make_folder(repository.path / LEFT) / name
            repository.of(name).path.rename(left)
    return begun


def _begin(stream: Stream, sequence: int, version: int, now: dt.datetime) -> None:
    if stream.is_open:
        streams.open_session(stream=stream, sequence=sequence, now=now)
    else:
        # Nobody follows it yet: it opens there once it is filled.
        Session.objects.filter(stream=stream, closed_at=None).update(first_sequence=sequence, sequence=sequence)
    Stream.objects.filter(pk=stream.pk).update(version=max(stream.version, version) + VERSIONS_AHEAD, signed_version=0)
