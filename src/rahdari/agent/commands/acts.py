"""What every act of `rahdari agent` shares: its parser, its way to say what is wrong, its clock."""

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable
from pathlib import Path

from ..configuration import DEFAULT_FILE
from ..faults import AgentFault, Exit

type Acts = argparse._SubParsersAction[argparse.ArgumentParser]


class NotUnderstood(AgentFault):
    exit = Exit.USAGE


def act(
    acts: Acts, name: str, help: str, function: Callable[[argparse.Namespace], int], *, file: Path = DEFAULT_FILE
) -> argparse.ArgumentParser:
    """An act that reads the configuration. What it raises is told in words, and in JSON where that was asked for."""
    parser = acts.add_parser(name, help=help)
    parser.add_argument("--config", type=Path, default=file, metavar="FILE", help=f"({file})")

    def told(arguments: argparse.Namespace) -> int:
        try:
            return function(arguments)
        except AgentFault as fault:
            if getattr(arguments, "json", False) is True:
                print(json.dumps({"ok": False, "faults": [as_json(fault)]}))
            print_fault(fault)
            return int(fault.exit)

    parser.set_defaults(run=told)
    return parser


def print_fault(fault: AgentFault) -> None:
    print(f"{fault.what}\n  {fault.mend}", file=sys.stderr)


def as_json(fault: AgentFault) -> dict[str, str]:
    return {"name": fault.name, "what": fault.what, "mend": fault.mend}


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
