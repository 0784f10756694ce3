"""The state folder: made, opened for one agent at a time, set aside."""

import datetime as dt
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .disk import FILE, SCHEMA_VERSION, NoState, StateBusy, StateCorrupt, StateOfNewerVersion, told
from .schema import everything
from .state import State

# A state up to this size is read through when it is opened.
CHECKED_BYTES = 16 * 2**20
# For the sorter and for pages that are read again and again; in kibibytes, as SQLite wants it.
CACHE_KIB = 65_536


def create(folder: Path) -> None:
    """Make the folder and an empty state; an existing one is left as it is. Raises what `open_state` raises."""
    with told(folder):
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
    """Begin anew with an empty state; the old one is kept beside it under another name."""
    with told(folder):
        for path in folder.glob(f"{FILE}*"):
            path.rename(path.with_name(f"aside-{now:%Y%m%dT%H%M%S}-{path.name}"))
    create(folder)


def give_back(folder: Path) -> None:
    """What root wrote here shall belong to the folder's owner: the agent runs as that user."""
    if os.geteuid() != 0:
        return
    with told(folder):
        owner = folder.stat()
        for path in folder.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def open_state(folder: Path) -> Iterator[State]:
    """Raises NoState, StateNotOurs, StateCorrupt, StateOfNewerVersion, DiskFull."""
    path = folder / FILE
    if not path.exists():
        raise NoState(folder)
    with told(folder):
        connection = sqlite3.connect(path, autocommit=True, timeout=10)
    try:
        with told(folder):
            connection.execute("PRAGMA journal_mode = WAL")
            # Each commit reaches the disk before it is believed.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            # What a large load wrote to the log is given back to the disk.
            connection.execute("PRAGMA journal_size_limit = 16777216")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StateOfNewerVersion(path, version)
            problem = _problem(connection, path)
            if problem != "ok" or version == 0:
                raise StateCorrupt(path, problem if problem != "ok" else "it holds no state")
            if version < SCHEMA_VERSION:
                _begin_anew(connection)
        yield State(folder, connection)
    finally:
        connection.close()


@contextmanager
def sole_agent(folder: Path) -> Iterator[None]:
    """Hold the state for one agent alone. The system lets go of the lock when the process ends, however it ends."""
    with told(folder):
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
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
