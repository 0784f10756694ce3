"""Many agents in one process: real `rahdari.agent` agents with a state folder each, each in threads of its own.

`python -m bench.agents` reads one line of JSON, {"way", "role", "agents": [..]}, says `ready` once all of them are in
step, and from then on one line for each edition that an agent has taken: its name, how many entries the edition has,
when the state was committed, and when the targets had it. A line `clock SECONDS` sets their clocks ahead of the
machine's. It ends with its input.
"""

import datetime as dt
import json
import sys
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tuf.ngclient._internal import trusted_metadata_set

from rahdari.agent import folder, following
from rahdari.agent.configuration import Configuration, NftTarget
from rahdari.agent.inbox import Inbox
from rahdari.agent.listening import Listener
from rahdari.agent.state import AgentState
from rahdari.agent.syncing import Agent
from rahdari.agent.transport import Server
from rahdari.feed import TERMS

OUT = threading.Lock()


class ByLongPoll(Listener):
    """As where no stream passes."""

    def run(self) -> None:
        while not self._stopped.is_set():
            self._long_polls(3600)


class Timed(Agent):
    """Says when the state was committed: what is applied is what was committed just before."""

    def __init__(self, configuration: Configuration, state: AgentState, name: str, role: str) -> None:
        super().__init__(configuration, state)
        self._bench_name, self._bench_role, self._bench_told = name, role, -1
        apply = self.targets.apply

        def timed(**facts: Any) -> Any:
            committed = time.time_ns()
            try:
                return apply(**facts)
            finally:
                self._say_edition(committed, time.time_ns())

        self.targets.apply = timed  # type: ignore[method-assign]

    def _say_edition(self, committed: int, applied: int) -> None:
        position = self.state.position(self._bench_role)
        if position is not None and position.sequence != self._bench_told:
            self._bench_told = position.sequence
            say(f"{self._bench_name} {position.entries} {committed} {applied}")


def say(line: str) -> None:
    with OUT:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def follow(given: dict[str, Any], way: str, role: str, in_step: threading.Semaphore) -> None:
    state = Path(given["state"])
    targets = ()
    if given.get("netns"):
        targets = (NftTarget(name="rahdari", netns=given["netns"]),)
    configuration = Configuration(
        server=given["server"],
        receipt_url=given["receipt_url"],
        token_file=Path(given["token_file"]),
        root=Path(given["root"]),
        root_sha256=given["root_sha256"],
        terms=TERMS,
        state=state,
        targets=targets,
    )
    folder.create(state)
    with folder.sole_agent(state), folder.open_state(state) as opened:
        agent = Timed(configuration, opened, given["name"], role)
        inbox, stopping = Inbox(), threading.Event()
        if way != "poll":
            kind = Listener if way == "stream" else ByLongPoll
            kind(Server(configuration), f"{configuration.server}/feed", inbox).start()
        waiting = [True]

        def told(outcome: Any, word: Any) -> None:
            for fault in outcome.faults:
                say(f"fault {given['name']} {fault.what}")
            if waiting and agent.state.position(role) is not None:
                waiting.pop()
                in_step.release()

        following._loop(agent, inbox, stopping, told)


def main() -> None:
    sys.setswitchinterval(0.001)
    given = json.loads(sys.stdin.readline())
    in_step = threading.Semaphore(0)
    run = partial(follow, way=given["way"], role=given["role"], in_step=in_step)
    for each in given["agents"]:
        threading.Thread(target=run, args=(each,), daemon=True).start()
    for _ in given["agents"]:
        in_step.acquire()
    say("ready")
    for line in sys.stdin:
        set_clocks(int(line.removeprefix("clock ")))


def set_clocks(ahead: int) -> None:
    """That of the agent, and the one that python-tuf asks when it looks at expiry."""

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:  # type: ignore[override]
            return dt.datetime.now(tz) + dt.timedelta(seconds=ahead)

    following._now = lambda: Clock.now(dt.UTC)
    trusted_metadata_set.datetime = SimpleNamespace(datetime=Clock, timezone=dt.timezone)


if __name__ == "__main__":
    main()
