"""What an update took out, and what of it is held back: the tables `lost` (of this connection) and `held`."""

import datetime as dt
import sqlite3

from rahdari.feed.entry import time_text

from .entries import Entries, EntryRow
from .schema import Point, Stored, prefix_of

# An entry whose end is brought this near is as good as removed.
SOON = dt.timedelta(hours=24)
_LOST = """
CREATE TEMP TABLE IF NOT EXISTS lost (
    id BLOB PRIMARY KEY, key BLOB, protocol TEXT, port INTEGER, not_before TEXT, not_after TEXT
) WITHOUT ROWID
"""
# Of what was taken out, what really is gone: not what only got another term, or was put back.
_GONE = """
FROM temp.lost AS l LEFT JOIN {table} AS e ON e.id = l.id
WHERE l.not_after > :now AND (
    e.id IS NULL
    OR (:moved AND (e.key != l.key OR e.protocol != l.protocol OR e.port IS NOT l.port))
    OR (e.not_after < l.not_after AND e.not_after <= :soon)
    OR (e.not_before > l.not_before AND e.not_before > :now)
)
"""


class Losses(Entries):
    _db: sqlite3.Connection

    def forget_lost(self) -> None:
        self._db.execute(_LOST)
        self._db.execute("DELETE FROM temp.lost")

    def note_lost(self, entry: Stored) -> None:
        """As it stood before this update."""
        self._db.execute("INSERT OR IGNORE INTO temp.lost VALUES (?,?,?,?,?,?)", entry[:6])

    def compare_lists(self, before: str, after: str) -> None:
        """Note what a whole new list changes: what is lost, and each point that may stand otherwise."""
        self.forget_lost()
        columns = "id, key, protocol, port, not_before, not_after"
        self._db.execute(
            f"INSERT INTO temp.lost SELECT {columns} FROM {before} AS o WHERE NOT EXISTS ("  # noqa: S608
            f"SELECT 1 FROM {after} AS n WHERE n.id = o.id AND n.key = o.key AND n.protocol = o.protocol "
            "AND n.port IS o.port AND n.not_before = o.not_before AND n.not_after = o.not_after)"
        )
        changed = f"FROM {after} AS n LEFT JOIN {before} AS o ON o.id = n.id WHERE o.id IS NULL OR o.key != n.key "
        changed += "OR o.protocol != n.protocol OR o.port IS NOT n.port OR o.not_before != n.not_before "
        # Whether it had begun was judged by the clock of each list's day, and a clock may have been set back since.
        changed += "OR o.not_after != n.not_after OR o.later IS NOT n.later"
        found = self._db.execute(
            f"SELECT key, protocol, port FROM temp.lost UNION ALL SELECT n.key, n.protocol, n.port {changed} LIMIT ?",  # noqa: S608
            (self.most_changes + 1,),
        )
        self.note_changes([Point(*row) for row in found])

    def count_lost(self, table: str, *, now: dt.datetime, moved: bool) -> int:
        found = self._gone(f"SELECT count(*) {_GONE.format(table=table)}", now, moved=moved).fetchone()
        return int(found[0])

    def hold_lost(
        self,
        table: str,
        *,
        role: str,
        session: str,
        from_sequence: int,
        to_sequence: int,
        now: dt.datetime,
        moved: bool,
    ) -> None:
        columns = "role, id, key, protocol, port, not_before, not_after, session, from_sequence, to_sequence, held_at"
        self._gone(
            f"INSERT INTO held ({columns}) SELECT :role, l.id, l.key, l.protocol, l.port, l.not_before, l.not_after, "
            f":session, :from_sequence, :to_sequence, :now {_GONE.format(table=table)}",
            now,
            moved=moved,
            role=role,
            session=session,
            from_sequence=from_sequence,
            to_sequence=to_sequence,
        )

    def _gone(self, query: str, now: dt.datetime, **values: object) -> sqlite3.Cursor:
        return self._db.execute(query, {"now": time_text(now), "soon": time_text(now + SOON), **values})

    def removals_since(self, role: str, since: dt.datetime) -> int:
        return self._number(
            "SELECT coalesce(sum(count), 0) FROM removals WHERE role = ? AND at > ?", role, time_text(since)
        )

    def note_removals(self, role: str, count: int, now: dt.datetime) -> None:
        self._db.execute("INSERT INTO removals VALUES (?,?,?)", (role, time_text(now), count))
        self._db.execute("DELETE FROM removals WHERE at < ?", (time_text(now - 2 * SOON),))

    def used_of(self, path: str) -> int:
        return self._number("SELECT coalesce(max(used), 0) FROM statements WHERE path = ?", path)

    def use(self, path: str, count: int) -> None:
        self._db.execute(
            "INSERT INTO statements VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET used = used + excluded.used",
            (path, count),
        )

    def held_counts(self, *, now: dt.datetime) -> dict[str, int]:
        """By role, of those that have not ended by themselves."""
        return dict(
            self._db.execute(
                "SELECT role, count(*) FROM held WHERE not_after > ? GROUP BY role ORDER BY role", (time_text(now),)
            )
        )

    def held_rows(self, *, role: str | None, most: int) -> list[EntryRow]:
        """The first of them, by address."""
        where = "1" if role is None else "role = :role"
        found = self._db.execute(
            f"SELECT id, key, protocol, port, not_before, not_after, role FROM held WHERE {where} "  # noqa: S608
            "ORDER BY key, protocol, port LIMIT :most",
            {"role": role, "most": most},
        )
        return [
            EntryRow(id.hex(), prefix_of(key), protocol, port, begins, ends, of, held=True)
            for id, key, protocol, port, begins, ends, of in found
        ]

    def holds(self, role: str) -> bool:
        return self._db.execute("SELECT 1 FROM held WHERE role = ? LIMIT 1", (role,)).fetchone() is not None

    def held_spans(self) -> dict[tuple[str, str, int, int], int]:
        """How many are held of each update: role, session, from, to."""
        found = self._db.execute(
            "SELECT role, session, from_sequence, to_sequence, count(*) FROM held GROUP BY 1, 2, 3, 4"
        )
        return {(role, session, start, end): count for role, session, start, end, count in found}

    def release_held(self, *, role: str | None = None, span: tuple[str, int, int] | None = None) -> int:
        """Let them go: all, those of a role, or those of one update of a role."""
        where, values = "1", list[object]()
        if role is not None:
            where, values = "role = ?", [role]
        if span is not None:
            where += " AND session = ? AND from_sequence = ? AND to_sequence = ?"
            values += span
        found = self._db.execute(f"DELETE FROM held WHERE {where} RETURNING key, protocol, port", values).fetchall()  # noqa: S608
        if found:
            self.note_changes([Point(*row) for row in found])
        return len(found)

    def forget_held(self, role: str, entry: Stored) -> None:
        """It is published again: there is nothing to hold."""
        self._db.execute(
            "DELETE FROM held WHERE role = ? AND id = ? AND key = ? AND protocol = ? AND port IS ? AND not_after <= ?",
            (role, *entry[:4], entry.not_after),
        )

    def forget_held_in(self, role: str, table: str) -> None:
        """All that stand in this list again."""
        self._db.execute(
            f"DELETE FROM held WHERE role = ? AND EXISTS (SELECT 1 FROM {table} AS e WHERE e.id = held.id AND "  # noqa: S608
            "e.key = held.key AND e.protocol = held.protocol AND e.port IS held.port "
            "AND e.not_after >= held.not_after)",
            (role,),
        )

    def prune_held(self, before: dt.datetime) -> None:
        """Those that ended by themselves so long ago that no time of grace keeps them."""
        found = self._db.execute(
            "DELETE FROM held WHERE not_after < ? RETURNING key, protocol, port", (time_text(before),)
        ).fetchall()
        if found:
            self.note_changes([Point(*row) for row in found])
