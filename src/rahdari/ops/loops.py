"""The loops of `rahdari worker` and `rahdari publisher`: wake on NOTIFY, look on a timer, outlive the database.

Invariants: a lost wake-up costs at most one beat of the timer, or ten seconds for letters and for what was seen to wait
already; an error of one round is logged and the next round comes; while the database is away nothing is lost, since
everything that waits stands in it.
"""

import contextlib
import datetime as dt
import logging
import select
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from psycopg import sql

from rahdari import optional
from rahdari.db.locks import Lease, Lock
from rahdari.db.wake import Channel
from rahdari.web.metrics_access import name_of_loop

# Whoever brings something wakes a loop; a beat is for what comes by the clock, and for a wake-up that was lost.
BEAT = 10.0
# A round costs little more for a hundred applicants than for one, who comes alone and is served at once.
ROUNDS_APART = 0.5
# A change that waits for its moment is cut so soon after it.
PUBLISHER_BEAT = 2.0
# The publisher looks at its files, its keys and the timestamp so often when nothing is to be published.
PUBLISHER_RESTS = dt.timedelta(seconds=10)
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
AWAY = (psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError)
# Of Django's parameters, those that say to whom and how.
LISTENING = frozenset(
    {
        *("dbname", "user", "password", "host", "port", "service"),
        *("sslmode", "sslrootcert", "sslcert", "sslkey"),
        *("target_session_attrs", "tcp_user_timeout"),
        *("keepalives_idle", "keepalives_interval", "keepalives_count"),
    }
)


def listen_to(channel: str, *, name: str) -> "psycopg.Connection[Any]":
    """A connection of its own, on which wake-ups arrive. By its name others see that the loop is at work."""
    parameters = connections[DEFAULT_DB_ALIAS].get_connection_params()
    wanted = {name: value for name, value in parameters.items() if name in LISTENING and value not in (None, "")}
    called = name_of_loop(name)
    connection = psycopg.connect(**wanted, autocommit=True, connect_timeout=5, application_name=called)
    connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    return connection


def run_loop(
    *,
    name: str,
    channel: str,
    step: Callable[[dt.datetime], object],
    stop: threading.Event,
    unasked: Callable[[dt.datetime], object] | None = None,
    beat: float = BEAT,
    apart: float = 0.0,
    lease: Lease | None = None,
) -> None:
    """Call `step(now)` on every wake-up and on every beat until `stop` is set; on a beat `unasked(now)` if it is given.
    With a `lease` only while it is ours: of several such processes the others wait.

    Two rounds begin at least so many seconds `apart`: whoever wakes a loop that has been quiet is served at once, and
    of many who come together all are served by one round.
    """
    log = logging.getLogger(f"rahdari.{name}")
    away = 0
    woken = True
    waits: bool | None = None
    listening: psycopg.Connection[Any] | None = None
    while not stop.is_set():
        try:
            if listening is None:
                listening = listen_to(channel, name=name)
                if away:
                    log.info("The database answers again.")
                away, woken, waits = 0, True, None
            began = time.monotonic()
            if (waiting := lease is not None and not lease.take()) is not waits:
                waits = waiting
                log.info("Another one is at work, and this one waits." if waits else "At work.")
                called = f"{name_of_loop(name)}, waiting" if waits else name_of_loop(name)
                listening.execute("SELECT set_config('application_name', %s, false)", [called])
            if waits:
                _wakes(listening, beat)
                continue
            (step if woken or unasked is None else unasked)(dt.datetime.now(dt.UTC))
            woken = _wakes(listening, beat)
            if (early := began + apart - time.monotonic()) > 0:
                stop.wait(early)
            # Many wake-ups at once ask for one round.
            woken |= _wakes(listening, 0)
        except AWAY as error:
            away += 1
            pause = min(FIRST_PAUSE * 2 ** (away - 1), LONGEST_PAUSE)
            log.warning("The database does not answer (%s); the next try is in %g s.", first_line(error), pause)
            shut(listening)
            listening = None
            connections.close_all()
            stop.wait(pause)
        except Exception:
            log.exception("This round of %s failed; the next comes in %g s.", name, beat)
            stop.wait(beat)
    shut(listening)
    connections.close_all()


def _wakes(listening: "psycopg.Connection[Any]", seconds: float) -> bool:
    """Whether anybody wakes us within so many seconds. The kernel waits: psycopg would look ten times a second."""
    if list(listening.notifies(timeout=0)):
        return True
    select.select([listening], [], [], seconds)
    return bool(list(listening.notifies(timeout=0)))


def shut(connection: "psycopg.Connection[Any] | None") -> None:
    if connection is not None:
        with contextlib.suppress(psycopg.Error):
            connection.close()


def first_line(error: BaseException) -> str:
    """The first line of what lies at the bottom of an error."""
    while True:
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        elif error.__cause__ is not None:
            error = error.__cause__
        else:
            return str(error).strip().split("\n", 1)[0] or type(error).__name__


def stop_on_signals(stop: threading.Event) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handle)


class PublisherRound:
    """What the publisher does each time. While the database knows less than was published, nothing new is signed, and
    what is published stays fresh: agents would call it stale after an hour, though all is well with what they hold.
    """

    def __init__(self, checkpoint: Callable[[str], None] = lambda _: None) -> None:
        """`checkpoint` is called before and after each write (`publish.folder.Checkpoint`)."""
        self._checkpoint = checkpoint
        self._told, self._last, self._refreshed = "", NEVER, NEVER

    def unasked(self, now: dt.datetime) -> None:
        """The same when nobody woke us: what waits is seen at once, all else every ten seconds."""
        from rahdari.publish import queries

        if abs(now - self._last) >= PUBLISHER_RESTS or queries.something_to_cut(now=now):
            self(now)

    def __call__(self, now: dt.datetime) -> None:
        from rahdari.publish import actions, editions, watching

        self._last, told = now, ""
        try:
            actions.publish_editions(now=now, checkpoint=self._checkpoint)
        except (editions.DatabaseBehindFeed, actions.KeyUnusable) as error:
            told = str(error)
        # What is due is due by the minute: not with each of many editions in a second.
        if is_due := abs(now - self._refreshed) >= PUBLISHER_RESTS:
            self._refreshed = now
            try:
                actions.refresh_timestamp(now=now, checkpoint=self._checkpoint)
            except actions.KeyUnusable as error:
                told = str(error)
        if told and told != self._told:
            log = logging.getLogger("rahdari.publisher")
            log.error("Nothing new is signed: %s. What to do: docs/restore.md.", told)
        if told or is_due:
            self._told = told
        watching.watch_operators(now=now)


# The last moment before what is published is another: the file is written, and gets its name next.
BEFORE_PUBLISHED = "timestamp.json: written"


def run_publisher(checkpoint: Callable[[str], None] = lambda _: None) -> None:
    """Cut and sign editions. The only process that needs the feed's online keys. One of several is at work."""
    stop = threading.Event()
    stop_on_signals(stop)
    lease = Lease(Lock.PUBLISHER)

    def hold(at: str) -> None:
        checkpoint(at)
        if at == BEFORE_PUBLISHED:
            lease.check()

    publish = PublisherRound(hold)
    run_loop(
        name="publisher",
        channel=Channel.PUBLISH,
        step=publish,
        unasked=publish.unasked,
        beat=PUBLISHER_BEAT,
        stop=stop,
        lease=lease,
    )


def run_worker() -> None:
    """The workflow in one thread, others beside it. Of several workers one is at work in each of these loops, and all
    send letters, which are taken one by one.

    Two send letters, one looks for tokens, one sends SMS and hears what became of them, one tells webhooks: they wait
    for servers of strangers, so that the workflow need not.
    """
    from rahdari import workflow
    from rahdari.api import keys, webhook_delivery
    from rahdari.confirm import tokens
    from rahdari.db.gate import Jobs
    from rahdari.letters import sending

    rounds = workflow.Rounds()
    webhooks = Jobs("webhooks", *webhook_delivery.JOBS, each_minute=[keys.forget_attempts, tokens.forget_requests])

    def advance(now: dt.datetime, *, woken: bool = True) -> None:
        workflow.advance(now=now, rounds=rounds, woken=woken)

    def letters(now: dt.datetime) -> None:
        sending.send_due(now=now, stopping=stop.is_set)

    stop = threading.Event()
    stop_on_signals(stop)
    loops = (
        ("workflow", Channel.WORKFLOW, advance, ROUNDS_APART),
        # A mail server that keeps one letter waiting does not keep all.
        *[("letters", Channel.LETTERS, letters, 0.0)] * 2,
        ("looks", Channel.LOOKS, Jobs("looks", *workflow.LOOKS), 0.0),
        *(loop() for loop in optional.given(__package__, "loop")),
        ("webhooks", Channel.WORKFLOW, webhooks, ROUNDS_APART),
    )
    threads = [
        threading.Thread(
            target=run_loop,
            kwargs={"name": name, "channel": channel, "step": step, "stop": stop, "apart": apart}
            | ({"lease": Lease(Lock.WORKER, name)} if step is not letters else {})
            | ({"unasked": partial(advance, woken=False)} if step is advance else {}),
            name=name,
        )
        for name, channel, step, apart in loops
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for end in optional.given(__package__, "stop"):
        end()
