"""What a step of the line is, and how one item of it fails alone."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from rahdari.page.turns import one_item as one_item

# At most so many items of one step in one go: a long queue of one step does not hold up the next.
AT_ONCE = 200
BY_THE_CLOCK = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class Step:
    """One arrow of the line. `run` does what waits and returns how many items it moved.

    A step that looks through very much `rests` so long after it found nothing to do; so does, for a few seconds, one
    that waits for a `clock` alone: what wakes the line brings nothing for it.
    """

    name: str
    run: Callable[[dt.datetime], int]
    rests: dt.timedelta | None = None
    clock: bool = False

    @property
    def pause(self) -> dt.timedelta | None:
        return self.rests or (BY_THE_CLOCK if self.clock else None)
