"""The tables of the state file, and how an entry lies in them.

Each role has two tables for its entries, of which `lists` names the one that counts: a snapshot fills the other one in
many small transactions, unseen, and one last transaction changes over. An address is kept as family, first address
and length in one BLOB, so that the order of bytes is the order of addresses. `later` is when an entry begins that had
not begun when it was taken: one that had begun once counts, whatever a clock that is set back says.
"""

import ipaddress
import json
import socket
from typing import NamedTuple

from rahdari.feed import ROLES
from rahdari.feed.canonical import encode_checked
from rahdari.feed.plain import EntryRow, key_of

__all__ = ["Point", "Stored", "everything", "indexes", "key_of", "prefix_of", "table", "table_of"]

SLOTS = ("a", "b")

TABLES = """
CREATE TABLE lists (role TEXT PRIMARY KEY, slot TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE held (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    role TEXT NOT NULL,
    id BLOB NOT NULL,
    key BLOB NOT NULL,
    protocol TEXT NOT NULL,
    port INTEGER,
    not_before TEXT NOT NULL,
    not_after TEXT NOT NULL,
    session TEXT NOT NULL,
    from_sequence INTEGER NOT NULL,
    to_sequence INTEGER NOT NULL,
    held_at TEXT NOT NULL
);
CREATE INDEX held_by_id ON held (role, id);
CREATE INDEX held_by_end ON held (not_after);
CREATE INDEX held_by_key ON held (key, protocol, port);
CREATE TABLE local (
    key BLOB NOT NULL,
    protocol TEXT NOT NULL,
    port INTEGER,
    comment TEXT NOT NULL
);
CREATE INDEX local_by_key ON local (key, protocol, port);
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key BLOB NOT NULL,
    protocol TEXT NOT NULL,
    port INTEGER
);
CREATE TABLE log (only INTEGER PRIMARY KEY CHECK (only = 1), id TEXT NOT NULL, complete_after INTEGER NOT NULL);
CREATE TABLE removals (role TEXT NOT NULL, at TEXT NOT NULL, count INTEGER NOT NULL);
CREATE TABLE statements (path TEXT PRIMARY KEY, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE positions (
    role TEXT PRIMARY KEY,
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
) WITHOUT ROWID;
CREATE TABLE past_sessions (session TEXT PRIMARY KEY, left_at TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE applied (
    target TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    positions TEXT NOT NULL,
    mark TEXT NOT NULL,
    content TEXT NOT NULL,
    loaded INTEGER NOT NULL,
    applied_at TEXT NOT NULL,
    fault TEXT NOT NULL,
    failed_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE receipts (number INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL UNIQUE, made_at TEXT NOT NULL);
"""


def table_of(role: str, slot: str) -> str:
    """Only of names known here: it becomes part of a statement."""
    if role not in ROLES or slot not in SLOTS:
        raise ValueError(role, slot)
    return f"{role.replace('-', '_')}_{slot}"


def table(name: str) -> str:
    return f"""
CREATE TABLE {name} (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    key BLOB NOT NULL,
    protocol TEXT NOT NULL,
    port INTEGER,
    not_before TEXT NOT NULL,
    not_after TEXT NOT NULL,
    extra BLOB,
    later TEXT
);
"""


def indexes(name: str) -> tuple[str, ...]:
    return (
        f"CREATE UNIQUE INDEX {name}_by_id ON {name} (id)",
        f"CREATE INDEX {name}_by_key ON {name} (key)",
        f"CREATE INDEX {name}_by_end ON {name} (not_after)",
        f"CREATE INDEX {name}_by_start ON {name} (later) WHERE later IS NOT NULL",
    )


def everything(log_id: str) -> str:
    """The whole of an empty state. `log_id` tells its marks from those of another state."""
    parts = [TABLES]
    for role in ROLES:
        name = table_of(role, SLOTS[0])
        parts += [table(name), *(f"{index};" for index in indexes(name))]
        parts.append(f"INSERT INTO lists VALUES ('{role}', '{SLOTS[0]}');")  # noqa: S608
    parts.append(f"INSERT INTO log VALUES (1, '{log_id}', 0);")  # noqa: S608
    return "\n".join(parts)


class Stored(EntryRow):
    """An entry as it lies in its table."""

    __slots__ = ()

    @property
    def point(self) -> "Point":
        return Point(self.key, self.protocol, self.port)

    @property
    def canonical(self) -> bytes:
        """The bytes that the digest is taken over."""
        known = {
            "id": self.id.hex(),
            "prefix": prefix_of(self.key),
            "protocol": self.protocol,
            "port": self.port,
            "not_before": self.not_before,
            "not_after": self.not_after,
        }
        return encode_checked({**(json.loads(self.extra) if self.extra else {}), **known})


class Point(NamedTuple):
    """What an entry protects: address, protocol, port."""

    key: bytes
    protocol: str
    port: int | None


def prefix_of(key: bytes) -> str:
    if key[0] == 4:
        return f"{socket.inet_ntoa(key[1:5])}/{key[5]}"
    return f"{ipaddress.IPv6Address(key[1:17])}/{key[17]}"
