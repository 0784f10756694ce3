"""`rahdari demo`: all of `rahdari up`, with made-up data, three sample operators, and accounts to sign in with."""

import json
from pathlib import Path

from rahdari.up import datafolder, processes
from rahdari.up.start import Start, start


def run(*, data: Path, host: str, port: int, reset: bool) -> int:
    if reset:
        # Looked at first: a demonstration that cannot be started is not removed either.
        processes.check_port(host, port)
        processes.check_port(host, port + 1)
        datafolder.reset(data)
    return start(
        Start(datafolder.DEMO, data, host, port, tell=welcome, prepare=["--sample-data"]),
    )


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
