"""Which file of the feed a reader means, whether it may have it, and which part of it it asks for.

A name is taken only in the forms that the publisher gives its files, so that nothing outside the feed has a name here.
Metadata come from the reader's own repository and no other; targets from sessions it is entitled to, and statements in
bulk, which are for everyone. What a reader may not have is answered like what is not there.
"""

import errno
import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from rahdari.errors import RahdariError

from .access import Reader

# The one metadata name that is written anew; all others carry their version or a digest.
CHANGING = "timestamp.json"
FIRST_ROOT = "metadata/1.root.json"
_METADATA = re.compile(r"metadata/(timestamp\.json|[1-9][0-9]{0,15}\.[a-z][a-z0-9-]{0,40}\.json)", re.ASCII)
_TARGET = re.compile(
    r"targets/[a-z][a-z0-9-]{0,40}/(?P<session>[0-9a-f]{32})/(?P<sha256>[0-9a-f]{64})\.[A-Za-z0-9][A-Za-z0-9._-]{0,150}",
    re.ASCII,
)
_BULK = re.compile(r"targets/bulk/(?P<sha256>[0-9a-f]{64})\.[0-9a-f]{32}\.json", re.ASCII)
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.ASCII)

# Not for want of the file: the reader is to come again, and the register's people are to be told.
NOT_GIVEN = frozenset({errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE})
# Up to so much is read at once and sent in one piece.
SMALL = 256 * 1024


class NoSuchFile(Exception):
    """There is no such file in the feed, for this reader."""


class NotReadable(RahdariError):
    """It is there, and this process may not read it, or the disk does not give it. `.location`, `.why`."""

    says = "{location}: {why}"
    location: str
    why: str


class NotSatisfiable(Exception):
    """The range lies beyond the end of the file."""


@dataclass(frozen=True)
class Stored:
    """`content` is None for a large file. `location` is its place below the feed's folder."""

    path: Path
    location: str
    size: int
    tag: str
    content: bytes | None

    @property
    def immutable(self) -> bool:
        return self.path.name != CHANGING

    @property
    def media_type(self) -> str:
        return "application/json" if self.path.suffix == ".json" else "application/octet-stream"


def find(feed: Path, reader: Reader, name: str) -> Stored:
    """The file of this name, `metadata/...` or `targets/...`. Raises NoSuchFile, NotReadable."""
    if _METADATA.fullmatch(name):
        try:
            return _stored(feed, f"repositories/{reader.repository}/{name}", "")
        except NoSuchFile:
            # An operator that was entered a moment ago begins with the first root, which is the same for all.
            if name != FIRST_ROOT:
                raise
            return _stored(feed, name, "")
    target = _TARGET.fullmatch(name)
    if target and target["session"] in reader.sessions:
        return _stored(feed, name, target["sha256"])
    if bulk := _BULK.fullmatch(name):
        return _stored(feed, name, bulk["sha256"])
    raise NoSuchFile(name)


def _stored(feed: Path, location: str, sha256: str) -> Stored:
    path = feed / location
    try:
        # Opening a pipe would wait for a writer, and a link could lead anywhere: neither belongs in the feed.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in NOT_GIVEN:
            raise NotReadable(location, str(error.strerror)) from None
        raise NoSuchFile(location) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NoSuchFile(location)
        content = os.read(descriptor, SMALL) if status.st_size <= SMALL else None
    finally:
        os.close(descriptor)
    size = status.st_size if content is None else len(content)
    if not sha256:
        sha256 = hashlib.sha256(f"{path.name} {size}".encode() if content is None else content).hexdigest()
    return Stored(path, location, size, f'"{sha256}"', content)


def unchanged(if_none_match: str, tag: str) -> bool:
    """Whether the asker already has what carries this tag (RFC 9110, 13.1.2: weak comparison)."""
    given = [item.strip().removeprefix("W/") for item in if_none_match.split(",")]
    return "*" in given or tag in given


def part_asked(range_: str, if_range: str | None, stored: Stored) -> tuple[int, int] | None:
    """The first byte asked for and the one behind the last; None for all of it (RFC 9110, 14.2 and 13.1.5).

    A range that is not understood, several of them, or one for another state of the file, mean all of it.
    Raises NotSatisfiable.
    """
    found = _RANGE.fullmatch(range_.strip())
    if found is None or not stored.immutable or (if_range is not None and if_range.strip() != stored.tag):
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if not first:
        start, end = max(stored.size - int(last), 0), stored.size
    else:
        start, end = int(first), min(int(last) + 1, stored.size) if last else stored.size
        if last and int(last) < start:
            return None
    if start >= stored.size or start >= end:
        raise NotSatisfiable
    return start, end
