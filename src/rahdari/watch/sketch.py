"""How long looks took and how many packets, in 64 bytes: enough to say what is usual. Pure."""

from array import array
from bisect import bisect_left

from .facts import Usual

# Upper bounds in milliseconds, each half as much again as the one before: from 1 ms to 11 s.
BOUNDS = tuple(round(1.5**n) for n in range(24))
PACKETS = 8
# When so many were counted all counts are halved: what was usual long ago weighs less.
MOST = 2_000


class Sketch:
    """Of looks that reached the endpoint."""

    __slots__ = ("_counts", "_usual", "looks")

    def __init__(self, counts: "list[int] | None" = None) -> None:
        size = len(BOUNDS) + PACKETS
        self._counts = array("H", counts if counts is not None and len(counts) == size else [0] * size)
        self.looks = sum(self._counts[: len(BOUNDS)])
        self._usual: Usual | None = None

    def add(self, latency_ms: int, sent: int) -> None:
        self._counts[min(bisect_left(BOUNDS, latency_ms), len(BOUNDS) - 1)] += 1
        self._counts[len(BOUNDS) + min(max(sent, 1), PACKETS) - 1] += 1
        self.looks += 1
        if self.looks >= MOST:
            self._counts = array("H", [count // 2 for count in self._counts])
            self.looks = sum(self._counts[: len(BOUNDS)])
        # It moves slowly: not each look needs it anew.
        if self.looks < 64 or self.looks % 16 == 0:
            self._usual = None

    @property
    def usual(self) -> Usual | None:
        """None while nothing reached it."""
        if self._usual is None and self.looks:
            times, packets = self._counts[: len(BOUNDS)], self._counts[len(BOUNDS) :]
            median, high = BOUNDS[_nth(times, 50)], BOUNDS[_nth(times, 95)]
            self._usual = Usual(self.looks, median, high, _nth(packets, 95) + 1)
        return self._usual

    @property
    def counts(self) -> list[int]:
        """For a row."""
        return list(self._counts)


def _nth(counts: "array[int]", percent: int) -> int:
    """The first that holds, with all before it, so many per cent."""
    wanted, seen = sum(counts) * percent, 0
    for n, count in enumerate(counts):
        seen += count * 100
        if seen >= wanted:
            return n
    return len(counts) - 1
