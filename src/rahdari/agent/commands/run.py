"""`rahdari agent run`: follow the feed until stopped."""

import argparse
import logging
import time

from ..configuration import load
from .acts import Acts, act


def add(acts: Acts) -> None:
    run = act(acts, "run", "follow the feed until stopped", run_agent)
    run.add_argument("--dry-run", action="store_true", help="say what each edition would change, and change nothing")


def run_agent(arguments: argparse.Namespace) -> int:
    from ..following import follow, rehearse

    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log = logging.getLogger("rahdari.agent")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return (rehearse if arguments.dry_run else follow)(load(arguments.config))
