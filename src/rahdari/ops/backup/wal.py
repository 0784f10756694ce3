"""PostgreSQL's log, file by file, into the place of the backups and back: what its archive_command and restore_command
call.

    python -P -m rahdari.ops.backup.wal put PATH          0: it is there, sealed; else PostgreSQL keeps it and asks
    again python -P -m rahdari.ops.backup.wal fetch NAME PATH   0: it is at PATH; 1: there is none

Settings come from the environment: RAHDARI_BACKUP, RAHDARI_BACKUP_KEY (put), RAHDARI_BACKUP_IDENTITY (fetch, a file).
It runs once for 16 MB of changes or a minute, without Django.
"""

import hashlib
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rahdari.ops.errors import Told

from . import lines, sealing
from .target import WHOSE, Target

PREFIX = "wal/"
_NAME = r"[0-9A-F]{8}(?:[0-9A-F]{16})?(?:\.[0-9A-F]{8}\.backup|\.history)?"
_KEY = re.compile(rf"wal/[^/]+/(?P<name>{_NAME})-[0-9a-f]{{16}}\.gz\.age")
_SEGMENT = re.compile(r"([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})")
# Segments of 16 MB in one number of the middle part of their name.
PER_FILE = 256
SEGMENT_BYTES = 16 * 1024 * 1024


class AnotherWrites(Told):
    """Under this name another content is kept: two servers archive to one place. `.name` is the segment."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The place of the backups has another {name} than this server's: another one writes there, perhaps an old "
            "primary that came back. Stop it, or give this register a place of its own. Nothing was overwritten."
        )
        self.name = name


class NoBackupThere(Told):
    """Nothing says that this register is backed up to the place."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"No backup was taken to {target} yet, or its disk is not mounted: the log is not archived there. Mount "
            "it, or take the first backup. PostgreSQL keeps the log until then, and asks again."
        )


class Missing(Told):
    """Segments between others are gone, so what came after them cannot be restored. `.first` is the first of them."""

    def __init__(self, first: str, before: str) -> None:
        super().__init__(
            f"The log lacks {first}, which comes after {before or 'the backup'}. Nothing later than that can be "
            "restored from this backup. Look for the file in the place of the backups and its own backups, or choose "
            "with --to a time before it, or a backup after it with --backup."
        )
        self.first, self.before = first, before


@dataclass(frozen=True)
class Segment:
    """A file of 16 MB of the log."""

    timeline: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.timeline:08X}{self.number // PER_FILE:08X}{self.number % PER_FILE:08X}"

    @property
    def start(self) -> int:
        return self.number * SEGMENT_BYTES

    @property
    def end(self) -> int:
        return self.start + SEGMENT_BYTES


def segment(name: str) -> Segment | None:
    """The segment of this name, None for another file of the log."""
    found = _SEGMENT.fullmatch(name)
    return Segment(int(found[1], 16), int(found[2], 16) * PER_FILE + int(found[3], 16)) if found else None


def folder_of(name: str) -> str:
    """At most 256 segments stand in one folder, so that looking for one takes one short list."""
    return f"{PREFIX}{name[:16]}/"


def names(target: Target, prefix: str = PREFIX) -> dict[str, str]:
    """The key of each file of the log by its name."""
    found = (_KEY.fullmatch(key) for key, _ in target.keys(prefix))
    return {each["name"]: each[0] for each in found if each}


def check_unbroken(known: Iterable[str], first: Segment) -> Segment | None:
    """The last segment that is there, from `first` on without a gap in each timeline; None without any.

    Raises Missing.
    """
    segments = sorted(
        (each for name in known if (each := segment(name))), key=lambda each: (each.timeline, each.number)
    )
    here = [each for each in segments if each.timeline >= first.timeline and each.number >= first.number]
    last: Segment | None = None
    for each in here:
        if each.timeline == first.timeline and last is None and each.number != first.number:
            raise Missing(first.name, "")
        if last is not None and each.timeline == last.timeline and each.number != last.number + 1:
            raise Missing(Segment(last.timeline, last.number + 1).name, last.name)
        last = each
    return last


def put(path: Path, target: Target, keys: str) -> None:
    """Seal it and keep it; a second time changes nothing. Raises AnotherWrites, NoBackupThere, LineLeft, TargetAway,
    NoSuchKey.

    Before the first backup nothing can be restored from it, and an empty place may be what is below a disk that is
    away.
    """
    content = path.read_bytes()
    key = f"{folder_of(path.name)}{path.name}-{hashlib.sha256(content).hexdigest()[:16]}.gz.age"
    there = names(target, folder_of(path.name)).get(path.name)
    if there == key:
        return
    if there is not None:
        raise AnotherWrites(path.name)
    if target.read(WHOSE) is None:
        raise NoBackupThere(target.address)
    if (part := segment(path.name)) is not None:
        lines.check(target, part.timeline, part.end)
    elif (line := lines.read(path.name, content)) is not None:
        lines.note(target, line)
    target.put(key, sealing.seal_bytes(content, sealing.recipients(keys)))


def content_of(name: str, target: Target, identity: Path) -> bytes | None:
    """None where there is none. Raises CannotOpen, also for a content that is not what its name says; TargetAway."""
    key = names(target, folder_of(name)).get(name)
    sealed = target.read(key) if key else None
    if key is None or sealed is None:
        return None
    content = sealing.open_bytes(sealed, key, sealing.identity(identity))
    if hashlib.sha256(content).hexdigest()[:16] not in key:
        raise sealing.CannotOpen(key, "its content is not what its name says")
    return content


def newest_line(known: Iterable[str], target: Target, identity: Path) -> lines.Line:
    """The last that was begun: without any history there is one line alone."""
    histories = sorted(name for name in known if name.endswith(".history"))
    content = content_of(histories[-1], target, identity) if histories else None
    return (lines.read(histories[-1], content) if content is not None else None) or lines.Line(1)


def fetch(name: str, to: Path, target: Target, identity: Path) -> bool:
    """Whether there is one. Raises what `content_of` raises."""
    content = content_of(name, target, identity)
    if content is None:
        return False
    draft = to.with_name(f"{to.name}.new")
    draft.write_bytes(content)
    draft.replace(to)
    return True


def main(words: list[str], environment: Mapping[str, str]) -> int:
    try:
        target = Target(environment["RAHDARI_BACKUP"], make=False)
        if words[0] == "put":
            put(Path(words[1]), target, environment["RAHDARI_BACKUP_KEY"])
            return 0
        return 0 if fetch(words[1], Path(words[2]), target, Path(environment["RAHDARI_BACKUP_IDENTITY"])) else 1
    # Whatever it is: with 1 a recovery would take it for the end of the log, and come up with less.
    except Exception as error:
        told = f"{error} is not set in the environment." if isinstance(error, KeyError) else str(error)
        print(told, file=sys.stderr)
        # More than 125 is fatal to a recovery.
        return 1 if words[0] == "put" else 126


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
