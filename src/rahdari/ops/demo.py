"""`rahdari demo`: all of `rahdari up`, with made-up data, three sample operators, two vantages, and ready accounts."""

import json
from collections.abc import Sequence
from pathlib import Path

from rahdari import optional
from rahdari.feed import TERMS
from rahdari.ops import datafolder, processes
from rahdari.ops.processes import Child
from rahdari.ops.start import Start, start

# The sample operators, by their short names; `seed` enters them.
OPERATORS = ("sample-fibre", "example-broadband", "placeholder-net")
# This one answers about mobile numbers by itself; for the others somebody sits at the operator's page.
ANSWERS_BY_ITSELF = "placeholder-net"


def run(*, data: Path, host: str, port: int, reset: bool, policy: str | None = None) -> int:
    if reset:
        # Looked at first: a demonstration that cannot be started is not removed either.
        for each in (port, port + 1, port + 2):
            processes.check_port(host, each)
        datafolder.reset(data)
    return start(
        Start(
            datafolder.DEMO,
            data,
            host,
            port,
            prepare=["--sample-data", *(["--policy", policy] if policy else [])],
            before=agents_to_set_up,
            beside=agents,
            tell=welcome,
        )
    )


def folder_of(given: Start, slug: str) -> Path:
    """Where the agent of a sample operator keeps everything: it stands for a machine of that operator."""
    return given.data / "agents" / slug


def agents_to_set_up(given: Start) -> Sequence[Child]:
    """`rahdari agent init` for each operator, unless it has been done for the addresses that we serve on now."""
    children = []
    for slug in OPERATORS:
        folder = folder_of(given, slug)
        configuration = folder / "agent.toml"
        wanted = (f'"{given.feed_url}"', f'"{given.url}/feed/receipt"')
        if configuration.exists() and all(text in configuration.read_text() for text in wanted):
            continue
        options = ["--config", configuration, "--state", folder / "state", "--token-file", folder / "token"]
        options += ["--server", given.feed_url, "--receipt-url", f"{given.url}/feed/receipt", "--insecure-http"]
        options += ["--root", given.data / "feed" / "metadata" / "1.root.json", "--replace"]
        options += ["--json", folder / "entries.json", "--csv", folder / "entries.csv", "--accept-terms", TERMS]
        children.append(given.child(slug, "agent", "init", *map(str, options)))
    return children


def agents(given: Start) -> Sequence[Child]:
    """One agent for each sample operator, as it would run on a machine of that operator's, and two vantages."""
    children = []
    for slug in OPERATORS:
        configuration = str(folder_of(given, slug) / "agent.toml")
        children.append(given.child(slug, "agent", "run", "--config", configuration, late=True))
    key = str(folder_of(given, ANSWERS_BY_ITSELF) / "answers.key")
    asked = ["--base", given.url, "--key-file", key, "--data", str(given.data)]
    for name, settings in optional.ask(__package__, "vantages_of_demo", given.data) or ():
        children.append(given.child(name, "vantage", "run", "--config", str(settings), late=True))
    children.append(given.child("sample-answers", *asked, late=True, module="rahdari.ops.sample_operator"))
    return children


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
            f"  Without a code: {given.url}/demo/sign-in/  What to type: docs/demo.md.",
            "",
            *lines,
            "",
            f"  The signed feed is at {given.feed_url}. Ctrl-C stops everything; the data is kept.",
            rule,
            "",
        ]
    )
