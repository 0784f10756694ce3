"""`rahdari agent run`: follow the feed until stopped."""

import argparse
import logging
import time

from ..configuration import load
from .acts import Acts, act


def add(acts: Acts) -> None:
    act(acts, "run", "follow the feed until stopped", run_agent)


def run_agent(arguments: argparse.Namespace) -> int:
    from ..following import follow

    handler = logging.StreamHandler()
    formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    log = logging.getLogger("rahdari.agent")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return follow(load(arguments.config))
