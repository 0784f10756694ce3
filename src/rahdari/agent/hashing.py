"""Counting the digest of a large snapshot in a second process, while the first one reads and stores it.

Half of the work of a cold start is hashing, which one interpreter does on one core. The second process reads the same
open file, takes what stands in each line between the fixed beginning and end of an `add`, and adds it up. It decides
nothing: the first process holds each line against the form, and asks for the sum only when every entry stood there
(`EditionReader.rows`). Should the second process fail in any way, the first counts by itself.
"""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from rahdari.feed import SNAPSHOT_LIMITS, FeedFault, SetDigest
from rahdari.feed.digest import STATE_BYTES
from rahdari.feed.edition import blocks_of
from rahdari.feed.plain import LINE_BEGIN, LINE_END

# Below this many entries a second process costs more than it saves.
WORTH_IT = 30_000


class Counting:
    """A second process at work on an open file."""

    def __init__(self, descriptor: int) -> None:
        command = [sys.executable, "-m", "rahdari.agent.hashing", str(descriptor)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(descriptor,),
            env=_environment(),
        )

    def result(self) -> SetDigest | None:
        """The sum, once it is there; None when there is none."""
        said, _ = self._process.communicate()
        return SetDigest(said) if self._process.returncode == 0 and len(said) == STATE_BYTES else None

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


def count_beside(body: BinaryIO, entries: int) -> Counting | None:
    """Begin to count, if it is worth it and can be done: the body must be a file, and there must be a second core."""
    if entries < WORTH_IT or (os.cpu_count() or 1) < 2:
        return None
    try:
        return Counting(body.fileno())
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


def _entries(body: BinaryIO) -> Iterator[bytes]:
    first, last = len(LINE_BEGIN), -len(LINE_END)
    blocks = blocks_of(body, SNAPSHOT_LIMITS)
    # The line before the first is the header.
    _, _, rest = next(blocks).partition(b"\n")
    for block in chain((rest,) if rest else (), blocks):
        yield from (line[first:last] for line in block[:-1].split(b"\n"))


def main(descriptor: int) -> int:
    digest = SetDigest()
    try:
        digest.add_all(_entries(_Reading(descriptor)))  # type: ignore[arg-type]
    except (FeedFault, OSError, StopIteration, RuntimeError):
        return 1
    sys.stdout.buffer.write(digest.state)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
