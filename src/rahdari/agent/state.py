"""What the agent holds: one SQLite file.

Entries, position and digest of a role change in one transaction, or not at all; a commit is on the disk before it is
reported. The marker of a target is written after the target has been read back, never before. Whatever is killed, the
next run finds either the old edition or the new one, and a target whose marker differs is simply applied again.
"""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from rahdari.feed import ROLES, SetDigest
from rahdari.feed.entry import parse_time, time_text

from .disk import disk_faults
from .entries import ChangedPoint, EntryConflict, EntryRow
from .removals import Losses

__all__ = ["AgentState", "ChangedPoint", "EntryConflict", "EntryRow", "Marker", "Position"]


@dataclass(frozen=True)
class Position:
    """Where the agent stands in one role, and until when that is vouched for."""

    role: str
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
    """What a target took last: `positions` is session and sequence by role, `mark` where it stands in the log of
    changes. `fault` is why it did not take what came after, or empty."""

    target: str
    kind: str
    positions: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    mark: str = ""
    content: str = ""
    loaded: int = 0
    applied_at: dt.datetime | None = None
    fault: str = ""
    failed_at: dt.datetime | None = None


class AgentState(Losses):
    """`is_alone`: opened without memory that it shares with who asks, since there was no room for that."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, *, is_alone: bool = False) -> None:
        self.folder = folder
        self._db = connection
        self.is_alone = is_alone

    def change_connection(self, connection: sqlite3.Connection, is_alone: bool) -> None:
        self._db, self.is_alone = connection, is_alone

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All of it or nothing, and on the disk when it ends. Raises DiskFull, StateCorrupt.

        One that is not `durable` is on the disk when the next durable one is.
        """
        with disk_faults(self.folder):
            self._db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def position(self, role: str) -> Position | None:
        return self.positions().get(role)

    def positions(self) -> dict[str, Position]:
        """By role, in the order of `ROLES`. A role that never was verified is not there."""
        rows = self._db.execute(
            "SELECT role, root_sha256, session, sequence, digest, digest_state, entries, timestamp_version, "
            "published_at, signed_at, fresh_until, verified_at FROM positions"
        )
        found = {row[0]: _position(*row) for row in rows}
        return {role: found[role] for role in ROLES if role in found}

    def set_position(self, position: Position) -> None:
        times = (position.published_at, position.signed_at, position.fresh_until, position.verified_at)
        self._db.execute(
            "INSERT OR REPLACE INTO positions (role, root_sha256, session, sequence, digest, digest_state, entries, "
            "timestamp_version, published_at, signed_at, fresh_until, verified_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                position.role,
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

    def forget_positions(self) -> None:
        """Entries stay, and stay enforced, until the next edition replaces them."""
        self._db.execute("DELETE FROM positions")
        self._db.execute("DELETE FROM past_sessions")

    def leave_session(self, session: str, now: dt.datetime) -> None:
        self._db.execute("INSERT OR IGNORE INTO past_sessions VALUES (?, ?)", (session, time_text(now)))

    def was_left(self, session: str) -> bool:
        return self._db.execute("SELECT 1 FROM past_sessions WHERE session = ?", (session,)).fetchone() is not None

    def markers(self) -> dict[str, Marker]:
        rows = self._db.execute(
            "SELECT target, kind, positions, mark, content, loaded, applied_at, fault, failed_at FROM applied"
        )
        return {row[0]: _marker(*row) for row in rows}

    def set_marker(self, marker: Marker) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO applied VALUES (?,?,?,?,?,?,?,?,?)",
            (
                marker.target,
                marker.kind,
                json.dumps(marker.positions, sort_keys=True),
                marker.mark,
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


# Asked for several times with each edition, of which one role changes.
@lru_cache(maxsize=16)
def _position(*row: Any) -> Position:
    return Position(*row[:8], *map(parse_time, row[8:]))


def _marker(*row: Any) -> Marker:
    target, kind, positions, mark, content, loaded, applied_at, fault, failed_at = row
    stands = {role: (session, sequence) for role, (session, sequence) in json.loads(positions).items()}
    return Marker(target, kind, stands, mark, content, loaded, _time(applied_at), fault, _time(failed_at))


def _text(at: dt.datetime | None) -> str:
    return time_text(at) if at else ""


def _time(text: str) -> dt.datetime | None:
    return parse_time(text) if text else None
