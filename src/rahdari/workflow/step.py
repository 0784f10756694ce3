"""What a step of the workflow is."""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.db import connection
from django.db.models import Model


class Run(Protocol):
    def __call__(self, *, now: dt.datetime) -> int: ...


# What is kept for months need not be erased to the minute.
AN_HOUR = dt.timedelta(hours=1)
BY_THE_CLOCK = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class Step:
    """One arrow of the workflow. `run` does what waits and returns how many items it moved: nearly always a queue
    (`db.queues.each_of`), which takes a batch and moves each item for itself.

    A step that looks through very much `rests` so long after it found nothing to do; so does, for a few seconds, one
    that waits for a `clock` alone: what wakes the workflow brings nothing for it. One that works on rows `of` some
    tables has nothing to do while all of these are empty.
    """

    name: str
    run: Run
    rests: dt.timedelta | None = None
    clock: bool = False
    of: tuple[type[Model], ...] = ()

    @property
    def pause(self) -> dt.timedelta | None:
        return self.rests or (BY_THE_CLOCK if self.clock else None)


class Place(StrEnum):
    """Where the steps of optional rooms stand among the others (`workflow.STEPS`)."""

    DELIVERY = "delivery"  # before answers from outside are delivered
    CHECKS = "checks"  # before checks are answered
    BEFORE_DECISIONS = "before decisions"
    REGISTERED = "registered"  # after grants are entered
    ENTRIES = "entries"  # before those end that are due to
    LAST = "last"


def together(*runs: Run) -> Run:
    """Several queues that are one step, in this order."""

    def run(now: dt.datetime) -> int:
        return sum(each(now=now) for each in runs)

    return run


class Tables:
    """Which tables hold anything, in one round of the line. Many installations never use half of them, and to ask a
    table whether it is empty costs a fraction of what a step asks."""

    def __init__(self) -> None:
        self._known: dict[type[Model], bool] = {}

    def hold_anything(self, models: tuple[type[Model], ...]) -> bool:
        return not models or any(map(self._holds_anything, models))

    def may_fill(self) -> None:
        """A step is about to run: what was empty may be so no longer."""
        self._known = {model: True for model, filled in self._known.items() if filled}

    def _holds_anything(self, model: type[Model]) -> bool:
        if model not in self._known:
            table = connection.ops.quote_name(model._meta.db_table)
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")  # noqa: S608
                self._known[model] = cursor.fetchone()[0]
        return self._known[model]
