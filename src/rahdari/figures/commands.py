"""`rahdari figures verify`, `correct` and `report`: for whoever keeps the register."""

import argparse
import datetime as dt
import sys
from pathlib import Path

ACTOR = "system:figures"


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("figures", help="figures that anybody can recompute")
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    verify = acts.add_parser(
        "verify",
        help="recompute a published month from the database, and explain every difference",
        description="Exit code 0: the month comes out as it was published; 1: not, and every difference is explained; "
        "3: a difference is not explained, or the month was not published.",
    )
    verify.add_argument("month", type=_month, help="like 2026-10")
    verify.set_defaults(run=run_verify)
    correct = acts.add_parser("correct", help="publish a correction beside a month that was wrong")
    correct.add_argument("month", type=_month, help="like 2026-10")
    correct.add_argument("--why", required=True, help="the reason, in English: everybody reads it")
    correct.add_argument("--why-ur", required=True, help="the same in Urdu")
    correct.set_defaults(run=run_correct)
    report = acts.add_parser("report", help="write the report of a year as one PDF in both languages")
    report.add_argument("year", type=int)
    report.add_argument("--to", type=Path, metavar="FILE", help="default: figures-YEAR.pdf")
    report.set_defaults(run=run_report)
    acts.add_parser("check", help="recompute what the published files alone allow (needs no register)")


def _month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise argparse.ArgumentTypeError("write a month like 2026-10") from None


def run_verify(arguments: argparse.Namespace) -> int:
    from . import queries, verifying
    from .actions import PartsChanged

    month = queries.month(arguments.month)
    if month is None:
        print(f"{arguments.month:%Y-%m} was not published.")
        return verifying.Exit.UNEXPLAINED
    try:
        found = list(verifying.differences(month))
    except PartsChanged as error:
        print(f"{error}: it cannot be counted like that any more.")
        return verifying.Exit.EXPLAINED
    for each in found:
        said, now = (_said(row.value, row.mark) if row else "not told" for row in (each.published, each.now))
        print(f"{each.published.figure} {each.published.part} {each.published.measure}: published {said}, now {now}")
        for reason in each.why or ("nothing explains it",):
            print(f"  {reason}")
    for edition in (each for each in month.editions if each.why_en):
        print(f"Edition {edition.number}, {edition.at:%Y-%m-%d}: {edition.why_en}")
    outcome = verifying.outcome(found)
    print(f"{len(month.standing)} cells of {month.name}: {_OUTCOME[outcome.name]}")
    print("There is no public log of the register yet, so the month is recomputed from the database alone.")
    return outcome


_OUTCOME = {
    "SAME": "all come out as they were published.",
    "EXPLAINED": "every difference is explained.",
    "UNEXPLAINED": "a difference is not explained.",
}


def _said(value: int | None, mark: str) -> str:
    return str(value) if value is not None else {"few": "fewer than 8", "withheld": "withheld"}[mark]


def run_correct(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import actions
    from .definitions import Words

    try:
        made = actions.correct(
            month=arguments.month, why=Words(arguments.why, arguments.why_ur), now=timezone.now(), actor=ACTOR
        )
    except (actions.NotPublished, actions.PartsChanged) as error:
        print(error, file=sys.stderr)
        return 1
    if made is None:
        print("Nothing that is published would change: no correction is needed.")
        return 0
    print(f"Published edition {made.edition} of {made.month:%Y-%m}, with its reason, beside the first.")
    return 0


def run_report(arguments: argparse.Namespace) -> int:
    from . import queries
    from .report import render

    months = queries.months(since=dt.date(arguments.year, 1, 1), until=dt.date(arguments.year, 12, 1))
    if not months:
        print(f"No month of {arguments.year} was published.", file=sys.stderr)
        return 1
    path = arguments.to or Path(f"figures-{arguments.year}.pdf")
    path.write_bytes(render(arguments.year, months))
    print(f"Wrote {path}: {len(months)} months of {arguments.year}.")
    return 0
