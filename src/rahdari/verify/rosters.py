"""Importing a roster: a CSV file of members, streamed into PostgreSQL, replacing the import before it in one commit.

Invariants: a bad row stops nothing but itself, and is named by line and reason; an import without one good row
replaces nothing; a number is stored as a keyed hash and a name encrypted, and neither is ever in a report.
"""

import csv
import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection, transaction

from rahdari.journal import actions as journal
from rahdari.vault import cipher

from . import queries, rules
from .models import Roster, RosterRow

COLUMNS = ("number", "name", "status", "valid_until")
NEEDED = ("number", "name")
ACTIVE = {"", "active", "valid", "registered", "yes"}
NOT_ACTIVE = {"inactive", "not active", "expired", "suspended", "cancelled", "struck off", "blocked", "no"}
LONGEST_NAME = 300
LONGEST_LINE = 65_536
# Rejected rows held in memory; the report file has all of them.
LISTED = 1000


class UnknownRoster(ValueError):
    """There is no roster of this name."""


class RosterUnusable(Exception):
    """The file cannot be imported at all and the roster in use stays. `.reason`: missing | header | no_good_row."""

    def __init__(self, path: Path, reason: str, columns: tuple[str, ...] = ()) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason, self.columns = path, reason, columns


@dataclass
class RosterReport:
    """What became of the rows. `rejected` lists the first thousand as (line, reason); `rejected_count` counts all."""

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    rejected_count: int = 0
    replaced: bool = False


@dataclass(frozen=True)
class _Member:
    line: int
    key: bytes
    name: str
    active: bool
    valid_until: dt.date | None


def import_roster(
    *,
    name: str,
    path: Path,
    now: dt.datetime,
    actor: str,
    on_rejected: Callable[[int, str], None] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RosterReport:
    """Read a CSV file into the roster `name`. Raises UnknownRoster and RosterUnusable, and then changes nothing.

    Reasons of rejected rows: not_text, columns, no_number, number_shape, name_too_long, status, valid_until, repeated.
    """
    if name not in rules.ROSTERS:
        raise UnknownRoster(name)
    report = RosterReport()

    def reject(line: int, reason: str) -> None:
        report.rejected_count += 1
        if len(report.rejected) < LISTED:
            report.rejected.append((line, reason))
        if on_rejected is not None:
            on_rejected(line, reason)

    try:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            content.seek(0)
            with transaction.atomic():
                _stage(_members(name, path, content, reject, on_progress))
                _drop_repeated(reject)
                report.accepted = _staged()
                if report.accepted == 0:
                    raise RosterUnusable(path, "no_good_row")
                report.replaced = _put_in_use(name, digest, report, now=now, actor=actor)
    except OSError:
        raise RosterUnusable(path, "missing") from None
    return report


def _members(
    name: str,
    path: Path,
    content: BinaryIO,
    reject: Callable[[int, str], None],
    on_progress: Callable[[int], None] | None,
) -> Iterator[_Member]:
    lines = _lines(content)
    _, first = next(lines, (1, b""))
    header = [cell.strip().lower() for cell in _cells((first or b"").removeprefix(b"\xef\xbb\xbf")) or []]
    if any(column not in header for column in NEEDED) or len(set(header)) != len(header):
        raise RosterUnusable(path, "header", tuple(header[:10]))
    places = {column: header.index(column) for column in COLUMNS if column in header}
    for number, line in lines:
        if on_progress is not None and number % 100_000 == 0:
            on_progress(number)
        if line is None or (cells := _cells(line)) is None:
            reject(number, "not_text")
        elif any(cell.strip() for cell in cells):
            member = _read(name, cells, len(header), places, number)
            if isinstance(member, str):
                reject(number, member)
            else:
                yield member


def _lines(content: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number; None for one that is longer than any row can be."""
    number = 0
    while line := content.readline(LONGEST_LINE):
        number += 1
        whole = len(line) < LONGEST_LINE or line.endswith(b"\n")
        while not line.endswith(b"\n") and (line_rest := content.readline(LONGEST_LINE)):
            if line_rest.endswith(b"\n"):
                break
        yield number, line if whole else None


def _cells(line: bytes) -> list[str] | None:
    """The cells of one line; None when it is no UTF-8 or its quotes do not close (a row is never more than a line)."""
    try:
        return next(csv.reader([line.decode()], strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None


def _read(name: str, row: list[str], width: int, places: dict[str, int], line: int) -> _Member | str:
    """The member in one row, or the reason why there is none."""
    if len(row) != width:
        return "columns"
    cell = {column: row[place].strip() for column, place in places.items()}
    if "\0" in "".join(cell.values()):
        return "not_text"
    if not cell["number"]:
        return "no_number"
    key = queries.roster_key(name, cell["number"])
    if key is None:
        return "number_shape"
    if len(cell["name"]) > LONGEST_NAME:
        return "name_too_long"
    status = " ".join(cell.get("status", "").lower().replace("-", " ").split())
    if status not in ACTIVE | NOT_ACTIVE:
        return "status"
    until = _day(cell.get("valid_until", ""))
    if isinstance(until, bool):
        return "valid_until"
    return _Member(line, key, cell["name"], status in ACTIVE, until)


def _day(text: str) -> dt.date | bool | None:
    """A day as 2026-12-31 or 31-12-2026 (also with / or .), None when empty, False when it is none."""
    plain = text.replace("/", "-").replace(".", "-")
    if not plain:
        return None
    for form in ("%Y-%m-%d", "%d-%m-%Y"):
        try:
            return dt.datetime.strptime(plain, form).date()  # noqa: DTZ007
        except ValueError:
            continue
    return False


def _stage(members: Iterator[_Member]) -> None:
    """Copy the members into a table of this transaction only."""
    where = f"{RosterRow._meta.label}.name"
    with connection.cursor() as cursor:
        # One import at a time: a second one waits here for the first to commit.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('verify.import_roster'))")
        cursor.execute("DROP TABLE IF EXISTS pg_temp.roster_staged")
        cursor.execute(
            "CREATE TEMPORARY TABLE roster_staged (line bigint, id uuid, key bytea, name bytea, active boolean, "
            "valid_until date) ON COMMIT DROP"
        )
        copying: Any = cursor.copy("COPY roster_staged (line, id, key, name, active, valid_until) FROM STDIN")
        with copying as copy:
            for member in members:
                pk = uuid.uuid4()
                name = cipher.seal("fields", member.name.encode(), where=f"{where}:{pk}") if member.name else b""
                copy.write_row((member.line, pk, member.key, name, member.active, member.valid_until))


def _drop_repeated(reject: Callable[[int, str], None]) -> None:
    """A number that stands twice counts once, as it stood first; the later lines are named."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX ON roster_staged (key, line)")
        cursor.execute(
            "DELETE FROM roster_staged later USING roster_staged first "
            "WHERE first.key = later.key AND first.line < later.line RETURNING later.line"
        )
        for line in sorted({line for (line,) in cursor.fetchall()}):
            reject(line, "repeated")


def _staged() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM roster_staged")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _put_in_use(name: str, digest: str, report: RosterReport, *, now: dt.datetime, actor: str) -> bool:
    """Replace the import in use; readers see the old one until this commits."""
    before = Roster.objects.select_for_update().filter(name=name, in_use=True).first()
    if before is not None:
        before.in_use = False
        before.save(update_fields=["in_use"])
    roster = Roster.objects.create(
        name=name,
        imported_at=now,
        imported_by=actor,
        sha256=digest,
        accepted=report.accepted,
        rejected=report.rejected_count,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO verify_rosterrow (id, roster_id, key, name, active, valid_until) "
            "SELECT id, %s, key, name, active, valid_until FROM roster_staged",
            [roster.pk],
        )
        if before is not None:
            cursor.execute("DELETE FROM verify_rosterrow WHERE roster_id = %s", [before.pk])
    journal.record(
        act="verify.imported_roster",
        actor=actor,
        subject=f"roster:{name}",
        now=now,
        detail={"accepted": report.accepted, "rejected": report.rejected_count, "sha256": digest},
    )
    return before is not None
