"""The feed's folder: how a file gets there whole or not at all, and who may write.

Invariants: a name never shows a file that is not whole (written beside it, flushed to the disk, renamed, and the folder
flushed too); one process writes at a time.
"""

import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# Called with a name before and after each write. Tests end the process in it; else it does nothing.
Checkpoint = Callable[[str], None]
UNFINISHED = ".new"


def no_checkpoint(name: str) -> None:
    pass


def make_folder(path: Path, *, mode: int = 0o755) -> Path:
    """With those above it that are missing. Each that is made has this mode, whatever the umask of a shell or a unit:
    who serves the feed is another user."""
    if _is_whole(path):
        return path
    missing = [each for each in (*reversed(path.parents), path) if not each.exists()]
    for each in missing or [path]:
        each.mkdir(exist_ok=True)
        made = each.stat()
        if each in missing:
            each.chmod(made.st_mode & stat.S_ISGID | mode)
        if os.geteuid() == 0 and made.st_uid == 0:
            # A command of root's: the folder is whose the one above is.
            owner = each.parent.stat()
            os.chown(each, owner.st_uid, owner.st_gid)
    return path


def _is_whole(folder: Path) -> bool:
    """Whether it is there and whose it should be: nearly always, and then nothing above it is looked at."""
    try:
        owner = os.stat(folder).st_uid
    except FileNotFoundError:
        return False
    return os.geteuid() != 0 or owner != 0 or os.stat(folder.parent).st_uid == 0


@contextmanager
def unfinished(folder: Path, *, mode: int = 0o644) -> Iterator["Unfinished"]:
    """A file in `folder` that has no name of its own until `place` gives it one. Left unplaced, it is removed."""
    make_folder(folder)
    path = folder / f".{secrets.token_hex(8)}{UNFINISHED}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        if os.geteuid() == 0:
            # A command of root's: the processes that read it do not run as root, and must never meet it unreadable.
            owner = folder.stat()
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        draft = Unfinished(path, file)
        try:
            yield draft
        finally:
            if not draft.placed:
                path.unlink(missing_ok=True)


@dataclass
class Unfinished:
    path: Path
    file: BinaryIO
    placed: bool = False

    def place(self, name: str, *, checkpoint: Checkpoint = no_checkpoint, flush: bool = True) -> Path:
        """Flushed to the disk before it gets its name. With `flush` so is the folder."""
        target = self.path.with_name(name)
        self.file.flush()
        os.fsync(self.file.fileno())
        checkpoint(f"{name}: written")
        self.path.replace(target)
        self.placed = True
        checkpoint(f"{name}: renamed")
        if flush:
            flush_folder(target.parent)
        checkpoint(f"{name}: in place")
        return target


def write_whole(
    path: Path, data: bytes, *, mode: int = 0o644, checkpoint: Checkpoint = no_checkpoint, flush: bool = True
) -> None:
    """Write or replace a file; whoever reads it meanwhile gets the old one or the new one."""
    with unfinished(path.parent, mode=mode) as draft:
        half = len(data) // 2
        draft.file.write(data[:half])
        if checkpoint is not no_checkpoint:
            draft.file.flush()
            checkpoint(f"{path.name}: half written")
        draft.file.write(data[half:])
        draft.place(path.name, checkpoint=checkpoint, flush=flush)


def link(source: Path, target: Path) -> None:
    """Let a file have a second name. One that has the name already is left."""
    try:
        os.link(source, target)
    except FileExistsError:
        return


def flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def names_in(folder: Path) -> set[str]:
    """Of the files there; none when there is no such folder."""
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


def holds(path: Path, *, sha256: str, length: int) -> bool:
    """Whether the file is there with this content."""
    try:
        if path.stat().st_size != length:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Wait until no other process writes into this folder, and keep the others waiting. Ends with the process."""
    make_folder(folder)
    with (folder / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
