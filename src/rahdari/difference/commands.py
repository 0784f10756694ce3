"""`rahdari difference draw|measure|judge`."""

import argparse
import csv
import datetime as dt
import json
import sys
import threading
from pathlib import Path
from typing import Any

from .judging import RULES_VERSION, Judged, Needed, judge, tallies
from .measuring import append, asking, one_round, read
from .plan import Plan, PlanUnusable, draw, drawn, load, not_in_the_open_net
from .result import COLUMNS

MINUTE = 60.0


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "difference", help="Measure with servers of your own whether registered endpoints are treated unlike others."
    )
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)

    drawing = acts.add_parser("draw", help="Say by a coin which address of each pair is to be registered.")
    drawing.add_argument("plan", type=Path)
    drawing.set_defaults(run=run_draw)

    measuring = acts.add_parser("measure", help="Ask both addresses of each pair once a minute, from one place.")
    measuring.add_argument("plan", type=Path)
    measuring.add_argument("--place", required=True, help="which [[place]] of the plan this machine is")
    measuring.add_argument("--out", type=Path, required=True, help="a file; rows are added to it")
    measuring.add_argument("--key", type=Path, help="this place's WireGuard key, a peer of each server")
    measuring.add_argument("--rounds", type=int, help="so many minutes; without it until ended")
    measuring.set_defaults(run=run_measure)

    judging = acts.add_parser("judge", help="What the files of all places come to, by protocol and week.")
    judging.add_argument("plan", type=Path)
    judging.add_argument("files", type=Path, nargs="+", metavar="FILE")
    judging.add_argument("--format", choices=["text", "json", "csv"], default="text")
    judging.set_defaults(run=run_judge)


def run_draw(arguments: argparse.Namespace) -> int:
    try:
        plan = load(arguments.plan)
        sides = draw(plan)
    except (PlanUnusable, OSError) as error:
        return _failed(error)
    print("Register these, and none of the others:")
    for name, pair in plan.pairs.items():
        print(f"  {name:<10} {pair.a if sides[name] == 'a' else pair.b}")
    return 0


def run_measure(arguments: argparse.Namespace) -> int:
    try:
        plan = load(arguments.plan)
        ask = asking(_key(plan, arguments.key))
        if arguments.place not in plan.places:
            raise PlanUnusable(plan.path, f"it has no place {arguments.place}. There are: {', '.join(plan.places)}.")
        if closed := not_in_the_open_net(plan):
            raise PlanUnusable(plan.path, f"{closed[0]} is not an address of the open net.")
        with arguments.out.open("ab"):
            pass
    except (PlanUnusable, OSError) as error:
        return _failed(error)
    return measure(plan, arguments.place, arguments.out, ask, rounds=arguments.rounds, ended=threading.Event())


def measure(plan: Plan, place: str, out: Path, ask: Any, *, rounds: int | None, ended: threading.Event) -> int:
    """A round each minute, at its beginning, until `rounds` are done, or `ended` is set, or the keyboard says so."""
    done = 0
    try:
        while rounds is None or done < rounds:
            now = dt.datetime.now(dt.UTC)
            if done and ended.wait(MINUTE - (now.timestamp() % MINUTE)):
                break
            minute = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
            append(out, one_round(plan, place=place, minute=minute, ask=ask))
            done += 1
    except KeyboardInterrupt:
        pass
    print(f"{done} rounds in {out}.")
    return 0


def run_judge(arguments: argparse.Namespace) -> int:
    try:
        plan = load(arguments.plan)
        registered = drawn(plan)
        if not registered:
            raise PlanUnusable(plan.path, "nothing is drawn yet. Run `rahdari difference draw` first.")
        found = tallies(plan, registered, (row for path in arguments.files for row in read(path)))
    except (PlanUnusable, OSError, UnicodeDecodeError) as error:
        return _failed(error)
    rows = [_row(week, protocol, judge(found[week, protocol])) for week, protocol in sorted(found)]
    if arguments.format == "json":
        print(json.dumps({"rules_version": RULES_VERSION, "weeks": rows}, indent=1))
    elif arguments.format == "csv":
        out = csv.DictWriter(sys.stdout, COLUMNS)
        out.writeheader()
        out.writerows(rows)
    else:
        for row in rows:
            number = f"fewer than {Needed().pairs} pairs count"
            if row["chance"] is not None:
                number = f"{row['difference_percent']:+.2f} % of minutes, chance {row['chance']:.1g}"
            print(
                f"{row['week']}  {row['protocol']:<10} {row['finding'].replace('_', ' '):<14} "
                f"{number}, "
                f"{row['pairs']} pairs, {row['networks']} networks, {row['minutes']} minutes"
            )
        if not rows:
            print("No minute counts: in none did a place outside see both addresses of a pair answer.", file=sys.stderr)
    return 0


def _row(week: str, protocol: str, judged: Judged) -> dict[str, Any]:
    """What may be published: nothing that says which network, place, pair or address. Where too few pairs count, the
    difference and its chance are empty."""
    return {
        "week": week,
        "protocol": protocol,
        "finding": judged.finding.value,
        "difference_percent": judged.difference / 10 if judged.difference is not None else None,
        "chance": judged.chance,
        "pairs": judged.pairs,
        "networks": judged.networks,
        "minutes": judged.minutes,
    }


def _key(plan: Plan, path: Path | None) -> str:
    if not plan.needs_key:
        return ""
    if path is None:
        raise PlanUnusable(plan.path, "it asks WireGuard. Make a key with `wg genkey`, and give its file with --key.")
    return path.read_text().strip()


def _failed(error: Exception) -> int:
    print(error, file=sys.stderr)
    return 2
