"""One stream's session, held in memory and kept in step with its editions.

Each step is checked before anything changes: SHA-256 and length of the file, the digest before and after. Whatever is
wrong, the edition that is held stays; the next try begins from a snapshot, aside, and takes its place when it has
arrived.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rahdari.feed import DigestMismatch, FeedFault, FeedFile, Head, Kind, Malformed, SetDigest

from .index import Index, worked_out
from .metadata import Described
from .records import ID
from .snapshot_files import Step, read_delta, read_snapshot

# Put in while nobody reads, which is some hundred microseconds; more is put into a copy.
IN_PLACE = 200


@dataclass(slots=True)
class Edition:
    """The entries of an edition. `sequence` is None for none at all."""

    index: Index = field(default_factory=Index)
    digest: SetDigest = field(default_factory=SetDigest)
    sequence: int | None = None


class Session:
    """`reading` is held by whoever looks into an index, and here for the moment in which one is changed.

    `changed` is called in that moment.
    """

    def __init__(self, session: str, role: str, reading: threading.Lock, changed: Callable[["Session"], None]) -> None:
        self.session, self.role = session, role
        self.held = Edition()
        self._reading, self._changed = reading, changed
        self._doubtful = False

    def is_behind(self, sequence: int) -> bool:
        return self._doubtful or self.held.sequence is None or self.held.sequence < sequence

    def follow(self, described: Described, targets: Path, twin: Index | None = None) -> None:
        """Come to the head that is described, unless it was passed already. Raises OSError, FeedFault."""
        head = described.head
        if head.session != self.session:
            raise Malformed("the head is that of another session")
        if not self.is_behind(head.sequence):
            return
        files = [file for file in described.files if file.session == self.session and file.to_sequence <= head.sequence]
        anew = self._doubtful or self.held.sequence is None
        edition = Edition() if anew else self.held
        try:
            while edition.sequence != head.sequence:
                file = next_file(files, edition.sequence)
                if file.kind is Kind.SNAPSHOT:
                    # What is held may well be most of it.
                    twins = [index for index in (self.held.index, twin) if index is not None and index.entries]
                    edition = Edition(*read_snapshot(targets / file.location, file, twins), file.to_sequence)
                else:
                    self._take(edition, file, targets / file.location)
            _check_head(edition, head)
        except FeedFault:
            self._doubtful = self.held.sequence is not None
            raise
        self._doubtful = False
        if edition is not self.held:
            with self._reading:
                self.held = edition
                self._changed(self)

    def _take(self, edition: Edition, file: FeedFile, path: Path) -> None:
        header, steps = read_delta(path, file)
        digest = edition.digest.copy()
        if file.from_sequence == edition.sequence:
            if digest.hexdigest() != header.digest_before:
                raise DigestMismatch("before", header.digest_before, digest.hexdigest())
            pairs = [(step.out, step.into) for step in steps]
        else:
            pairs = covered(edition.index, steps)
        for out, into in pairs:
            if out is not None:
                digest.remove(out)
            if into is not None:
                digest.add(into)
        if digest.hexdigest() != header.digest_after:
            raise DigestMismatch("after", header.digest_after, digest.hexdigest())
        patch = worked_out(edition.index, pairs)
        index = edition.index if len(patch) <= IN_PLACE else edition.index.patched(patch)
        with self._reading:
            if index is edition.index:
                index.put(patch)
            edition.index, edition.digest, edition.sequence = index, digest, file.to_sequence
            if edition is self.held:
                self._changed(self)


def next_file(files: Sequence[FeedFile], sequence: int | None) -> FeedFile:
    """The delta that leads furthest from here, of those the one that begins last; else the newest snapshot.

    Raises Malformed when nothing leads on.
    """
    if sequence is not None:
        deltas = [
            (file.to_sequence, file.from_sequence, file)
            for file in files
            if file.from_sequence is not None and file.from_sequence <= sequence < file.to_sequence
        ]
        if deltas:
            return max(deltas, key=lambda delta: delta[:2])[2]
    snapshots = [file for file in files if file.kind is Kind.SNAPSHOT and file.to_sequence > (sequence or -1)]
    if not snapshots:
        raise Malformed(f"no file leads on from edition {sequence}")
    return max(snapshots, key=lambda file: file.to_sequence)


def covered(index: Index, steps: Sequence[Step]) -> list[tuple[bytes | None, bytes | None]]:
    """What a delta that begins before the edition held does to it: its entries stand as they stand at its end.

    Each entry that changed since is among them, whatever it was in between.
    """
    ends = {step.id: step.into for step in steps}
    held = {record[ID]: record for record in index.records() if record[ID] in ends}
    return [(held.get(id), into) for id, into in ends.items() if held.get(id) != into]


def _check_head(edition: Edition, head: Head) -> None:
    found = edition.digest.hexdigest()
    if found != head.digest:
        raise DigestMismatch("after", head.digest, found)
    if edition.index.entries != head.entries:
        raise Malformed(f"{head.entries} entries promised, {edition.index.entries} found")
