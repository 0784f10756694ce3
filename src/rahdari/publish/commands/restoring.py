"""`rahdari feed missing` and `rahdari feed new-session`: the words of docs/restore.md."""

import argparse
import csv
import datetime as dt
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from .console import fail

COLUMNS = ("what", "role", "id", "prefix", "protocol", "port", "not_before", "not_after", "in_database")


def add_words(acts: Any) -> None:
    missing = acts.add_parser(
        "missing",
        help="after a restore: what the feed on disk has and the database has not",
        description="Writes a CSV for the register's staff. lost: to be entered again. changed: amended or renewed "
        "since the backup. back: ended since the backup. Changes nothing.",
    )
    missing.add_argument("--list", type=Path, metavar="FILE", help="write it to FILE")
    missing.set_defaults(run=run_missing)
    begin = acts.add_parser(
        "new-session",
        help="after a restore: begin new sessions above what was published",
        description="Only when the database knows less than was published, or with --above or --restored-to. "
        "docs/restore.md.",
    )
    begin.add_argument("--above", type=int, metavar="N", help="begin above this edition: a thief signed up to it")
    begin.add_argument(
        "--restored-to",
        type=_moment,
        metavar="TIME",
        help="the register was restored to its state of this time: begin above all that was published since",
    )
    begin.set_defaults(run=run_new_session)


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found.replace(tzinfo=found.tzinfo or dt.UTC)


def run_missing(options: argparse.Namespace) -> int:
    from rahdari.publish import envelope, restoring

    try:
        if options.list:
            with options.list.open("w", encoding="utf-8", newline="") as file:
                counts = _write(restoring.differences(), file)
        else:
            counts = _write(restoring.differences(), sys.stdout)
        disk = restoring.on_disk()
    except envelope.FeedUnusable as error:
        return fail(f"{error.path} cannot be used: {error.why}. docs/restore.md says how to go on.")
    except OSError as error:
        return fail(f"{error.filename} cannot be written: {error.strerror}.")
    for what, text in (
        ("lost", "are in force at operators and not in the database: enter them again"),
        ("changed", "were amended or renewed since the backup"),
        ("back", "had ended since the backup, and are there again"),
    ):
        print(f"{counts.get(what, 0):>8} entries {text}.", file=sys.stderr)
    for name in disk.unknown_repositories:
        print(f"The repository {name} belongs to an operator that was added since the backup.", file=sys.stderr)
    return 0


def _write(differences: Iterable[Any], file: TextIO) -> dict[str, int]:
    counts: dict[str, int] = {}
    rows = csv.writer(file)
    rows.writerow(COLUMNS)
    for each in differences:
        counts[each.what] = counts.get(each.what, 0) + 1
        said = each.on_disk or each.in_database
        rows.writerow(
            [
                each.what,
                each.role,
                said.id,
                said.prefix,
                said.protocol,
                "" if said.port is None else said.port,
                said.not_before,
                said.not_after,
                each.in_database.canonical.decode() if each.what == "changed" else "",
            ]
        )
    return counts


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def run_new_session(options: argparse.Namespace) -> int:
    from django.conf import settings
    from django.utils import timezone

    from rahdari.publish import envelope, restoring

    now = timezone.now()
    listed = Path(settings.DATA) / f"missing-{now:%Y%m%dT%H%M%SZ}.csv"
    try:
        if restoring.is_behind():
            # The last moment at which it can be made: afterwards the feed says what the database says.
            with open(listed, "w", encoding="utf-8", newline="", opener=_private) as file:
                try:
                    number = sum(_write(restoring.differences(), file).values())
                    print(f"What the database lacks is written in {listed}: {number} entries to look at.")
                except envelope.FeedUnusable as error:
                    # Who says how far the feed had come needs no file on disk for it.
                    if options.above is None:
                        raise
                    print(f"What the database lacks cannot be listed: {error}.")
        begun = restoring.open_new_sessions(now=now, above=options.above, restored_to=options.restored_to)
    except restoring.NotBehind:
        return fail(
            "The database knows all that was published, so no new session is needed. After a stolen feed key give "
            "--above N."
        )
    except restoring.SequenceTooLow as error:
        return fail(f"Agents may hold editions up to {error.above}: give --above {error.above} or more.")
    except envelope.FeedUnusable as error:
        return fail(f"{error.path} cannot be used: {error.why}. No session was begun.")
    except OSError as error:
        return fail(f"{error.filename} cannot be written: {error.strerror}. No session was begun.")
    for role, sequence in sorted(begun.items()):
        print(f"{role} begins again at edition {sequence} or above.")
    print("The publisher writes the snapshots and signs when it comes round; agents follow by themselves.")
    return 0
