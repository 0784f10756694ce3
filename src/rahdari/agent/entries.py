"""The entries that are held: those published, those whose removal is held back, and the operator's own.

What is asked for often costs what it touches, never the size of the register: one entry by its id, the entries of an
address, what changed since a target last looked (from the log of changes, and by the index of ends and beginnings).
Whoever reads all of it reads a stream.
"""

import datetime as dt
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from rahdari.errors import RahdariError
from rahdari.feed import ROLES
from rahdari.feed.entry import parse_time, time_text
from rahdari.feed.plain import Row as PlainRow

from .schema import SLOTS, Point, Stored, indexes, key_of, prefix_of, table, table_of

# Above this a target reads everything anew, which is then the quicker way.
MOST_CHANGES = 200_000
# What is sorted at once for an index, in kibibytes: parts that a processor's cache holds are sorted in less time.
SORTED_KIB = 4096
# When it counts from, as text that is smaller than any time when it has begun.
BEGUN = "coalesce(later, '')"
_COLUMNS = "id, key, protocol, port, not_before, not_after, extra"


class EntryRow(NamedTuple):
    """What counts now, for targets and for people. `held`: the feed took it out, and the agent holds that back.
    `local`: the operator's own comment, for a row of its own, which has no id, no role and no term."""

    id: str
    prefix: str
    protocol: str
    port: int | None
    not_before: str
    not_after: str
    role: str = ""
    held: bool = False
    local: str = ""
    kept_stale: bool = False
    # When it begins, if it had not begun when it was taken.
    later: str = ""


class ChangedPoint(NamedTuple):
    """An address, protocol and port whose standing may have changed."""

    prefix: str
    protocol: str
    port: int | None


class OwnRow(Protocol):
    """A line of the operator's own file."""

    @property
    def prefix(self) -> str: ...
    @property
    def protocol(self) -> str: ...
    @property
    def port(self) -> int | None: ...
    @property
    def comment(self) -> str: ...


class EntryConflict(RahdariError):
    """An operation does not fit the entries held: `.id` is there already, or is not, or is another one."""

    says = "{id}"
    id: str


class Entries:
    """The part of the state that holds entries. Writing is done within `State.transaction`."""

    _db: sqlite3.Connection
    most_changes = MOST_CHANGES

    @property
    def connection(self) -> sqlite3.Connection:
        """For whoever reads what nothing here is for."""
        return self._db

    @property
    def tables(self) -> tuple[str, ...]:
        """Those that count, one a role, in the order of `ROLES`."""
        return self._tables()

    # Reading: for targets

    def mark(self, *, now: dt.datetime, kept_after: dt.datetime) -> str:
        """Where a target stands that has taken what counts at this moment. Opaque; to be given to `changes_since`."""
        id, newest = self._log()
        return f"{id}:{newest}:{time_text(now)}:{time_text(kept_after)}".replace("Z", "")

    def has_changed_since(self, mark: str) -> bool:
        """Whether anything was taken in, taken out or released since. What begins or ends by itself is not asked."""
        parsed = self._parse_mark(mark)
        return parsed is None or parsed[0] < self._log()[1]

    def changes_since(self, mark: str, *, now: dt.datetime, kept_after: dt.datetime) -> Iterator[ChangedPoint] | None:
        """Each address, protocol and port whose standing may have changed since, once. None: read everything anew."""
        parsed = self._parse_mark(mark)
        if parsed is None:
            return None
        number, then, kept_then = parsed
        parts = ["SELECT key, protocol, port FROM changes WHERE number > ?"]
        values: list[object] = [number]
        # What is held is little, and keeps no mark of whether it had begun.
        for name, begins in (*((name, "later") for name in self._tables()), ("held", "not_before")):
            spans = (
                # Begun meanwhile; ended meanwhile; begun to be kept though ended. A clock set back swaps the two ends.
                (begins, *sorted((then, time_text(now)))),
                ("not_after", *sorted((then, time_text(now)))),
                ("not_after", *sorted((kept_then, time_text(kept_after)))),
            )
            for column, first, last in dict.fromkeys(spans):
                if first < last:
                    parts.append(f"SELECT key, protocol, port FROM {name} WHERE {column} > ? AND {column} <= ?")  # noqa: S608
                    values += [first, last]
        found = self._db.execute(" UNION ".join(parts), values)
        return (ChangedPoint(prefix_of(key), protocol, port) for key, protocol, port in found)

    def stands(self, points: Iterable[ChangedPoint], *, now: dt.datetime, kept_after: dt.datetime) -> set[ChangedPoint]:
        """Those of them that count now."""
        times = (time_text(now), time_text(kept_after))
        point_is = "key = ? AND protocol = ? AND port IS ?"
        asked = [
            f"SELECT 1 FROM {name} WHERE {point_is} AND {BEGUN} <= ? AND not_after > ? LIMIT 1"  # noqa: S608
            for name in self._tables()
        ]
        asked.append(f"SELECT 1 FROM held WHERE {point_is} AND not_before <= ? AND not_after > ? LIMIT 1")  # noqa: S608
        own = "SELECT 1 FROM local WHERE key = ? AND protocol = ? AND port IS ? LIMIT 1"
        standing: set[ChangedPoint] = set()
        for point in points:
            where = (key_of(point.prefix), point.protocol, point.port)
            if any(self._db.execute(query, (*where, *times)).fetchone() for query in asked) or (
                self._db.execute(own, where).fetchone()
            ):
                standing.add(point)
        return standing

    def in_force_rows(self, *, now: dt.datetime, kept_after: dt.datetime) -> Iterator[EntryRow]:
        """All that counts now, by family, address, length, protocol and port. A stream: memory does not grow with it.

        Two rows of one address, protocol and port follow each other.
        """
        at, after = time_text(now), time_text(kept_after)
        columns = "id, key, protocol, port, not_before, not_after"
        parts = [
            f"SELECT {columns}, '{role}' AS role, 0 AS kind FROM {name} WHERE {BEGUN} <= :at AND not_after > :after"  # noqa: S608
            for role, name in zip(ROLES, self._tables(), strict=True)
        ]
        parts.append(f"SELECT {columns}, role, 1 FROM held WHERE not_before <= :at AND not_after > :after")  # noqa: S608
        parts.append("SELECT x'', key, protocol, port, '', '', comment, 2 FROM local")
        found = self._db.execute(
            f"{' UNION ALL '.join(parts)} ORDER BY key, protocol, port", {"at": at, "after": after}
        )
        for id, key, protocol, port, not_before, not_after, role, kind in found:
            if kind == 2:
                yield EntryRow("", prefix_of(key), protocol, port, "", "", local=role or "local")
                continue
            stale = not_after <= at
            yield EntryRow(
                id.hex(), prefix_of(key), protocol, port, not_before, not_after, role, kind == 1, kept_stale=stale
            )

    def count_in_force(self, *, now: dt.datetime, kept_after: dt.datetime) -> tuple[int, int]:
        """How many rows count now, the operator's own among them, and how many of them have ended."""
        at, after = time_text(now), time_text(kept_after)
        sizes: dict[str, int] = dict(self._db.execute("SELECT role, entries FROM positions"))
        tables = self._tables()
        counted = sum(
            sizes[role] if role in sizes else self._number(f"SELECT count(*) FROM {name}")  # noqa: S608
            for role, name in zip(ROLES, tables, strict=True)
        )
        # Not begun, and ended: both are read from an index, and are few. All in one question, as it is asked at
        # each edition.
        out = [f"(SELECT count(*) FROM {name} WHERE later > :at)" for name in tables]  # noqa: S608
        out += [f"(SELECT count(*) FROM {name} WHERE not_after <= :after)" for name in tables]  # noqa: S608
        ended = [
            f"(SELECT count(*) FROM {name} WHERE not_after > :after AND not_after <= :at)"  # noqa: S608
            for name in (*tables, "held")
        ]
        held = "(SELECT count(*) FROM held WHERE not_before <= :at AND not_after > :after)"
        own = "(SELECT count(*) FROM local)"
        asked = f"SELECT {held} + {own} - {' - '.join(out)}, {' + '.join(ended)}"
        besides, stale = self._db.execute(asked, {"at": at, "after": after}).fetchone()
        return counted + besides, stale

    def count_not_counting(self, *, now: dt.datetime, kept_after: dt.datetime) -> tuple[int, int]:
        """Of what the editions have: how many entries have not begun, and how many have ended."""
        at, after = time_text(now), time_text(kept_after)
        begin = [f"(SELECT count(*) FROM {name} WHERE later > :at AND not_after > :after)" for name in self._tables()]  # noqa: S608
        ended = [f"(SELECT count(*) FROM {name} WHERE not_after <= :after)" for name in self._tables()]  # noqa: S608
        asked = f"SELECT {' + '.join(begin)}, {' + '.join(ended)}"
        not_begun, over = self._db.execute(asked, {"at": at, "after": after}).fetchone()
        return not_begun, over

    def count_local(self) -> int:
        """The operator's own rows."""
        return self._number("SELECT count(*) FROM local")

    def covering(self, prefixes: Sequence[str]) -> list[EntryRow]:
        """Everything held under these very prefixes, whether or not it counts now; the longest first."""
        keys = [key_of(prefix) for prefix in prefixes]
        among = ",".join("?" * len(keys))
        columns = "id, key, protocol, port, not_before, not_after"
        parts = [
            f"SELECT {columns}, '{role}' AS role, 0, later FROM {name} WHERE key IN ({among})"  # noqa: S608
            for role, name in zip(ROLES, self._tables(), strict=True)
        ]
        parts.append(f"SELECT {columns}, role, 1, '' FROM held WHERE key IN ({among})")  # noqa: S608
        parts.append(f"SELECT x'', key, protocol, port, '', '', comment, 2, '' FROM local WHERE key IN ({among})")  # noqa: S608
        found = self._db.execute(" UNION ALL ".join(parts), keys * len(parts)).fetchall()
        found.sort(key=lambda row: (-row[1][-1], row[7], row[2], row[3] or 0, row[0]))
        return [
            EntryRow("", prefix_of(key), protocol, port, "", "", local=role or "local")
            if kind == 2
            else EntryRow(id.hex(), prefix_of(key), protocol, port, begins, ends, role, kind == 1, later=later or "")
            for id, key, protocol, port, begins, ends, role, kind, later in found
        ]

    def next_change(self, *, now: dt.datetime) -> dt.datetime | None:
        """When the next entry begins or ends."""
        at = time_text(now)
        times = []
        for name in self._tables():
            times += [
                self._db.execute(f"SELECT min({column}) FROM {name} WHERE {column} > ?", (at,)).fetchone()[0]  # noqa: S608
                for column in ("later", "not_after")
            ]
        times += [
            self._db.execute(f"SELECT min({column}) FROM held WHERE {column} > ?", (at,)).fetchone()[0]  # noqa: S608
            for column in ("not_before", "not_after")
        ]
        return min((parse_time(text) for text in times if text), default=None)

    def count(self, role: str | None = None) -> int:
        """Counted one by one: for tests and for a doubt."""
        roles = ROLES if role is None else (role,)
        return sum(self._number(f"SELECT count(*) FROM {self._table(role)}") for role in roles)  # noqa: S608

    def entries(self, role: str) -> Iterator[Stored]:
        """All of a role as published, in no order."""
        return self.rows_of(self._table(role))

    def rows_of(self, table: str) -> Iterator[Stored]:
        """All of a table, in no order."""
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM {table}"):  # noqa: S608
            yield Stored(*row)

    # Writing: one change. `table` is one of `list_names`.

    def entry(self, table: str, id: bytes) -> tuple[int, Stored] | None:
        """With its number in the table."""
        found = self._db.execute(f"SELECT number, {_COLUMNS} FROM {table} WHERE id = ?", (id,)).fetchone()  # noqa: S608
        return None if found is None else (found[0], Stored(*found[1:]))

    def highest(self, table: str) -> int:
        """Numbers above this are those of entries that come now."""
        return self._number(f"SELECT coalesce(max(number), 0) FROM {table}")  # noqa: S608

    def put(self, table: str, number: int, entry: Stored, now: dt.datetime) -> None:
        """Raises EntryConflict when an entry with this id is there."""
        try:
            later = entry.not_before if entry.not_before > time_text(now) else None
            self._db.execute(f"INSERT INTO {table} VALUES (?,?,?,?,?,?,?,?,?)", (number, *entry, later))  # noqa: S608
        except sqlite3.IntegrityError:
            raise EntryConflict(entry.id.hex()) from None

    def take_out(self, table: str, number: int) -> None:
        self._db.execute(f"DELETE FROM {table} WHERE number = ?", (number,))  # noqa: S608

    def note_changes(self, points: Sequence[Point]) -> None:
        """In the log that `changes_since` reads."""
        if len(points) > self.most_changes:
            self.begin_log_anew()
            return
        self._db.executemany("INSERT INTO changes (key, protocol, port) VALUES (?,?,?)", points)
        _, newest = self._log()
        if (oldest := newest - self.most_changes) > 0:
            self._db.execute("DELETE FROM changes WHERE number <= ?", (oldest,))
            self._db.execute("UPDATE log SET complete_after = max(complete_after, ?)", (oldest,))

    def begin_log_anew(self) -> None:
        """More changed than is worth a list: every target reads everything."""
        self._db.execute("DELETE FROM changes")
        self._db.execute("UPDATE log SET id = ?, complete_after = 0", (secrets.token_hex(8),))

    def set_local(self, rows: Iterable[OwnRow], now: dt.datetime) -> bool:
        """Put the operator's own rows in place of those held. Returns whether anything changed."""
        wanted = {(key_of(row.prefix), row.protocol, row.port): row.comment for row in rows}
        stands = {
            (key, protocol, port): comment
            for key, protocol, port, comment in self._db.execute("SELECT key, protocol, port, comment FROM local")
        }
        if wanted == stands:
            return False
        self._db.execute("DELETE FROM local")
        self._db.executemany("INSERT INTO local VALUES (?,?,?,?)", [(*key, said) for key, said in wanted.items()])
        self.note_changes([Point(*key) for key in wanted.keys() ^ stands.keys()])
        return True

    # Writing: a whole list, unseen until `change_over`

    def begin_list(self, role: str) -> str:
        """An empty table beside the one that counts."""
        name = table_of(role, self._other_slot(role))
        self._db.execute(f"DROP TABLE IF EXISTS {name}")
        self._db.execute(table(name))
        return name

    def fill(self, name: str, rows: Iterable[PlainRow]) -> None:
        self._db.executemany(
            f"INSERT INTO {name} (id, key, protocol, port, not_before, not_after, extra) VALUES (?,?,?,?,?,?,?)",  # noqa: S608
            rows,
        )

    def index_list(self, name: str, now: dt.datetime) -> None:
        """Once it is filled. Raises EntryConflict when one id is there twice."""
        cache = self._number("PRAGMA cache_size")
        try:
            self._db.execute(f"PRAGMA cache_size = -{SORTED_KIB}")
            self._db.execute(f"UPDATE {name} SET later = not_before WHERE not_before > ?", (time_text(now),))  # noqa: S608
            for statement in indexes(name):
                self._db.execute(statement)
        except sqlite3.IntegrityError:
            twice = self._db.execute(f"SELECT id FROM {name} GROUP BY id HAVING count(*) > 1").fetchone()[0]  # noqa: S608
            raise EntryConflict(twice.hex()) from None
        finally:
            self._db.execute(f"PRAGMA cache_size = {cache}")

    def change_over(self, role: str) -> None:
        """What was filled counts from now on; what counted before is gone."""
        before, after = self._slot(role), self._other_slot(role)
        self._db.execute("UPDATE lists SET slot = ? WHERE role = ?", (after, role))
        self._db.execute(f"DROP TABLE {table_of(role, before)}")

    def drop_unfinished_lists(self) -> None:
        """What a load left that was cut short."""
        for role in ROLES:
            self._db.execute(f"DROP TABLE IF EXISTS {table_of(role, self._other_slot(role))}")

    def list_names(self, role: str) -> tuple[str, str]:
        """The table that counts, and the one that is filled."""
        return self._table(role), table_of(role, self._other_slot(role))

    def _slot(self, role: str) -> str:
        return str(self._db.execute("SELECT slot FROM lists WHERE role = ?", (role,)).fetchone()[0])

    def _other_slot(self, role: str) -> str:
        return SLOTS[1 - SLOTS.index(self._slot(role))]

    def _table(self, role: str) -> str:
        return table_of(role, self._slot(role))

    def _tables(self) -> tuple[str, ...]:
        slots = dict(self._db.execute("SELECT role, slot FROM lists"))
        return tuple(table_of(role, slots[role]) for role in ROLES)

    def _number(self, query: str, *values: object) -> int:
        return int(self._db.execute(query, values).fetchone()[0])

    def _log(self) -> tuple[str, int]:
        id = str(self._db.execute("SELECT id FROM log").fetchone()[0])
        newest = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'changes'").fetchone()
        return id, int(newest[0]) if newest else 0

    def _parse_mark(self, mark: str) -> tuple[int, str, str] | None:
        id, newest = self._log()
        complete_after = self._number("SELECT complete_after FROM log")
        parts = mark.split(":", 2)
        if len(parts) != 3 or parts[0] != id or not parts[1].isdecimal():
            return None
        number, times = int(parts[1]), parts[2]
        then, kept_then = f"{times[:19]}Z", f"{times[20:]}Z"
        return (number, then, kept_then) if complete_after <= number <= newest else None
