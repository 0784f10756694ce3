"""`rahdari providers`: judge a list of licensed providers, and bring it in."""

import argparse
import sys
from pathlib import Path


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser("providers", help="the public register of licensed providers")
    acts = parser.add_subparsers(dest="act", required=True)
    bring = acts.add_parser(
        "import",
        help="bring in a list (docs/licensees.md), all of it or nothing",
        description="Exit code 0: it is in force, or was before; 1: nothing was taken in, and why.",
    )
    bring.add_argument("file", type=Path)
    bring.add_argument("--name", required=True, metavar="'NAME, OFFICE'", help="who brings it in; public")
    bring.add_argument(
        "--second", default="", metavar="'NAME, OFFICE'", help="who agrees, where a provider ends; public"
    )
    bring.set_defaults(run=run_import)


def run_import(arguments: argparse.Namespace) -> int:
    from django.utils import timezone

    from rahdari import policy

    from . import actions

    path: Path = arguments.file
    try:
        text = path.read_text(encoding="utf-8")
        made = actions.import_list(text=text, names=(arguments.name, arguments.second), now=timezone.now())
    except (OSError, UnicodeDecodeError) as error:
        print(f"{path}: cannot be read as UTF-8 text ({type(error).__name__}).", file=sys.stderr)
        return 1
    except policy.PolicyError as error:
        for problem in error.problems:
            print(f"{path}, {str(problem)[0].lower()}{str(problem)[1:]}", file=sys.stderr)
        print("Nothing was taken in: the list in force stays in force.", file=sys.stderr)
        return 1
    if made is None:
        print("The list in force says the same: nothing was changed.")
        return 0
    print(f"In force now: list {made.number}, of {made.as_of}, digest {made.digest[:16]}.")
    return 0
