"""What the agent holds: one SQLite file.

Entries, position and digest change in one transaction, or not at all; a commit is on the disk before it is reported.
The marker of a target is written after the target has been read back, never before. Whatever is killed, the next run
finds either the old edition or the new one, and a target whose marker differs is simply applied again.
"""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rahdari.proof import SetDigest
from rahdari.proof.entry import parse_time, time_text

from .disk import told
from .faults import AgentFault, Exit


class Held(NamedTuple):
    """An entry as the state holds it."""

    id: str
    prefix: str
    protocol: str
    port: int | None
    not_before: str
    not_after: str


class EntryConflict(Exception):
    """An operation does not fit the entries held: `.id` is there already, or is not, or is another one."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id


@dataclass(frozen=True)
class Position:
    """Where the agent stands, and until when that is vouched for."""

    root_sha256: str
    session: str
    sequence: int
    digest: str
    digest_state: bytes
    entries: int
    timestamp_version: int
    published_at: dt.datetime
    signed_at: dt.datetime
    fresh_until: dt.datetime
    verified_at: dt.datetime

    @property
    def set_digest(self) -> SetDigest:
        return SetDigest(self.digest_state)


@dataclass(frozen=True)
class Marker:
    """What a target took last. `fault` is why it did not take what came after, or empty."""

    target: str
    kind: str
    session: str
    sequence: int
    content: str
    loaded: int
    applied_at: dt.datetime | None
    fault: str = ""
    failed_at: dt.datetime | None = None


@dataclass(frozen=True)
class KeptFault:
    name: str
    what: str
    mend: str
    at: dt.datetime
    exit: Exit


class State:
    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self._db = connection

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing. Raises DiskFull, StateCorrupt."""
        with told(self.folder):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def position(self) -> Position | None:
        row = self._db.execute(
            "SELECT root_sha256, session, sequence, digest, digest_state, entries, timestamp_version, published_at, "
            "signed_at, fresh_until, verified_at FROM position"
        ).fetchone()
        return None if row is None else Position(*row[:7], *map(parse_time, row[7:]))

    def set_position(self, position: Position) -> None:
        times = (position.published_at, position.signed_at, position.fresh_until, position.verified_at)
        self._db.execute(
            "INSERT OR REPLACE INTO position (only, root_sha256, session, sequence, digest, digest_state, entries, "
            "timestamp_version, published_at, signed_at, fresh_until, verified_at) VALUES (1,?,?,?,?,?,?,?,?,?,?,?)",
            (
                position.root_sha256,
                position.session,
                position.sequence,
                position.digest,
                position.digest_state,
                position.entries,
                position.timestamp_version,
                *map(time_text, times),
            ),
        )

    def forget_position(self) -> None:
        """Entries stay, and stay enforced, until the next edition replaces them."""
        self._db.execute("DELETE FROM position")
        self._db.execute("DELETE FROM past_sessions")

    def leave_session(self, session: str, now: dt.datetime) -> None:
        self._db.execute("INSERT OR IGNORE INTO past_sessions VALUES (?, ?)", (session, time_text(now)))

    def was_left(self, session: str) -> bool:
        return self._db.execute("SELECT 1 FROM past_sessions WHERE session = ?", (session,)).fetchone() is not None

    def clear(self) -> None:
        self._db.execute("DELETE FROM entries")

    def add(self, entry: Held, canonical: bytes) -> None:
        try:
            self._db.execute("INSERT INTO entries VALUES (?,?,?,?,?,?,?)", (*entry, canonical))
        except sqlite3.IntegrityError:
            raise EntryConflict(entry.id) from None

    def remove(self, id: str, canonical: bytes) -> None:
        """Only the very entry that is meant."""
        if self._db.execute("DELETE FROM entries WHERE id = ? AND canonical = ?", (id, canonical)).rowcount != 1:
            raise EntryConflict(id)

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM entries").fetchone()[0])

    def in_force(self, *, now: dt.datetime, kept_after: dt.datetime) -> list[Held]:
        rows = self._db.execute(
            "SELECT id, prefix, protocol, port, not_before, not_after FROM entries "
            "WHERE not_before <= ? AND not_after > ? ORDER BY id",
            (time_text(now), time_text(kept_after)),
        )
        return [Held(*row) for row in rows]

    def next_change(self, *, now: dt.datetime) -> dt.datetime | None:
        """When the next entry begins or ends."""
        at = time_text(now)
        start = self._db.execute("SELECT min(not_before) FROM entries WHERE not_before > ?", (at,)).fetchone()[0]
        end = self._db.execute("SELECT min(not_after) FROM entries WHERE not_after > ?", (at,)).fetchone()[0]
        times = [text for text in (start, end) if text]
        return parse_time(min(times)) if times else None

    def with_prefixes(self, prefixes: list[str]) -> list[Held]:
        rows = self._db.execute(
            "SELECT id, prefix, protocol, port, not_before, not_after FROM entries "
            "WHERE prefix IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(prefixes),),
        )
        return [Held(*row) for row in rows]

    def markers(self) -> dict[str, Marker]:
        rows = self._db.execute(
            "SELECT target, kind, session, sequence, content, loaded, applied_at, fault, failed_at FROM applied"
        )
        return {row[0]: _marker(*row) for row in rows}

    def set_marker(self, marker: Marker) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO applied VALUES (?,?,?,?,?,?,?,?,?)",
            (
                marker.target,
                marker.kind,
                marker.session,
                marker.sequence,
                marker.content,
                marker.loaded,
                _text(marker.applied_at),
                marker.fault,
                _text(marker.failed_at),
            ),
        )

    def drop_markers(self, keep: set[str]) -> None:
        """Of targets that are no longer configured."""
        for target in self.markers().keys() - keep:
            self._db.execute("DELETE FROM applied WHERE target = ?", (target,))

    def keep_receipt(self, body: bytes, now: dt.datetime, most: int = 100) -> None:
        self._db.execute("INSERT OR IGNORE INTO receipts (body, made_at) VALUES (?, ?)", (body, time_text(now)))
        self._db.execute(
            "DELETE FROM receipts WHERE number NOT IN (SELECT number FROM receipts ORDER BY number DESC LIMIT ?)",
            (most,),
        )

    def receipts(self) -> list[tuple[int, bytes]]:
        """Not yet taken by the server, oldest first."""
        return list(self._db.execute("SELECT number, body FROM receipts ORDER BY number"))

    def drop_receipt(self, number: int) -> None:
        self._db.execute("DELETE FROM receipts WHERE number = ?", (number,))

    def keep_faults(self, faults: list[AgentFault], now: dt.datetime) -> None:
        """Those of the last run; a fault that goes on keeps the time it began."""
        began = {fault.name: fault.at for fault in self.faults()}
        self._db.execute("DELETE FROM faults")
        self._db.executemany(
            "INSERT OR IGNORE INTO faults VALUES (?,?,?,?,?)",
            [
                (fault.name, fault.what, fault.mend, time_text(began.get(fault.name, now)), int(fault.exit))
                for fault in faults
            ],
        )

    def faults(self) -> list[KeptFault]:
        rows = self._db.execute("SELECT name, what, mend, at, exit FROM faults ORDER BY at, name")
        return [KeptFault(name, what, mend, parse_time(at), Exit(exit)) for name, what, mend, at, exit in rows]


def _marker(*row: Any) -> Marker:
    target, kind, session, sequence, content, loaded, applied_at, fault, failed_at = row
    return Marker(target, kind, session, sequence, content, loaded, _time(applied_at), fault, _time(failed_at))


def _text(at: dt.datetime | None) -> str:
    return time_text(at) if at else ""


def _time(text: str) -> dt.datetime | None:
    return parse_time(text) if text else None
