"""The entries of the verified edition, as a pre-flight asks for them: by spans of addresses.

Those that begin later are among them, as a change that is planned stands when they begin. Those that ended are not.

Neither what the operator added itself nor what its agent holds back is among them: the edition has neither. What is
asked is put into tables in memory that go with the connection; nothing is written.
"""

import datetime as dt
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

from rahdari.feed import ROLES
from rahdari.feed.entry import time_text
from rahdari.preflight import EVERY_SORT, Held, Sorts, Span, Spans, condition, holds

from .entries import Entries

_BITS = {4: 32, 6: 128}
_BYTES = {4: 4, 6: 16}


class _Wanted(NamedTuple):
    """Look for wider blocks that hold this address; the next that may is below this key."""

    version: int
    address: int
    below: bytes


class Published:
    """`state` is read with what its own transaction of reading gives; what ended before `kept_after` does not count."""

    def __init__(self, state: Entries, *, kept_after: dt.datetime) -> None:
        self._db: sqlite3.Connection = state.connection
        self._tables = state.tables
        self._times = (time_text(kept_after),)
        self._db.execute("PRAGMA temp_store = MEMORY")
        self._counts = "not_after > ?"

    def total(self) -> int:
        sizes: dict[str, int] = dict(self._db.execute("SELECT role, entries FROM positions"))
        found = 0
        for role, name in zip(ROLES, self._tables, strict=True):
            # Those that ended are read from an index, and are few.
            out = f"SELECT count(*) FROM {name} WHERE not_after <= ?"  # noqa: S608
            held = sizes[role] if role in sizes else self._number(f"SELECT count(*) FROM {name}")  # noqa: S608
            found += held - self._number(out, *self._times)
        return found

    def count(self, version: int, sorts: Sorts) -> int:
        found, family = 0, (bytes([version]), bytes([version + 1]))
        for name in self._tables:
            held = self._number(f"SELECT count(*) FROM {name} WHERE key >= ? AND key < ?", *family)  # noqa: S608
            if sorts != EVERY_SORT and held:
                held = self._number(f"SELECT count(*) FROM {name} WHERE {_of(sorts)}", *family)  # noqa: S608
            # Those that ended are read from an index, and are few.
            out = f"SELECT count(*) FROM {name} WHERE not_after <= ? AND {_of(sorts)}"  # noqa: S608
            found += held - self._number(out, *self._times, *family)
        return found

    def some(self, version: int, sorts: Sorts) -> Generator[Held]:
        for name in self._tables:
            asked = f"SELECT id, key, protocol, port FROM {name} WHERE {self._counts} AND {_of(sorts)}"  # noqa: S608
            with closing(self._db.execute(asked, (*self._times, bytes([version]), bytes([version + 1])))) as rows:
                yield from map(_held, rows)

    def meeting(self, spans: Mapping[int, Spans]) -> Iterator[Held]:
        """By where they lie: those that begin inside a span, then those that begin before one and reach into it."""
        asked_of = [(version, span) for version, each in spans.items() for span in each]
        within = [(_key(version, first, 0), _key(version, last, 255)) for version, (first, last) in asked_of]
        wanted = [_Wanted(version, first, _key(version, first, 0)) for version, (first, _) in asked_of]
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS asked (low BLOB, high BLOB)")
        for name in self._tables:
            self._put(within)
            asked = (
                f"SELECT e.id, e.key, e.protocol, e.port FROM asked CROSS JOIN {name} AS e "  # noqa: S608
                f"ON e.key >= asked.low AND e.key <= asked.high WHERE {self._counts}"
            )
            yield from map(_held, self._db.execute(asked, self._times))
            # One that begins inside of one span and reaches into the next was found.
            begun = (key for key in self._wider(name, wanted) if not holds(spans[key[0]], int.from_bytes(key[1:-1])))
            self._put((key, key) for key in begun)
            yield from map(_held, self._db.execute(asked, self._times))
        self._put(())

    def _wider(self, name: str, wanted: list[_Wanted]) -> set[bytes]:
        """The blocks that begin before an address and hold it. Blocks lie in each other or apart, so from one to the
        next that may hold it is one look, for all addresses at once."""
        found = set[bytes]()
        asked = f"SELECT (SELECT max(key) FROM {name} WHERE key < asked.low) FROM asked ORDER BY asked.rowid"  # noqa: S608
        while wanted:
            self._put((each.below, b"") for each in wanted)
            # In a dictionary, for its order: addresses beside each other soon ask for the same.
            following: dict[_Wanted, None] = {}
            for each, (key,) in zip(wanted, self._db.execute(asked).fetchall(), strict=True):
                if key is None or key[0] != each.version:
                    continue
                bits, length = _BITS[each.version], key[-1]
                apart = (int.from_bytes(key[1:-1]) ^ each.address).bit_length()
                if length <= bits - apart:
                    found.add(key)
                shared = min(bits - apart, length - 1)
                if shared >= 0:
                    network = each.address >> (bits - shared) << (bits - shared)
                    following[_Wanted(each.version, network, _key(each.version, network, shared + 1))] = None
            wanted = [*following]
        return found

    def _put(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        self._db.execute("DELETE FROM asked")
        # One transaction of what lies in memory alone.
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO asked VALUES (?, ?)", rows)
        self._db.execute("COMMIT")

    def _number(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])


def _key(version: int, address: int, length: int) -> bytes:
    return bytes([version]) + address.to_bytes(_BYTES[version]) + bytes([length])


def _of(sorts: Sorts) -> str:
    """Row by row: of a family, by its two ends as values, and of these sorts."""
    return f"+key >= ? AND +key < ? AND {condition(sorts)}"


def _held(row: tuple[bytes, bytes, str, int | None]) -> Held:
    id, key, protocol, port = row
    first = int.from_bytes(key[1:-1])
    block: Span = (first, first + 2 ** (_BITS[key[0]] - key[-1]) - 1)
    return Held(id.hex(), key[0], block, protocol, port)
