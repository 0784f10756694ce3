"""The thread that waits for word of a new edition, by the quickest way that passes."""

import logging
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .events import Event, event_of, events_of, news_of
from .faults import AgentFault
from .inbox import Inbox
from .transport import NoAnswer, Server, UnexpectedAnswer

log = logging.getLogger("rahdari.agent")

# Long polls that fail in a row: then the stream is tried again.
MOST_FAILED = 3
# Seconds between two words.
LEAST_APART = 0.005


class Way(StrEnum):
    """How word of a new edition reaches us. The feed is asked each minute in any case."""

    STREAM = "stream"
    LONG_POLL = "long_poll"
    POLL = "poll"


@dataclass(frozen=True)
class Pace:
    """Seconds. Of two, the first is where it begins, and it is doubled each time up to the second."""

    # After a failure.
    pause: tuple[float, float] = (1.0, 60.0)
    # For how long it is asked by long polls, until it is seen whether a stream passes by now.
    long_polls: tuple[float, float] = (600.0, 21_600.0)
    # From one long poll to the next, however quickly it is answered: one that told something, and one that did not.
    least: float = 0.1
    least_unchanged: float = 1.0


class Listener(threading.Thread):
    """Puts word of each edition into the inbox: from a stream, or where none passes, from long polls.

    A stream passes when a line comes over it in time: the server says something at once, and beats every 15 seconds. A
    proxy that keeps it back is found by its silence; each answer to a long poll is whole, and every proxy lets it pass.
    """

    def __init__(self, server: Server, base: str, inbox: Inbox, pace: Pace | None = None) -> None:
        super().__init__(name="listener", daemon=True)
        self._server, self._base, self._inbox = server, base, inbox
        self._pace = pace or Pace()
        self._stopped = threading.Event()
        self._last_id: str | None = None
        # What was told since it last was well: each fault once.
        self._said: set[str] = set()
        self._opened_at = self._heard_at = 0.0
        self.way = Way.POLL
        self.heard = 0

    @property
    def received(self) -> int:
        return self._server.received

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        pause, long_polls = self._pace.pause[0], self._pace.long_polls[0]
        while not self._stopped.is_set():
            fault = self._stream()
            passed, self.way = self.way is Way.STREAM and not self._held_back(fault), Way.POLL
            if passed:
                pause, long_polls = self._pace.pause[0], self._pace.long_polls[0]
            elif _got_through(fault) and self._long_polls(long_polls):
                pause, long_polls = self._pace.pause[0], min(long_polls * 2, self._pace.long_polls[1])
                continue
            self._wait(pause)
            pause = min(pause * 2, self._pace.pause[1])

    def _stream(self) -> AgentFault | None:
        """Listen until the stream ends. What ended it, if it was a fault."""
        try:
            with self._server.events(f"{self._base}/events", last_event_id=self._last_id) as lines:
                for event in events_of(self._passing(lines)):
                    self._hear(event)
        except AgentFault as fault:
            return self._tell(fault)
        return None

    def _held_back(self, fault: AgentFault | None) -> bool:
        """Whether it fell silent with what came at once: that passed, and no beat did."""
        return isinstance(fault, NoAnswer) and self._heard_at - self._opened_at < self._server.silence / 3

    def _passing(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """A heartbeat is no event, but it shows that the stream passes."""
        for line in lines:
            if self._stopped.is_set():
                return
            self._heard_at = time.monotonic()
            if self.way is not Way.STREAM:
                self._opened_at = self._heard_at
                self._by(Way.STREAM, f"listening to {self._base}/events")
            yield line

    def _long_polls(self, seconds: float) -> bool:
        """For so long, or until they fail. Whether any was answered."""
        until, answered, failed = time.monotonic() + seconds, False, 0
        while not self._stopped.is_set() and time.monotonic() < until and failed < MOST_FAILED:
            began, least = time.monotonic(), self._pace.least_unchanged
            try:
                body = self._server.poll(f"{self._base}/poll", last_event_id=self._last_id)
            except AgentFault as fault:
                self._tell(fault)
                self.way, failed = Way.POLL, failed + 1
                self._wait(self._pace.pause[0] * 2**failed)
                continue
            answered, failed = True, 0
            if self.way is not Way.LONG_POLL:
                self._by(Way.LONG_POLL, f"no stream passes; asking {self._base}/poll, which answers when there is news")
            event = event_of(body) if body is not None else None
            if event is not None and (event.id is None or event.id != self._last_id):
                least = self._pace.least_unchanged if event.id is None else self._pace.least
                self._hear(event)
            self._stopped.wait(max(0.0, began + least - time.monotonic()))
        return answered

    def _hear(self, event: Event) -> None:
        self._last_id = event.id or self._last_id
        self.heard += 1
        self._inbox.put(news_of(event))
        # A flood is taken at this pace; the network holds the rest back.
        self._stopped.wait(LEAST_APART)

    def _by(self, way: Way, text: str) -> None:
        self.way = way
        self._said.clear()
        log.info("%s", text)

    def _tell(self, fault: AgentFault) -> AgentFault:
        if fault.what not in self._said:
            self._said.add(fault.what)
            log.warning("%s Until it is back, the feed is asked each minute.", fault.what)
        return fault

    def _wait(self, seconds: float) -> None:
        # Many agents lose one server together: each comes back at its own moment.
        self._stopped.wait(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing


def _got_through(fault: AgentFault | None) -> bool:
    """Whether there was a server: then it is the stream alone that does not pass."""
    return fault is None or isinstance(fault, NoAnswer | UnexpectedAnswer)
