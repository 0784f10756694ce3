"""Importing a roster: a CSV file of members, loaded in pieces, and put in use in one commit.

    1  load     pieces of the file are read by as many processes as there are cores; each piece is copied into a table
                of this import's own, and how far it came is noted, in one commit
    2  settle   a row that stands twice, word for word, counts once; of rows that contradict each other none counts, for
                a person has to say which is right
    3  use      one commit: the table becomes the part of `checks_rosterrow` that is in use, the one before is gone

Killed in 1, the next import of the same file goes on where it was; killed in 2 or 3, nothing is in use that was not.
Readers see the roster before until the commit of 3. An import without one good row replaces nothing. A number is stored
as a keyed hash and a name encrypted, and neither is ever in a report.
"""

import datetime as dt
import hashlib
import multiprocessing
import os
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from rahdari.db.locks import Lock, held
from rahdari.journal import actions as journal
from rahdari.policy.shapes import ROSTERS
from rahdari.vault import cipher, index

from . import queries, roster_rows
from .models import Roster, RosterLoad, RosterRejection
from .roster_rows import Piece, Reading, Rows

# Rejected rows held in memory; the report file has all of them.
LISTED = 1000
# A smaller file is read here: starting processes takes longer.
WORTH_SHARING = 8 * 1024 * 1024


class UnknownRoster(ValueError):
    """There is no roster of this name."""


class RosterUnusable(Exception):
    """The file cannot be imported at all and the roster in use stays. `.reason`: missing | header | no_good_row."""

    def __init__(self, path: Path, reason: str, columns: tuple[str, ...] = ()) -> None:
        super().__init__(f"{path}: {reason}")
        self.path, self.reason, self.columns = path, reason, columns


@dataclass
class RosterReport:
    """What became of the rows. `rejected` lists the first thousand as (line, reason); `rejected_count` counts all.
    `remarks` are the first thousand of what is said of rows that are in use, `remarked` counts them.

    `resumed_at` is the line at which an import that was cut off went on; 0 for one from the beginning.
    """

    accepted: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    rejected_count: int = 0
    remarks: list[tuple[int, str]] = field(default_factory=list)
    remarked: int = 0
    replaced: bool = False
    resumed_at: int = 0


def import_roster(
    *,
    name: str,
    path: Path,
    now: dt.datetime,
    actor: str,
    on_finding: Callable[[int, str, int | None], None] | None = None,
    on_progress: Callable[[int, float], None] | None = None,
    processes: int | None = None,
) -> RosterReport:
    """Read a CSV file into the roster `name`. Raises UnknownRoster and RosterUnusable, and then changes nothing.

    `on_progress` is told the lines read and the share of the file, 0 to 1; `on_finding` each line that something is
    said of, why, and the other line that it is about. Reasons of rejected rows: not_text, columns, no_number,
    number_letters, number_length, number_shape, no_name, name_too_long, status, valid_until, repeated, conflicting.
    Remarks about rows that are in use: `roster_rows.REMARKS`.
    """
    if name not in ROSTERS:
        raise UnknownRoster(name)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            first = file.readline(roster_rows.LONGEST_LINE)
            reading = _reading(name, path, first)
            with held(Lock.ROSTERS, wait=True):
                load = _begin(name, digest, file.tell(), actor=actor, now=now)
                resumed_at = load.line if load.line > 2 else 0
                file.seek(load.offset)
                size = os.fstat(file.fileno()).st_size
                for piece, rows in _shared(reading, roster_rows.pieces(file, line=load.line), size, processes):
                    _keep(load, piece, rows)
                    if on_progress is not None:
                        on_progress(load.line - 1, load.offset / size)
                return _finish(load, path, resumed_at=resumed_at, now=now, actor=actor, on_finding=on_finding)
    except OSError:
        raise RosterUnusable(path, "missing") from None


def _reading(name: str, path: Path, first: bytes) -> Reading:
    header = roster_rows.header_of(first)
    if any(column not in header for column in roster_rows.NEEDED) or len(set(header)) != len(header):
        raise RosterUnusable(path, "header", tuple(header[:10]))
    return Reading(
        roster=name,
        width=len(header),
        places={column: header.index(column) for column in roster_rows.COLUMNS if column in header},
        blinder=index.blinder(),
        sealer=cipher.sealer("fields"),
        where=queries.ROW,
    )


def _begin(name: str, digest: str, offset: int, *, actor: str, now: dt.datetime) -> RosterLoad:
    """The load of this very file that was cut off, or a new one; one of another file is given up."""
    with transaction.atomic():
        load = RosterLoad.objects.filter(name=name).first()
        if load is not None and load.sha256 == digest:
            return load
        if load is not None:
            _drop(load)
        load = RosterLoad.objects.create(
            name=name, sha256=digest, started_at=now, started_by=actor, offset=offset, line=2
        )
        _call("checks_begin_import", load.pk)
    return load


def _shared(
    reading: Reading, pieces: Iterator[Piece], size: int, processes: int | None
) -> Iterator[tuple[Piece, Rows]]:
    """Each piece with its rows, in order; read by several processes when that is worth it."""
    processes = (os.cpu_count() or 1) if processes is None else processes
    if size < WORTH_SHARING or processes < 2:
        yield from ((piece, roster_rows.read(reading, piece)) for piece in pieces)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        under_way: deque[tuple[Piece, Future[Rows]]] = deque()
        for piece in pieces:
            under_way.append((piece, pool.submit(roster_rows.read, reading, piece)))
            if len(under_way) > processes:
                read, rows = under_way.popleft()
                yield read, rows.result()
        for read, rows in under_way:
            yield read, rows.result()


def _keep(load: RosterLoad, piece: Piece, rows: Rows) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        copying: Any = cursor.copy(f"COPY {_table(load.pk)} ({', '.join(roster_rows.COPIED)}) FROM STDIN")
        with copying as copy:
            copy.write(rows.copy)
        RosterRejection.objects.bulk_create(
            RosterRejection(load=load, line=line, reason=reason) for line, reason in rows.remarks
        )
        load.offset, load.line = piece.offset, piece.first_line + piece.lines
        load.accepted += rows.accepted
        load.save(update_fields=["offset", "line", "accepted"])


def _finish(
    load: RosterLoad,
    path: Path,
    *,
    resumed_at: int,
    now: dt.datetime,
    actor: str,
    on_finding: Callable[[int, str, int | None], None] | None,
) -> RosterReport:
    report = RosterReport(resumed_at=resumed_at)
    with transaction.atomic():
        dropped = _drop_repeated(load)
        RosterRejection.objects.bulk_create(
            RosterRejection(load=load, line=line, reason=reason, other=other) for line, reason, other in dropped
        )
        for line, reason, other in load.rejections.order_by("line", "id").values_list("line", "reason", "other"):
            if reason in roster_rows.REMARKS:
                report.remarked += 1
                listed = report.remarks
            else:
                report.rejected_count += 1
                listed = report.rejected
            if len(listed) < LISTED:
                listed.append((line, reason))
            if on_finding is not None:
                on_finding(line, reason, other)
        report.accepted = load.accepted - len(dropped)
        if report.accepted:
            report.replaced = _put_in_use(load, report, now=now, actor=actor)
        else:
            _drop(load)
    if not report.accepted:
        raise RosterUnusable(path, "no_good_row")
    return report


def _drop_repeated(load: RosterLoad) -> list[tuple[int, str, int]]:
    """What stands twice: of rows that are the same, the first stays; of rows that contradict each other, none does.
    Gives line, reason and the line of the (other) first one."""
    table = _table(load.pk)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '256MB'")
        # The table's name is ours. PostgreSQL has no min() of bytea before version 18, so `whole` is compared as text.
        cursor.execute(
            f"DELETE FROM {table} USING (SELECT ctid AS place, min(line) OVER same AS first, "  # noqa: S608
            "row_number() OVER (PARTITION BY key ORDER BY line) AS turn, "
            "min(encode(whole, 'hex')) OVER same <> max(encode(whole, 'hex')) OVER same AS differs, "
            f"nth_value(line, 2) OVER (PARTITION BY key ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED "
            f"FOLLOWING) AS second FROM {table} "
            f"WHERE key IN (SELECT key FROM {table} GROUP BY key HAVING count(*) > 1) "
            "WINDOW same AS (PARTITION BY key)) AS again "
            f"WHERE {table}.ctid = again.place AND (differs OR turn > 1) "
            "RETURNING line, differs, CASE WHEN turn > 1 THEN first ELSE second END"
        )
        rows = cursor.fetchall()
    return sorted((line, "conflicting" if differs else "repeated", other) for line, differs, other in rows)


def _put_in_use(load: RosterLoad, report: RosterReport, *, now: dt.datetime, actor: str) -> bool:
    """Replace the import in use; readers see the old one until this commits."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    _call("checks_use_import", load.pk, load.name in roster_rows.OF_FIRMS)
    before = Roster.objects.select_for_update().filter(name=load.name, in_use=True).first()
    if before is not None:
        before.in_use = False
        before.save(update_fields=["in_use"])
    Roster.objects.create(
        id=load.pk,
        name=load.name,
        imported_at=now,
        imported_by=actor,
        sha256=load.sha256,
        accepted=report.accepted,
        rejected=report.rejected_count,
    )
    if before is not None:
        _call("checks_end_import", before.pk)
    load.delete()
    journal.record(
        act="checks.imported_roster",
        actor=actor,
        subject=f"roster:{load.name}",
        now=now,
        detail={"accepted": report.accepted, "rejected": report.rejected_count, "sha256": load.sha256},
    )
    return before is not None


def _drop(load: RosterLoad) -> None:
    _call("checks_end_import", load.pk)
    load.delete()


def _call(function: str, pk: uuid.UUID, *more: bool) -> None:
    """What the owner of the tables does for us (migration 0007): the role that imports may make and drop no table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + function + "(%s" + ", %s" * len(more) + ")", [pk, *more])


def _table(pk: uuid.UUID) -> str:
    """The table of one import; the name is made of hex digits alone."""
    return f"checks_rosterrow_{pk.hex}"
