"""What a step of the line is, and how one item of it fails alone."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError

log = logging.getLogger("rahdari.line")

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


@contextmanager
def one_item(what: str) -> Iterator[None]:
    """Let one item fail alone: said in the log, tried again at the next run."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise  # the database is away: the caller waits for it, nothing else can be done
    except Exception:
        log.exception("%s could not be moved on; it stays where it is and is tried again", what)
