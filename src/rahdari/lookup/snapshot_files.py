"""Reading snapshots and deltas from the disk, each held against the SHA-256 and the digest that were promised.

A snapshot may hold millions of entries. It is read line by line; the digest, which takes longest, is worked out beside
that by `digesting`, a process for each core, since sums of parts make the sum of the whole.
"""

import gc
import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from rahdari.feed import (
    DELTA_LIMITS,
    SNAPSHOT_LIMITS,
    CountMismatch,
    DigestMismatch,
    EditionReader,
    FeedFile,
    Header,
    Kind,
    Malformed,
    Op,
    SetDigest,
    TooLarge,
)
from rahdari.feed.canonical import decode
from rahdari.feed.digest import STATE_BYTES
from rahdari.feed.edition import blocks_of
from rahdari.feed.faults import NotCanonical

from .index import Index
from .records import added, record_of

# From so many entries on, a process of its own is sooner done with the digest.
MANY = 20_000
MOST_PARTS = 4


@dataclass(frozen=True)
class Step:
    """An operation of a delta: `out` is what it takes out, `into` what it puts in. `id` is the entry's."""

    id: bytes
    out: bytes | None
    into: bytes | None


def read_snapshot(path: Path, file: FeedFile, twins: Sequence[Index] = ()) -> tuple[Index, SetDigest]:
    """All of a snapshot. Where a twin holds the same entry, its memory is used.
    Raises OSError, and FeedFault (DigestMismatch where the entries are not those of the header).
    """
    parts: list[subprocess.Popen[bytes]] = []
    index, digest = Index(), SetDigest()
    collecting = gc.isenabled()
    try:
        # Nothing that is made here refers to anything, so looking for circles only takes time.
        gc.disable()
        with path.open("rb") as opened:
            taken = _Hashed(opened)
            lines = lines_of(cast("BinaryIO", taken))
            header = _header(lines, file)
            if header.count >= MANY:
                parts = _digest_beside(path)
            for line in lines:
                record, prefix = added(line)
                index.add(record, prefix, twins)
            _check(file, header, taken, index.entries)
        if not parts:
            digest.add_all(index.records())
        for part in parts:
            digest.add_state(_state_of(part))
        parts = []
    finally:
        for part in parts:
            part.kill()
            part.communicate()
        if collecting:
            gc.enable()
    if digest.hexdigest() != header.digest_after:
        raise DigestMismatch("after", header.digest_after, digest.hexdigest())
    return index, digest


def read_delta(path: Path, file: FeedFile) -> tuple[Header, list[Step]]:
    """The operations of a delta, in their order. Raises OSError, FeedFault."""
    steps = []
    with path.open("rb") as opened:
        taken = _Hashed(opened)
        reader = EditionReader(cast("BinaryIO", taken), DELTA_LIMITS)
        for operation, entry, was in reader.with_bytes():
            record = record_of(entry)
            out = record if operation.op is Op.REMOVE else record_of(was) if was is not None else None
            into = None if operation.op is Op.REMOVE else record
            steps.append(Step(operation.entry.id.encode("ascii"), out, into))
        _check(file, reader.header, taken, len(steps))
    return reader.header, steps


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a snapshot, without their ends. Raises Malformed, TooLarge, Truncated."""
    for block in blocks_of(file, SNAPSHOT_LIMITS):
        yield from block[:-1].split(b"\n")


def header_of(line: bytes) -> Header:
    """The header of a snapshot, from its first line. Raises FeedFault (Malformed)."""
    try:
        return Header.from_json(decode(line))
    except NotCanonical as error:
        raise Malformed(error.why, 1) from None


class _Hashed(io.BufferedIOBase):
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256, self.length = hashlib.sha256(), 0

    def read(self, size: int | None = -1) -> bytes:
        data = self._file.read(-1 if size is None else size)
        self.sha256.update(data)
        self.length += len(data)
        return data


def _header(lines: Iterable[bytes], file: FeedFile) -> Header:
    for line in lines:
        header = header_of(line)
        if header.kind is not Kind.SNAPSHOT:
            raise Malformed("this is no snapshot", 1)
        if header.count > SNAPSHOT_LIMITS.entries:
            raise TooLarge("entries", SNAPSHOT_LIMITS.entries)
        return header
    raise Malformed("the file is empty")


def _check(file: FeedFile, header: Header, taken: _Hashed, found: int) -> None:
    if header.count != found:
        raise CountMismatch(header.count, found)
    if taken.length != file.length or taken.sha256.hexdigest() != file.sha256:
        raise Malformed("the file has another length or SHA-256 than the metadata promise")
    promised = (file.kind, file.session, file.from_sequence, file.to_sequence, file.digest_after)
    header_says = (header.kind, header.session, header.from_sequence, header.to_sequence, header.digest_after)
    if promised != header_says:
        raise Malformed("the file is another edition than the metadata promise", 1)


def _digest_beside(path: Path) -> list[subprocess.Popen[bytes]]:
    parts = max(1, min(os.cpu_count() or 1, MOST_PARTS))
    command = [sys.executable, "-P", "-m", "rahdari.lookup.digest_worker", str(path)]
    return [
        subprocess.Popen([*command, str(part), str(parts)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for part in range(parts)
    ]


def _state_of(part: subprocess.Popen[bytes]) -> bytes:
    state, _ = part.communicate()
    if part.returncode != 0 or len(state) != STATE_BYTES:
        raise Malformed("the digest of the snapshot could not be worked out")
    return state
