"""What can be wrong with the state folder, and what disk and database say in words."""

import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .faults import AgentFault, Exit

FILE = "state.sqlite3"
SCHEMA_VERSION = 2
# A disk that has no more than this is full: SQLite asks for half of it when it opens a state.
LEAST_ROOM = 64 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class NoState(AgentFault):
    exit = Exit.STATE

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no state in {folder}.",
            "Run `rahdari agent init` first, or check `state` in the configuration. If the state was lost, "
            "`rahdari agent sync --anew` fetches and verifies all of it again.",
        )


class StateNotOurs(AgentFault):
    exit = Exit.STATE

    def __init__(self, path: Path, error: OSError | sqlite3.Error) -> None:
        super().__init__(
            f"The state at {path} cannot be opened: {getattr(error, 'strerror', None) or error}.",
            "Run the agent as the user that owns this folder, and check that the folder is writable.",
        )


class StateCorrupt(AgentFault):
    exit = Exit.STATE

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The state file {path} is damaged ({why}). What was applied last is still enforced.",
            "Check the disk, then run `rahdari agent sync --anew`: the damaged file is set aside, and all of it is "
            "fetched and verified again.",
        )


class StateOfNewerVersion(AgentFault):
    exit = Exit.STATE

    def __init__(self, path: Path, found: int) -> None:
        super().__init__(
            f"The state at {path} was written by a newer agent (version {found}, this one knows {SCHEMA_VERSION}).",
            "Upgrade rahdari on this machine.",
        )


class StateBusy(AgentFault):
    exit = Exit.STATE

    def __init__(self, folder: Path, holder: str) -> None:
        super().__init__(
            f"Another agent{holder} works on {folder}.",
            "One at a time: while `rahdari agent run` follows the feed, `sync` is not needed.",
        )


class DiskFull(AgentFault):
    exit = Exit.STATE

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"The disk that holds {folder} is full. The last verified edition is kept and stays enforced.",
            "Make room; the next sync goes on from there.",
        )


# What SQLite says of a full disk when it needs room for something else than the file itself.
NO_ROOM_PERHAPS = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


def is_full(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, LEAST_ROOM)
    except OSError as error:
        return error.errno in FULL
    return False


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Turn what disk and database say into what a person can act on."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or (code in NO_ROOM_PERHAPS and is_full(folder)):
            raise DiskFull(folder) from error
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR}:
            raise StateCorrupt(folder / FILE, str(error)) from error
        raise StateNotOurs(folder / FILE, error) from error
    except OSError as error:
        if error.errno in FULL:
            raise DiskFull(folder) from error
        raise StateNotOurs(folder, error) from error
