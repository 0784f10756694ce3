"""Following the feed: sync at once when the server tells of an edition, each minute in any case, and when a term ends.

A look at what really stands at the targets comes at the start, on a timer, and when the kernel tells that others took
something out of a table. After a failure the next try comes soon
and then ever later, up to a minute; word that was refused does not bring the next look nearer. What was pushed proves
nothing: when it is refused, the server itself is asked before anybody is alarmed.
"""

import datetime as dt
import logging
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from .configuration import Configuration
from .faults import AgentFault, Exit
from .folder import open_state, sole_agent
from .inbox import Inbox, Word
from .listening import Listener
from .metrics_server import Showing
from .notifying import notify_manager
from .rehearsal import rehearsed_in_words, rehearsing
from .status import edition_in_words
from .syncing import Agent, SyncOutcome
from .terms import terms_note
from .transport import Server
from .watching import Watch

log = logging.getLogger("rahdari.agent")

RETRY_SECONDS = (1.0, 60.0)
# Between two looks that events asked for: a flood of them costs no more than this.
LEAST_SECONDS = 0.02
REHEARSAL_SECONDS = 1.0


def follow(configuration: Configuration) -> Exit:
    """Until TERM or INT. Returns OK then; raises AgentFault when it cannot begin."""
    with sole_agent(configuration.state), open_state(configuration.state) as state:
        agent = Agent(configuration, state)
        told = noted = ""

        def tell(outcome: SyncOutcome, word: Word) -> None:
            nonlocal told, noted
            told = _log(outcome, told)
            if (note := str(terms_note(configuration, agent.terms_named) or "")) != noted:
                noted = note
                log.warning("%s", note) if note else None
            showing.show(outcome, pushed=word.pushed, way=listener.way, received=listener.received)
            notify_manager("READY=1", "WATCHDOG=1", f"STATUS={_in_a_line(outcome)}")

        with Showing(agent) as showing, _hearing(configuration) as (listener, inbox, stopping):
            try:
                with Watch(agent.targets.tables, inbox.look):
                    _loop(agent, inbox, stopping, tell)
            finally:
                notify_manager("STOPPING=1")
                agent.close()
    log.info("stopped; what was applied stays enforced")
    return Exit.OK


def rehearse(configuration: Configuration) -> Exit:
    """Say of each edition what it would change, until TERM or INT; change nothing. Raises as `follow` does."""
    last = ""
    with rehearsing(configuration) as rehearsal, _hearing(configuration) as (_, inbox, stopping):
        word = Word()
        while not stopping.is_set():
            said = rehearsal.sync(now=_now(), timestamp=word.timestamp)
            text = "\n".join((rehearsed_in_words(said), *map(str, said.faults)))
            if text != last:
                last = text
                log.info("%s", text)
            notify_manager("READY=1", "WATCHDOG=1")
            # A look lists all that stands at each target: not more often than is good for the device.
            stopping.wait(REHEARSAL_SECONDS)
            word = inbox.take(configuration.poll_seconds * random.uniform(1.0, 1.2))  # noqa: S311 - spreads load
    return Exit.OK


@contextmanager
def _hearing(configuration: Configuration) -> Iterator[tuple[Listener, Inbox, threading.Event]]:
    """Word of new editions, and of TERM or INT."""
    inbox, stopping = Inbox(), threading.Event()

    def stop() -> None:
        stopping.set()
        inbox.close()

    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the one that is interrupted may hold the very lock that this needs.
        signal.signal(number, lambda number, frame: threading.Thread(target=stop).start())
    # A connection of its own: it stands open for as long as the process lives.
    listener = Listener(Server(configuration), f"{configuration.server}/feed", inbox)
    listener.start()
    try:
        yield listener, inbox, stopping
    finally:
        listener.stop()


def _loop(agent: Agent, inbox: Inbox, stopping: threading.Event, tell: Callable[[SyncOutcome, Word], None]) -> None:
    check_every = agent.configuration.check_seconds
    looked_at, retry, ask_at = float("-inf"), RETRY_SECONDS[0], float("-inf")
    word = Word()
    while not stopping.is_set():
        look = word.look or time.monotonic() - looked_at >= check_every
        # Only to look, the server is not waited for; and however often others change something, it is asked in time.
        ask = not word.look or time.monotonic() >= ask_at
        outcome = agent.sync(
            now=_now(), timestamp=word.timestamp, beside=word.beside, look=look, ask=ask, spread=word.spread
        )
        forged = bool(outcome.refused_push)
        if forged:
            log.warning("what was pushed is refused (%s); the server itself was asked", outcome.refused_push)
        looked_at = time.monotonic() if look else looked_at
        tell(outcome, word)
        if outcome.exit in {Exit.OK, Exit.ALARM}:
            wait = _quiet(agent)
        else:
            wait = retry * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing
            looked_at = float("-inf") if Exit.NOT_APPLIED in {fault.exit for fault in outcome.faults} else looked_at
        if forged or outcome.refused:
            # Whoever sent what was refused may send more: not before the pause is over.
            inbox.rest(retry if forged else wait)
            wait = 0.0 if outcome.refused else wait
        else:
            stopping.wait(LEAST_SECONDS)
        ask_at = time.monotonic() + wait if ask else ask_at
        wait = min(wait, max(ask_at - time.monotonic(), 0.0))
        well = outcome.exit in {Exit.OK, Exit.ALARM} and not forged
        retry = RETRY_SECONDS[0] if well else min(retry * 2, RETRY_SECONDS[1])
        word = _next(agent, inbox, wait)


def _next(agent: Agent, inbox: Inbox, wait: float) -> Word:
    """The next word, or none after so many seconds; receipts that may be sent meanwhile are sent."""
    until = time.monotonic() + wait
    if (due := agent.tells_in) is not None and due < wait:
        word = inbox.take(due)
        if word.pushed or word.look or inbox.closed:
            return word
        with suppress(AgentFault):
            agent.tell()
    return inbox.take(max(0.0, until - time.monotonic()))


def _quiet(agent: Agent) -> float:
    """Seconds until there is something to do though nothing comes."""
    wait = agent.configuration.poll_seconds * random.uniform(1.0, 1.2)  # noqa: S311 - spreads load
    # A file that takes long is written less often than there are editions.
    wait = min(wait, agent.targets.wait or wait)
    now = _now()
    with suppress(AgentFault):
        change = agent.state.next_change(now=now)
        if change is not None:
            wait = min(wait, max((change - now).total_seconds(), 0.0) + LEAST_SECONDS)
    return wait


def _log(outcome: SyncOutcome, told: str) -> str:
    """One line for what changed; what is wrong once, not each minute. Returns what is wrong now."""
    if outcome.positions and outcome.applied.targets:
        names = ", ".join(outcome.applied.targets)
        log.info(
            "%s: %d entries applied to %s in %.3f s",
            edition_in_words(outcome.positions),
            outcome.applied.loaded,
            names,
            outcome.seconds,
        )
    wrong = "\n".join(str(fault) for fault in outcome.faults)
    # What is taken out again and again is told each time.
    for fault in outcome.faults if wrong != told else outcome.applied.removed:
        log.warning("%s", fault)
    if told and not wrong:
        log.info("all is well again")
    return wrong


def _in_a_line(outcome: SyncOutcome) -> str:
    return "; ".join(fault.what for fault in outcome.faults) or f"{outcome.applied.loaded} entries in force"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
