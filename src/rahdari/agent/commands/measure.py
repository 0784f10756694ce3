"""`rahdari agent watch`: say whether the own server runs and whether this network has a way out, for a holder whose
endpoint is measured."""

import argparse
import time

from ..faults import AgentFault, Exit
from ..own_endpoint import DEFAULT_FILE, Looker, read_settings
from .acts import Acts, act, print_fault


def add(acts: Acts) -> None:
    words = "look whether the own server answers, and tell the register"
    watch = act(acts, "watch", words, run, file=DEFAULT_FILE)
    watch.add_argument("--once", action="store_true", help="look once and end; the exit code says how it went")


def run(arguments: argparse.Namespace) -> int:
    looker = Looker(read_settings(arguments.config))
    if arguments.once:
        _look(looker)
        return Exit.OK
    while True:
        try:
            _look(looker)
        except AgentFault as fault:
            if fault.exit in {Exit.USAGE, Exit.UNTRUSTED}:
                raise
            print_fault(fault)
        time.sleep(looker.every)


def _look(looker: Looker) -> None:
    said = looker.look()
    heard = "heard" if said.heard else "too late"
    print(f"endpoint {said.outcome}, way out {said.control}, {heard}", flush=True)
