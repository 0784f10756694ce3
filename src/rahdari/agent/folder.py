"""The state folder: made, opened for one agent at a time, set aside."""

import datetime as dt
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .disk import (
    FILE,
    NO_ROOM_PERHAPS,
    SCHEMA_VERSION,
    NoState,
    StateBusy,
    StateCorrupt,
    StateOfNewerVersion,
    disk_faults,
    is_full,
)
from .schema import everything
from .state import AgentState

# A state up to this size is read through when it is opened.
CHECKED_BYTES = 16 * 2**20
# For the sorter and for pages that are read again and again; in kibibytes, as SQLite wants it.
CACHE_KIB = 65_536
# Seconds to wait for who works on it. A reader waits for an agent alone that has no room to share.
PATIENCE = {"rw": 10, "ro": 1}


def create(folder: Path) -> None:
    """Make the folder and an empty state; an existing one is left as it is. Raises what `open_state` raises."""
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        connection = sqlite3.connect(folder / FILE, autocommit=True)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                _make_tables(connection)
        finally:
            connection.close()
    (folder / FILE).chmod(0o640)


def _make_tables(connection: sqlite3.Connection) -> None:
    script = everything(secrets.token_hex(8))
    connection.executescript(f"BEGIN; {script} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _begin_anew(connection: sqlite3.Connection) -> None:
    """What an older agent held was of another form of the feed: all of it is fetched again. Targets keep theirs."""
    connection.execute("PRAGMA foreign_keys = OFF")
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    drops = " ".join(f'DROP TABLE "{name}";' for (name,) in found.fetchall())
    script = everything(secrets.token_hex(8))
    connection.executescript(f"BEGIN IMMEDIATE; {drops} {script} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _problem(connection: sqlite3.Connection, path: Path) -> str:
    """Reading all of a large state would hold up each start by seconds: there, damage is told when it is met."""
    if path.stat().st_size > CHECKED_BYTES:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return "ok"
    return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])


def set_aside(folder: Path, now: dt.datetime) -> None:
    """Begin anew with an empty state; the old one is kept beside it under another name, until the next time."""
    with disk_faults(folder):
        for path in folder.glob(f"aside-*-{FILE}*"):
            path.unlink()
        for path in folder.glob(f"{FILE}*"):
            path.rename(path.with_name(f"aside-{now:%Y%m%dT%H%M%S}-{path.name}"))
    create(folder)


def give_back(folder: Path) -> None:
    """What root wrote here shall belong to the folder's owner: the agent runs as that user."""
    if os.geteuid() != 0:
        return
    with disk_faults(folder):
        owner = folder.stat()
        for path in folder.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def open_state(folder: Path) -> Iterator[AgentState]:
    """For whoever writes. On a full disk it is opened too: what it holds can be applied, and nothing be written.

    Raises NoState, StateNotOurs, StateCorrupt, StateOfNewerVersion, DiskFull.
    """
    path = _existing(folder)
    with disk_faults(folder):
        connection, is_alone = _connect_to_write(path)
    state = AgentState(folder, connection, is_alone=is_alone)
    try:
        with disk_faults(folder):
            version = _check(connection, path)
            if version < SCHEMA_VERSION:
                _begin_anew(connection)
        yield state
    finally:
        state.close()


def reopen_shared(state: AgentState) -> None:
    """When there is room again, a state that was opened alone is opened like any other. Raises as `open_state` does."""
    if state.is_alone and not is_full(state.folder):
        with disk_faults(state.folder):
            # It holds a lock of its own until it is closed.
            state.close()
            state.change_connection(*_connect_to_write(state.folder / FILE))


@contextmanager
def read_state(folder: Path) -> Iterator[AgentState]:
    """For whoever asks: nothing is written, whatever the disk has room for. Raises as `open_state` does."""
    path = _existing(folder)
    with disk_faults(folder):
        try:
            connection = _connect(path, "ro")
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF not in NO_ROOM_PERHAPS | {sqlite3.SQLITE_BUSY}:
                raise
            # There is no room for what readers share, or an agent without room works on it alone: the file as it is.
            connection = _connect(path, "ro&immutable=1")
    try:
        with disk_faults(folder):
            if _check(connection, path) < SCHEMA_VERSION:
                raise NoState(folder)
        yield AgentState(folder, connection)
    finally:
        connection.close()


def _existing(folder: Path) -> Path:
    if not (folder / FILE).exists():
        raise NoState(folder)
    return folder / FILE


def _connect_to_write(path: Path) -> tuple[sqlite3.Connection, bool]:
    """Where there is no room for what a writer and readers share, alone. Raises sqlite3.Error."""
    try:
        return _connect(path, "rw"), False
    except sqlite3.Error as error:
        if error.sqlite_errorcode & 0xFF not in NO_ROOM_PERHAPS or not is_full(path.parent):
            raise
    return _connect(path, "rw", "PRAGMA locking_mode = EXCLUSIVE"), True


def _connect(path: Path, mode: str, *first: str) -> sqlite3.Connection:
    """Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}", uri=True, autocommit=True, timeout=PATIENCE[mode[:2]]
    )
    try:
        for pragma in first:
            connection.execute(pragma)
        if mode == "rw":
            connection.execute("PRAGMA journal_mode = WAL")
            # Each commit reaches the disk before it is believed.
            connection.execute("PRAGMA synchronous = FULL")
            # What a large load wrote to the log is given back to the disk.
            connection.execute("PRAGMA journal_size_limit = 16777216")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> int:
    """The version of its form. Raises StateOfNewerVersion, StateCorrupt."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StateOfNewerVersion(path, version)
    problem = _problem(connection, path)
    if problem != "ok" or version == 0:
        raise StateCorrupt(path, problem if problem != "ok" else "it holds no state")
    return version


@contextmanager
def sole_agent(folder: Path, *, make: bool = False) -> Iterator[None]:
    """Hold the state for one agent alone. The system lets go of the lock when the process ends, however it ends.

    `make`: a folder that was lost is made. Raises NoState where there is none, StateBusy.
    """
    with disk_faults(folder):
        if make:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        try:
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except FileNotFoundError:
            raise NoState(folder) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise StateBusy(folder, f" (process {holder})" if holder else "") from None
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
