"""Between the thread that listens and the one that works: the newest word, and when it is time to look.

It holds one word, whatever comes: an edition that was followed by another needs no look of its own, and a server gone
mad fills no memory. The server says over how long agents spread what they ask of it, and each draws its moment below
that.
"""

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from .events import News


@dataclass(frozen=True)
class Word:
    """Why the agent looks now: what was pushed, if anything was, and over how long receipts are spread; `look` when
    somebody changed what stands at a target."""

    pushed: bool = False
    timestamp: bytes | None = None
    beside: Mapping[str, bytes] = field(default_factory=dict)
    spread: float = 0.0
    look: bool = False


class Inbox:
    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._newest: News | None = None
        self._due = float("inf")
        self._look = False
        self.closed = False

    def put(self, news: News) -> None:
        # What came along need not be fetched: then there is nothing to spread but the receipt.
        spread = 0.0 if news.beside else news.spread
        moment = time.monotonic() + random.uniform(0.0, spread)  # noqa: S311 - spreads load, guards nothing
        with self._changed:
            # The moment that was drawn first stays: who is told often looks no later for it.
            self._newest, self._due = news, min(self._due, moment)
            self._changed.notify()

    def look(self) -> None:
        """What stands at the targets is to be read now."""
        with self._changed:
            self._look = True
            self._changed.notify()

    def close(self) -> None:
        """Whoever waits, or will, waits no more. Not for signal handlers: it takes a lock."""
        with self._changed:
            self.closed = True
            self._changed.notify()

    def rest(self, seconds: float) -> None:
        """Wait, whatever is pushed; not when what stands at the targets is to be read."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or self._look, seconds)

    def take(self, wait: float) -> Word:
        """The newest word when it is time for it; after `wait` seconds whatever has come, though it be nothing."""
        until = time.monotonic() + wait
        with self._changed:
            while not self.closed and not self._look and (left := min(until, self._due) - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._look:
                # What was pushed waits for its moment.
                self._look = False
                return Word(look=True)
            news, self._newest, self._due = self._newest, None, float("inf")
        return Word() if news is None else Word(True, news.timestamp, news.beside, news.spread)
