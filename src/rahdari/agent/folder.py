"""The state folder: made, opened for one agent at a time, set aside."""

import datetime as dt
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .disk import FILE, SCHEMA_VERSION, NoState, StateBusy, StateCorrupt, StateOfNewerVersion, told
from .state import State

SCHEMA = """
CREATE TABLE entries (
    id TEXT PRIMARY KEY,
    prefix TEXT NOT NULL,
    protocol TEXT NOT NULL,
    port INTEGER,
    not_before TEXT NOT NULL,
    not_after TEXT NOT NULL,
    canonical BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX entries_by_prefix ON entries (prefix);
CREATE INDEX entries_by_start ON entries (not_before);
CREATE INDEX entries_by_end ON entries (not_after);
CREATE TABLE position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    root_sha256 TEXT NOT NULL,
    session TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    digest TEXT NOT NULL,
    digest_state BLOB NOT NULL,
    entries INTEGER NOT NULL,
    timestamp_version INTEGER NOT NULL,
    published_at TEXT NOT NULL,
    signed_at TEXT NOT NULL,
    fresh_until TEXT NOT NULL,
    verified_at TEXT NOT NULL
);
CREATE TABLE past_sessions (session TEXT PRIMARY KEY, left_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE applied (
    target TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    session TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    content TEXT NOT NULL,
    loaded INTEGER NOT NULL,
    applied_at TEXT NOT NULL,
    fault TEXT NOT NULL,
    failed_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE receipts (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL UNIQUE, made_at TEXT NOT NULL);
CREATE TABLE faults (
    name TEXT NOT NULL,
    what TEXT NOT NULL,
    mend TEXT NOT NULL,
    at TEXT NOT NULL,
    exit INTEGER NOT NULL,
    PRIMARY KEY (name, what)
) WITHOUT ROWID;
"""


def create(folder: Path) -> None:
    """Make the folder and an empty state; an existing one is left as it is. Raises what `open_state` raises."""
    with told(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        connection = sqlite3.connect(folder / FILE, autocommit=True)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        finally:
            connection.close()
    (folder / FILE).chmod(0o640)


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
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StateOfNewerVersion(path, version)
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if version != SCHEMA_VERSION or problem != "ok":
                raise StateCorrupt(path, problem if problem != "ok" else "it holds no state")
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
