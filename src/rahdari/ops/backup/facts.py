"""What a register is, in numbers that must be the same after it was restored."""

import hashlib
import os
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

# Rows that come and go with each request or beat: they say nothing.
PASSING = frozenset({"django_session"})
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
    """Its rows up to this number: how many, the last, and a digest of every word of them."""
    connection.execute(AS_EVERYWHERE)
    number, last, digest = _one(connection, sql.SQL(JOURNAL), until)
    return {"rows": number, "last": last, "digest": digest}


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
