"""`rahdari roster`: bring in the lists that the roster checks look numbers up in."""

import argparse
import csv
import itertools
import sys
from pathlib import Path
from typing import Any, TextIO

from rahdari.policy.shapes import ROSTERS

REASONS = {
    "not_text": "not UTF-8 text, a quote that does not close, or a line that is too long",
    "columns": "another number of columns than the first line",
    "no_number": "no number",
    "number_letters": "letters stand in the number, where figures belong (the letter O for 0?)",
    "number_length": "the number is too long or too short for this roster",
    "number_shape": "the number has not the shape of one of this roster",
    "no_name": "no name: a number without a name proves nobody",
    "name_too_long": "the name is longer than 300 characters",
    "status": "a status we do not know (active, or inactive, expired, suspended, cancelled)",
    "valid_until": "a day that is none (write 2026-12-31 or 31-12-2026)",
    "repeated": "the same row stands on line {other} already, and that one counts",
    "conflicting": "line {other} says something else of the same number, so neither counts: keep the right one",
    # Of rows that are in use.
    "look_alike": "a letter that looks like a figure stands in the number (O for 0, I or l for 1?); the row is in use",
    "email": "the email is no address; the row is in use without it",
    "mobile": "the mobile number is none of this country; the row is in use without it",
    "domain": "the domain is none (write example.com); the row is in use without it",
}
SHOWN = 20


def register(subparsers: Any) -> None:
    roster = subparsers.add_parser("roster", help="lists of companies, taxpayers and association members")
    acts = roster.add_subparsers(dest="act", required=True)
    bring = acts.add_parser(
        "import",
        help="replace a roster by a CSV file (number,name[,status][,valid_until][,email][,mobile][,domain])",
        description="Bad rows are counted, listed and left out; the rest replaces the roster in one step. If it is "
        "stopped, give the same file again: it goes on where it was. "
        "Numbers and domains are kept as keyed hashes, names, emails and mobile numbers encrypted.",
    )
    bring.add_argument("name", choices=ROSTERS)
    bring.add_argument("file", type=Path)
    bring.add_argument("--report", type=Path, help="where to list what is wrong (default: beside the file)")
    bring.set_defaults(run=run_import)
    shown = acts.add_parser("status", help="which rosters are in use, since when, with how many rows")
    shown.set_defaults(run=run_status)


def run_import(options: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import rosters

    target: Path = options.report or options.file.with_name(options.file.name + ".rejected.csv")
    draft = target.with_name(target.name + ".new")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("line", "reason"))
            report = rosters.import_roster(
                name=options.name,
                path=options.file,
                now=timezone.now(),
                actor="system:roster-import",
                on_finding=lambda line, reason, other: writer.writerow((line, REASONS[reason].format(other=other))),
                on_progress=_tell_progress,
            )
    except rosters.RosterUnusable as error:
        print(_why_unusable(error, options.name), file=sys.stderr)
        _list_all_bad(draft, target)
        return 1
    except OSError as error:
        print(f"The rejected rows cannot be listed in {draft}: {error.strerror}. Give --report.", file=sys.stderr)
        return 1
    if report.resumed_at:
        print(f"An import of this file had been stopped; it went on at line {report.resumed_at}.")
    remarked = f", {report.remarked} remarks about rows in use" if report.remarked else ""
    print(f"Roster {options.name}: {report.accepted} rows in use, {report.rejected_count} rejected{remarked}.")
    if not report.rejected_count + report.remarked:
        draft.unlink()
        return 0
    draft.replace(target)
    _print_first(target, report.rejected_count + report.remarked, sys.stdout)
    print(f"All of them are listed in {target}. Mend these rows and import the file again: it replaces the roster.")
    return 0


def _print_first(target: Path, count: int, out: TextIO) -> None:
    with target.open(encoding="utf-8", newline="") as file:
        listed = csv.reader(file)
        next(listed)
        for line, reason in itertools.islice(listed, SHOWN):
            print(f"  line {line}: {reason}", file=out)
    if count > SHOWN:
        print(f"  and {count - SHOWN} more", file=out)


def _tell_progress(lines: int, share: float) -> None:
    print(f"  {share:4.0%}  {lines:,} lines", file=sys.stderr)


def _list_all_bad(draft: Path, target: Path) -> None:
    """A file of which nothing could be used: its first bad rows, and where the others are listed."""
    with draft.open(encoding="utf-8", newline="") as file:
        count = sum(1 for _ in csv.reader(file)) - 1
    if not count:
        draft.unlink()
        return
    draft.replace(target)
    _print_first(target, count, sys.stderr)
    print(f"All {count} of them are listed in {target}.", file=sys.stderr)


def run_status(options: argparse.Namespace) -> int:
    from . import queries

    in_use = {roster.name: roster for roster in queries.rosters_in_use()}
    for name in ROSTERS:
        roster = in_use.get(name)
        if roster is None:
            print(f"{name}: none; its checks go to an officer. Import one: rahdari roster import {name} FILE")
        else:
            print(f"{name}: {roster.accepted} rows, imported {roster.imported_at:%Y-%m-%d %H:%M} UTC")
    return 0


def _why_unusable(error: Any, name: str) -> str:
    kept = f"The roster {name} in use stays as it is."
    if error.reason == "missing":
        return f"{error.path} cannot be read. {kept}"
    if error.reason == "header":
        found = ", ".join(error.columns) or "nothing"
        return (
            f"The first line of {error.path} must name the columns number and name (and may name status, "
            f"valid_until, email, mobile and domain); it names: {found}. Save the file as CSV with commas, in UTF-8. "
            f"{kept}"
        )
    return f"{error.path} has no row that can be used. {kept}"
