"""One sync of a real agent in a process of its own, to see what it takes: `python -m bench.one_sync`, JSON in and out.

Seconds count from a Python that has all modules loaded. What is fetched and verified, what it takes to index it, and
what the targets take stand apart; `peak MiB` is the most memory the process ever had.
"""

import datetime as dt
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rahdari.agent import folder
from rahdari.agent.configuration import Configuration
from rahdari.agent.syncing import Agent
from rahdari.agent.targets_configuration import NftTarget, file_target


def main() -> None:
    given = json.load(sys.stdin)
    state = Path(given["state"])
    targets: list[Any] = []
    for kind, where in given.get("targets", {}).items():
        targets.append(
            NftTarget(name=kind, netns=where) if kind == "nftables" else file_target(kind, kind, Path(where))
        )
    configuration = Configuration(
        server=given["server"],
        receipt_url=given["receipt_url"],
        token_file=Path(given["token_file"]),
        root=Path(given["root"]),
        root_sha256=given["root_sha256"],
        state=state,
        targets=tuple(targets),
    )
    loaded = peak_mib()
    began, used = time.monotonic(), processor()
    folder.create(state)
    with folder.open_state(state) as opened:
        agent = Agent(configuration, opened)
        fetched, applied, used_to_apply = [0.0], [0.0], [0.0]
        fetch, apply = agent.walker.fetch, agent.targets.apply

        @contextmanager
        def timed_fetch(*words: Any) -> Iterator[Any]:
            at = time.monotonic()
            with fetch(*words) as body:
                fetched[0] += time.monotonic() - at
                yield body

        def timed_apply(**facts: Any) -> Any:
            at, at_used = time.monotonic(), processor()
            try:
                return apply(**facts)
            finally:
                applied[0] += time.monotonic() - at
                used_to_apply[0] += processor() - at_used

        agent.walker.fetch = timed_fetch  # type: ignore[method-assign]
        agent.targets.apply = timed_apply  # type: ignore[method-assign]
        outcome = agent.sync(now=dt.datetime.now(dt.UTC), ask=given.get("ask", True))
        whole = time.monotonic() - began
        position = outcome.position
        told = {
            "entries": position.entries if position else 0,
            "sequence": position.sequence if position else None,
            "files": outcome.files,
            "requests": agent.server.requests,
            "bytes": agent.server.received,
            "seconds": whole,
            "fetch s": fetched[0],
            "apply s": applied[0],
            "catch up s": outcome.seconds - applied[0],
            "catch up cpu s": processor() - used - used_to_apply[0],
            "apply cpu s": used_to_apply[0],
            "loaded": outcome.applied.loaded,
            "peak MiB": peak_mib(),
            "before MiB": loaded,
            "faults": [fault.what for fault in outcome.faults],
        }
        agent.close()
    print(json.dumps(told))


def processor() -> float:
    """Seconds of this process and of those it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    main()
