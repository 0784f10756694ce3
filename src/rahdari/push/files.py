"""Editions as static files.

Only names that the feed can hold are looked for, so no path leads outside. A file is opened once and what is sent is
what was opened: the publisher replaces files, it never changes one.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# A segment of a name as python-tuf and the publisher write them; no leading dot, so neither `..` nor hidden files.
SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
FOLDERS = ("metadata", "targets")
DEEPEST = 6

# The one metadata name that is written anew; all others carry their version or a random part.
CHANGING = "timestamp.json"


class NoSuchFile(Exception):
    """There is no such file in the feed."""


@dataclass(frozen=True)
class Found:
    body: BinaryIO
    size: int
    tag: str
    media_type: str
    immutable: bool

    def chunks(self, length: int = 256 * 1024) -> Iterator[bytes]:
        left = self.size
        while left and (chunk := self.body.read(min(length, left))):
            left -= len(chunk)
            yield chunk


@contextmanager
def find(feed: Path, name: str) -> Iterator[Found]:
    """The file of this name, `metadata/...` or `targets/...`. Raises NoSuchFile."""
    segments = name.split("/")
    known = 2 <= len(segments) <= DEEPEST and segments[0] in FOLDERS
    if not known or not all(SEGMENT.fullmatch(segment) for segment in segments):
        raise NoSuchFile(name)
    path = feed.joinpath(*segments)
    try:
        # A link could lead anywhere, and opening a pipe would wait for a writer: neither belongs in the feed.
        if path.resolve() != feed.resolve().joinpath(*segments):
            raise NoSuchFile(name)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        raise NoSuchFile(name) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NoSuchFile(name)
    with open(descriptor, "rb") as body:
        yield Found(
            body=body,
            size=status.st_size,
            tag=f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"',
            media_type="application/json" if name.endswith(".json") else "application/octet-stream",
            immutable=segments[-1] != CHANGING,
        )


def unchanged(if_none_match: str, tag: str) -> bool:
    """Whether the asker already has what carries this tag (RFC 9110, 13.1.2: weak comparison)."""
    given = [item.strip().removeprefix("W/") for item in if_none_match.split(",")]
    return "*" in given or tag in given
