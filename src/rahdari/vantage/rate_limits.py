"""How much a vantage does: few at a time, so many a minute, and fewer of these for one address.

What it remembers of addresses is a minute old at most, and lies in memory alone.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager

from rahdari.errors import RahdariError

MINUTE = 60.0


class Busy(RahdariError):
    """Not now. `.after` is when to come back, in seconds."""

    says = "{after}"
    after: int


class Pace:
    def __init__(self, *, at_once: int, a_minute: int, a_minute_each: int) -> None:
        self._at_once, self._a_minute, self._each = at_once, a_minute, a_minute_each
        self._running = 0
        self._recent: deque[tuple[float, str]] = deque()
        self._of_each: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taking(self, address: str, now: float) -> Iterator[None]:
        """Raises Busy. `now` is a clock that never goes back."""
        with self._lock:
            while self._recent and self._recent[0][0] <= now - MINUTE:
                _, gone = self._recent.popleft()
                self._of_each[gone] -= 1
                if not self._of_each[gone]:
                    del self._of_each[gone]
            if self._running >= self._at_once:
                raise Busy(1)
            if len(self._recent) >= self._a_minute or self._of_each[address] >= self._each:
                raise Busy(int(self._recent[0][0] + MINUTE - now) + 1)
            self._recent.append((now, address))
            self._of_each[address] += 1
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
