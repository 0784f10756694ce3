"""Following the feed: sync at once when the server tells of an edition, each minute in any case, and when a term ends.

A look at what really stands at the targets comes at the start and on a timer. After a failure the next try comes soon
and then ever later, up to a minute; an event that was refused does not bring the next one nearer.
"""

import datetime as dt
import logging
import queue
import random
import signal
import threading
import time
from contextlib import suppress

from .configuration import Configuration
from .events import Listener, News
from .faults import AgentFault, Exit
from .folder import open_state, sole_agent
from .syncing import Agent, Outcome
from .transport import Server

log = logging.getLogger("rahdari.agent")

RETRY_SECONDS = (1.0, 60.0)
# Between two looks that events asked for: a flood of them costs no more than this.
LEAST_SECONDS = 0.02


def follow(configuration: Configuration) -> Exit:
    """Until TERM or INT. Returns OK then; raises AgentFault when it cannot begin."""
    news: queue.SimpleQueue[News | None] = queue.SimpleQueue()
    stopping = threading.Event()

    def stop(number: int, frame: object) -> None:
        stopping.set()
        news.put(None)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with sole_agent(configuration.state), open_state(configuration.state) as state:
        agent = Agent(configuration, state)
        # A connection of its own: it stands open for as long as the process lives.
        listener = Listener(Server(configuration), f"{configuration.server}/feed/events", news)
        listener.start()
        try:
            _loop(agent, news, stopping)
        finally:
            listener.stop()
            agent.close()
    log.info("stopped; what was applied stays enforced")
    return Exit.OK


def _loop(agent: Agent, news: "queue.SimpleQueue[News | None]", stopping: threading.Event) -> None:
    check_every = agent.configuration.check_seconds
    looked_at, told, retry = float("-inf"), "", RETRY_SECONDS[0]
    timestamp: bytes | None = None
    while not stopping.is_set():
        look = time.monotonic() - looked_at >= check_every
        outcome = agent.sync(now=dt.datetime.now(dt.UTC), timestamp=timestamp, look=look)
        looked_at = time.monotonic() if look else looked_at
        told = _tell(outcome, told)
        if outcome.exit in {Exit.OK, Exit.ALARM}:
            wait, retry = _quiet(agent, outcome), RETRY_SECONDS[0]
        else:
            wait, retry = retry * random.uniform(0.5, 1.0), min(retry * 2, RETRY_SECONDS[1])  # noqa: S311 - spreads load
            looked_at = float("-inf") if Exit.NOT_APPLIED in {fault.exit for fault in outcome.faults} else looked_at
        if outcome.refused:
            # Whoever sent what was refused may send more: not before the pause is over.
            stopping.wait(wait)
            wait = 0.0
        else:
            stopping.wait(LEAST_SECONDS)
        timestamp = _next(news, wait)


def _quiet(agent: Agent, outcome: Outcome) -> float:
    """Seconds until there is something to do though nothing comes."""
    wait = agent.configuration.poll_seconds * random.uniform(1.0, 1.2)  # noqa: S311 - spreads load
    now = dt.datetime.now(dt.UTC)
    with suppress(AgentFault):
        change = agent.state.next_change(now=now)
        if change is not None:
            wait = min(wait, max((change - now).total_seconds(), 0.0) + LEAST_SECONDS)
    return wait


def _next(news: "queue.SimpleQueue[News | None]", wait: float) -> bytes | None:
    """The newest of what has come, waiting for the first of it."""
    try:
        item = news.get(timeout=wait) if wait > 0 else news.get_nowait()
        while True:
            with suppress(queue.Empty):
                item = news.get_nowait()
                continue
            return item.timestamp if item else None
    except queue.Empty:
        return None


def _tell(outcome: Outcome, told: str) -> str:
    """One line for what changed; what is wrong once, not each minute. Returns what is wrong now."""
    position = outcome.position
    if position is not None and outcome.applied.targets:
        names = ", ".join(outcome.applied.targets)
        log.info(
            "edition %d: %d entries applied to %s in %.3f s",
            position.sequence,
            outcome.applied.loaded,
            names,
            outcome.seconds,
        )
    wrong = "\n".join(str(fault) for fault in outcome.faults)
    if wrong != told:
        for fault in outcome.faults:
            log.warning("%s", fault)
        if not wrong:
            log.info("all is well again")
    return wrong
