"""Counting the digest of a large snapshot in other processes, while the first one reads and stores it.

More than half of the work of a cold start is hashing, which one interpreter does on one core. The others read the same
open file, take what stands in each line between the fixed beginning and end of an `add`, and add it up. They decide
nothing: the first process holds each line against the form, and asks for the sum only when every entry stood there
(`EditionReader.rows`). Should one of them fail in any way, the first counts by itself.

The blocks of the file (`blocks_of`) are dealt out by their numbers. With two cores the first process has a share of its
own, since storing takes less time than hashing.
"""

import io
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from itertools import chain
from typing import BinaryIO

from rahdari.feed import SNAPSHOT_LIMITS, FeedFault, SetDigest
from rahdari.feed.digest import STATE_BYTES
from rahdari.feed.edition import blocks_of
from rahdari.feed.plain import entries_in

# Below this many entries a second process costs more than it saves.
WORTH_IT = 30_000
# Of so many blocks, which are counted beside: by one process where there are two cores, by two where there are more.
SHARES = 6
ONE, TWO = (range(1, SHARES),), (range(SHARES // 2), range(SHARES // 2, SHARES))


class Counting:
    """Other processes at work on an open file. `shares` has for each the blocks that it counts."""

    def __init__(self, descriptor: int, shares: Collection[range]) -> None:
        self._counted = frozenset(chain.from_iterable(shares))
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "rahdari.agent.hashing", *map(str, (descriptor, share.start, share.stop))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(descriptor,),
                env=_environment(),
            )
            for share in shares
        ]

    def counts(self, block: int) -> bool:
        """Whether the block with this number is counted beside."""
        return block % SHARES in self._counted

    def add_to(self, digest: SetDigest) -> bool:
        """Put in what was counted, once it is there. False when any of it is missing."""
        for process in self._processes:
            state, _ = process.communicate()
            if process.returncode != 0 or len(state) != STATE_BYTES:
                return False
            digest.add_state(state)
        return True

    def stop(self) -> None:
        """Whether or not they have come to their end."""
        for process in self._processes:
            process.kill()
            with process:
                pass


def count_beside(body: BinaryIO, entries: int) -> Counting | None:
    """Begin to count, if it is worth it and can be done: the body must be a file, and there must be a second core."""
    cores = os.cpu_count() or 1
    if entries < WORTH_IT or cores < 2:
        return None
    try:
        return Counting(body.fileno(), ONE if cores == 2 else TWO)
    except (OSError, io.UnsupportedOperation):
        return None


def _environment() -> dict[str, str]:
    """So that the second process finds this very package, however this one found it."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


class _Reading(io.RawIOBase):
    """A file of another process, read from its beginning: place and descriptor are shared, so it is not moved."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._at = descriptor, 0

    def read(self, size: int = -1) -> bytes:
        piece = os.pread(self._descriptor, size, self._at)
        self._at += len(piece)
        return piece


def _entries(body: BinaryIO, share: range) -> Iterator[bytes]:
    blocks = blocks_of(body, SNAPSHOT_LIMITS)
    # The line before the first is the header.
    _, _, rest = next(blocks).partition(b"\n")
    for number, block in enumerate(chain((rest,) if rest else (), blocks)):
        if number % SHARES in share:
            yield from entries_in(block)


def main(descriptor: int, start: int, stop: int) -> int:
    digest = SetDigest()
    try:
        digest.add_all(_entries(_Reading(descriptor), range(start, stop)))  # type: ignore[arg-type]
    except (FeedFault, OSError, StopIteration, RuntimeError):
        return 1
    sys.stdout.buffer.write(digest.state)
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
