"""`rahdari policy replay FILE`: who would have fared otherwise under a draft. Nothing is decided again or written."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from rahdari.policy import Policy, PolicyError, load
from rahdari.policy.commands import file_or_shipped

if TYPE_CHECKING:
    from .replay import Moved, Replay

# Cases that are listed one by one; --json lists all.
SHOWN = 50


def register(subparsers: Any) -> None:
    parser = subparsers.add_parser("policy", help="check a policy file, or bring one into force")
    acts = parser.add_subparsers(dest="act", required=True)
    replay = acts.add_parser(
        "replay",
        help="run past cases through a draft policy",
        description="The cases that were decided in the last year are assessed under the draft, on the checks on "
        "record. Nothing is decided again, nobody is told, and the database refuses any write.",
    )
    replay.add_argument("file", type=file_or_shipped, help="the draft")
    replay.add_argument("--limit", type=_positive, metavar="N", help="the last N decided cases, however old")
    replay.add_argument("--json", action="store_true", help="all of it, for a program")
    replay.set_defaults(run=run_replay)


def _positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return number


def run_replay(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from . import replay

    try:
        draft = load(arguments.file)
    except PolicyError as error:
        for problem in error.problems:
            print(f"{arguments.file}, {str(problem)[0].lower()}{str(problem)[1:]}", file=sys.stderr)
        return 1
    found = replay.replay(draft, now=timezone.now(), limit=arguments.limit)
    print(json.dumps(as_json(found, draft), ensure_ascii=False) if arguments.json else "\n".join(lines(found, draft)))
    return 0


def as_json(found: "Replay", draft: Policy) -> dict[str, Any]:
    return {
        "policy": {"version": draft.version, "digest": draft.digest},
        "cases": found.cases,
        "same": found.same,
        "not_reproduced": found.unknown,
        "numbers": [
            {"was": was, "outcome": outcome, "would_be": would_be, "because": list(because), "count": count}
            for (was, outcome, would_be, because), count in found.numbers().items()
        ],
        "moved": [
            {
                "reference": each.reference,
                "service": each.service,
                "at": each.at.isoformat(),
                "was": each.was,
                "outcome": each.outcome,
                "would_be": each.would_be,
                "because": list(each.because),
                "worse": each.is_worse,
            }
            for each in found.in_order()
        ],
    }


def lines(found: "Replay", draft: Policy) -> list[str]:
    moved = found.in_order()
    worse = sum(each.is_worse for each in moved)
    told = [
        f"Draft {draft.version}, digest {draft.digest[:16]}: {found.cases:,} decided cases. "
        "Nothing was decided again, and nobody was told.",
        f"The same: {found.same:,}. Another way: {len(moved):,}, of them worse for the applicant: {worse:,}.",
    ]
    if found.unknown:
        told.append(
            f"Left out: {found.unknown:,}. What happened to them does not follow from the checks on record any more."
        )
    for (was, outcome, would_be, because), count in found.numbers().items():
        told.append(f"{count:>9,}  {_was(was, outcome)} -> {would_be}{_of(because)}")
    if moved:
        told.append("Cases, worse for the applicant first:")
    told += [f"  {each.reference}  {each.at:%Y-%m-%d}  {each.service}: {_way(each)}" for each in moved[:SHOWN]]
    if len(moved) > SHOWN:
        told.append(f"  and {len(moved) - SHOWN:,} more; --json lists all.")
    return told


def _was(was: str, outcome: str) -> str:
    """Of a case that an officer had, what the officer decided."""
    return f"{was} ({outcome})" if was == "to an officer" else was


def _way(each: "Moved") -> str:
    return f"{_was(each.was, each.outcome)} -> {each.would_be}{_of(each.because)}"


def _of(because: tuple[str, ...]) -> str:
    return f": {', '.join(because)}" if because else ""
