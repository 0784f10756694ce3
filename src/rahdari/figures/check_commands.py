"""`rahdari figures check FOLDER`: what a stranger can recompute, with neither register nor database."""

import argparse
from pathlib import Path


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("figures", help="figures that anybody can recompute")
    check = parser.add_subparsers(dest="act", required=True).add_parser(
        "check",
        help="recompute what the published files alone allow",
        description="Put figures.csv, editions.csv, definitions.csv and datapackage.json from the page of figures into "
        "one folder. Totals and shares are recomputed, and it is tried to work out each number that is not told. "
        "Whether the numbers are those of the register, the files cannot say. Exit code 0: all comes out; 1: not.",
    )
    check.add_argument("folder", type=Path)
    check.set_defaults(run=run_check)


def run_check(arguments: argparse.Namespace) -> int:
    from .checking import Unreadable, check

    try:
        found = check(arguments.folder)
    except Unreadable as error:
        print(error)
        return 1
    for problem in found.problems:
        print(problem)
    print(f"{found.months} months, {found.editions} editions, {found.cells} cells: ", end="")
    print("totals and shares come out, and no small number can be worked out" if not found.problems else "see above")
    return 1 if found.problems else 0
