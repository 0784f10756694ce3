"""`rahdari agent ruleset`: the nftables sets that are filled, with rules that mark packets."""

import argparse

from ..configuration import DEFAULT_TABLE
from ..faults import Exit
from ..ruleset import ruleset
from .acts import Acts


def add(acts: Acts) -> None:
    rules = acts.add_parser("ruleset", help="print the nftables sets that are filled, with rules that mark packets")
    rules.add_argument("--table", default=DEFAULT_TABLE, metavar="TABLE", help=f'("{DEFAULT_TABLE}")')
    rules.set_defaults(run=print_ruleset)


def print_ruleset(arguments: argparse.Namespace) -> int:
    print(ruleset(" ".join(arguments.table.split())), end="")
    return Exit.OK
