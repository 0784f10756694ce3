"""What one operator may use, so that no operator's mistake is felt by another."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Agents of one operator: each holds one stream open, or one long poll.
STREAMS_EACH = 1024
STREAMS_ALL = 8192
# A first fetch is some ten files, an edition three or four; all agents of an operator may come at once.
REQUESTS_PER_SECOND = 400.0
REQUESTS_AT_ONCE = 4000.0


class Full(Exception):
    """No further stream. `.everyone` when it is not this operator alone who has too many."""

    def __init__(self, limit: int, *, everyone: bool) -> None:
        super().__init__(limit)
        self.limit, self.everyone = limit, everyone


class Seats:
    """Who has how many streams open."""

    def __init__(self, each: int = STREAMS_EACH, all: int = STREAMS_ALL) -> None:
        self.each, self.all = each, all
        self.taken: Counter[str] = Counter()
        self.total = 0

    @contextmanager
    def take(self, operator: str) -> Iterator[None]:
        """Raises Full."""
        if self.total >= self.all:
            raise Full(self.all, everyone=True)
        if self.taken[operator] >= self.each:
            raise Full(self.each, everyone=False)
        self.taken[operator] += 1
        self.total += 1
        try:
            yield
        finally:
            self.total -= 1
            self.taken[operator] -= 1
            if not self.taken[operator]:
                del self.taken[operator]


class Pace:
    """How many requests an operator may make: so many at once, and so many in each second after."""

    def __init__(
        self,
        at_once: float = REQUESTS_AT_ONCE,
        per_second: float = REQUESTS_PER_SECOND,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._at_once, self._per_second, self._clock = at_once, per_second, clock
        self._left: dict[str, tuple[float, float]] = {}

    def allows(self, operator: str) -> bool:
        now = self._clock()
        left, then = self._left.get(operator, (self._at_once, now))
        left = min(left + (now - then) * self._per_second, self._at_once)
        if left < 1:
            self._left[operator] = (left, now)
            return False
        self._left[operator] = (left - 1, now)
        return True
