"""What a step of the workflow is."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from rahdari.db.gate import Batch
from rahdari.db.queues import Queue


class Run(Protocol):
    def __call__(self, *, now: dt.datetime) -> int: ...


# What is kept for months need not be erased to the minute.
AN_HOUR = dt.timedelta(hours=1)
A_DAY = dt.timedelta(days=1)
# Nobody waits for a reminder, and of what was told already it is asked again each time.
A_MINUTE = dt.timedelta(minutes=1)
TEN_MINUTES = dt.timedelta(minutes=10)
BY_THE_CLOCK = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class Step:
    """One arrow of the workflow. `run` does what waits and returns how many items it moved: nearly always a queue
    (`db.queues.each_of`), which takes a batch and moves each item for itself.

    A round asks all steps at once whether anything waits, and runs those where something does. One that looks through
    very much `rests` so long after it found nothing to do, and is run without being asked; one that waits for a `clock`
    alone rests a few seconds when what waits could not be moved: what wakes the workflow brings nothing for it.
    """

    name: str
    run: Run
    rests: dt.timedelta | None = None
    clock: bool = False

    @property
    def pause(self) -> dt.timedelta | None:
        return self.rests or (BY_THE_CLOCK if self.clock else None)

    @property
    def parts(self) -> tuple[Run, ...]:
        return self.run.runs if isinstance(self.run, Together) else (self.run,)

    @property
    def queues(self) -> tuple[Queue[Any] | Batch, ...]:
        """Those parts that say what they find."""
        return tuple(part for part in self.parts if isinstance(part, Queue | Batch))


class Place(StrEnum):
    """Where the steps of optional rooms stand among the others (`workflow.STEPS`)."""

    DELIVERY = "delivery"  # before answers from outside are delivered
    CHECKS = "checks"  # before checks are answered
    BEFORE_DECISIONS = "before decisions"
    REGISTERED = "registered"  # after grants are entered
    ENTRIES = "entries"  # before those end that are due to
    LAST = "last"


@dataclass(frozen=True)
class Together:
    runs: tuple[Run, ...]

    def __call__(self, now: dt.datetime) -> int:
        return sum(run(now=now) for run in self.runs)


def together(*runs: Run) -> Together:
    """Several queues that are one step, in this order."""
    return Together(runs)
