"""What a register is, in numbers that must be the same after it was restored."""

import hashlib
import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from rahdari.ops import rights

# Rows that come and go with each request or beat: they say nothing.
PASSING = frozenset({"django_session"})
# Of these no row ever goes.
GROWS = frozenset({*rights.ADDED_TO, *rights.KEPT})
JOURNAL = """
SELECT count(*), coalesce(max(id), 0), coalesce(encode(sha256(string_agg(sha256(convert_to(e::text, 'UTF8')), ''::bytea
ORDER BY id)), 'hex'), '') FROM journal_journalentry e WHERE id <= %s"""
# A row is written as the session has it: where it was restored, the server may have another time zone.
AS_EVERYWHERE = """
SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true),
       set_config('bytea_output', 'hex', true)"""
ALL = 2**62


def of(url: str, data: Path) -> dict[str, Any]:
    """Rows of each table, the journal's digest, and the state of the feed, of one moment; prints of the keys."""
    with psycopg.connect(url, connect_timeout=10) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        names = [
            row[0]
            for row in connection.execute(
                # What is not logged (a count that passes) comes back empty from every backup.
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
                " AND relpersistence = 'p' ORDER BY relname"
            )
        ]
        rows = {
            name: _one(connection, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))[0]
            for name in names
            if name not in PASSING
        }
        found: dict[str, Any] = {"rows": rows, "keys": prints(data)}
        if "apply_application" in names:
            # Drafts go when they are idle; these stay.
            sent = sql.SQL("SELECT count(*) FROM apply_application WHERE submitted_at IS NOT NULL")
            found["sent"] = {"applications": _one(connection, sent)[0]}
        if "journal_journalentry" in names:
            found["journal"] = journal(connection)
        if "publish_session" in names:
            sessions = connection.execute("SELECT id, sequence, entries FROM publish_session ORDER BY id")
            found["editions"] = {str(name): [sequence, entries] for name, sequence, entries in sessions}
    return found


def journal(connection: "psycopg.Connection[Any]", *, until: int = ALL) -> dict[str, Any]:
    """Its rows up to this number: how many, the last, a digest of every word of them, and what words a row has."""
    connection.execute(AS_EVERYWHERE)
    number, last, digest = _one(connection, sql.SQL(JOURNAL), until)
    row = connection.execute("SELECT * FROM journal_journalentry LIMIT 0").description or ()
    return {"rows": number, "last": last, "digest": digest, "columns": " ".join(column.name for column in row)}


def _said(journal: dict[str, Any]) -> str:
    return f"{journal.get('rows')} rows of digest {str(journal.get('digest'))[:16]}"


def beginning(known: dict[str, Any], url: str) -> dict[str, Any] | None:
    """The journal of this database, as far as it went when `known` was counted."""
    if "journal" not in known:
        return None
    with psycopg.connect(url, connect_timeout=10) as connection:
        return journal(connection, until=known["journal"]["last"])


def fallen(known: dict[str, Any], now: dict[str, Any], begins: dict[str, Any] | None) -> list[str]:
    """What is less than it was, or another, of what only grows: a part of a sentence for each. `begins` is what
    `beginning` says."""
    found = [
        f"the table {name} is gone" if has is None else f"rows of {name}: {number} before, {has} now"
        for name, number in sorted(known["rows"].items())
        if name in GROWS and ((has := now["rows"].get(name)) is None or has < number)
    ]
    found += [
        f"{name} that were sent: {number} before, {now.get('sent', {}).get(name)} now"
        for name, number in known.get("sent", {}).items()
        if now.get("sent", {}).get(name, -1) < number
    ]
    if before := known.get("journal"):
        begins = begins or {}
        # A release may add a column: then each row reads otherwise.
        same = before.get("columns", begins.get("columns")) == begins.get("columns")
        compared = ("rows", "last", "digest") if same else ("rows", "last")
        if any(before[part] != begins.get(part) for part in compared):
            found.append(f"the journal up to entry {before['last']}: {_said(before)} before, {_said(begins)} now")
    found += [
        f"editions of {name}: {number} before, {now.get('editions', {}).get(name)} now"
        for name, number in known.get("editions", {}).items()
        if now.get("editions", {}).get(name, [-1])[0] < number[0]
    ]
    return found


def files_below(folder: Path) -> list[Path]:
    """All files, in order. Raises PermissionError for a folder that may not be read: what is passed over in silence is
    missed on the day it is needed."""

    def refuse(error: OSError) -> None:
        raise error

    walked = os.walk(folder, onerror=refuse)
    return sorted(Path(here) / name for here, _, files in walked for name in files)


def prints(data: Path) -> dict[str, str]:
    """A short print of each key file, from which nothing of the key can be learned, to tell one key from another."""
    return {
        path.relative_to(data / "keys").as_posix(): hashlib.sha256(b"rahdari backup\0" + path.read_bytes()).hexdigest()[
            :12
        ]
        for path in files_below(data / "keys")
    }


def _one(connection: "psycopg.Connection[Any]", query: sql.SQL | sql.Composed, *values: Any) -> tuple[Any, ...]:
    row = connection.execute(query, values or None).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return tuple(row)
