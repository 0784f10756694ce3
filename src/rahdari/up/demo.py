"""`rahdari demo`: everything of `rahdari up`, with made-up data, three sample operators, and accounts to sign in with."""

import json
from collections.abc import Sequence
from pathlib import Path

from rahdari.up import datafolder, processes
from rahdari.up.processes import Child
from rahdari.up.start import Start, start

AGENTS = ("sample-fibre", "example-broadband", "placeholder-net")


def run(*, data: Path, host: str, port: int, reset: bool) -> int:
    if reset:
        # Looked at first: a demonstration that cannot be started is not removed either.
        processes.check_port(host, port)
        processes.check_port(host, port + 1)
        datafolder.reset(data)
    return start(
        Start(datafolder.DEMO, data, host, port, beside=agents, tell=welcome, prepare=["--sample-data"]),
    )


def agents(given: Start) -> Sequence[Child]:
    """One agent for each sample operator, as it would run on that operator's machine."""
    return [agent(given, slug) for slug in AGENTS]


def welcome(given: Start) -> str:
    accounts = json.loads((given.data / "accounts.json").read_text())
    width = max(len(account["email"]) for account in accounts)
    lines = [f"    {account['email']:<{width}}  {account['says']}" for account in accounts]
    rule = "-" * 78
    return "\n".join(
        [
            "",
            rule,
            f"  Rahdari's demonstration is ready:  {given.url}",
            "",
            "  Sign in with one of these addresses, or any other; the code that is mailed",
            f"  appears here, and as a file in {given.data / 'mail'}.",
            "",
            *lines,
            "",
            f"  The signed feed is at {given.feed_url}. Ctrl-C stops everything; the data is kept.",
            rule,
            "",
        ]
    )
