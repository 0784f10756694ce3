"""Queues in which nobody holds up who stands behind: not by waiting, and not by failing.

A queue that is longer than one go is taken part by part, and after its end from the front again. For what may stay in
its queue after it was looked at: whoever always took the first so many would never come to what stands behind them, as
soon as these all wait for somebody.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import Model, Q, QuerySet

log = logging.getLogger("rahdari.workflow")

# Of each queue, by its name, the last that was taken; none where the next go begins at the front. Of this process
# alone: another one has its own turns, and one that is started anew begins at the front.
_places: dict[str, tuple[Any, ...]] = {}


def in_turn[Row: Model](name: str, found: QuerySet[Row], *, at_most: int) -> list[Row]:
    """The next of them. They are ordered by what is never empty, and last by their keys."""
    by = [str(field) for field in found.query.order_by]
    assert by and not any(field.startswith("-") for field in by), name  # noqa: S101 - the caller says in which order
    last = _places.pop(name, None)
    given = list(found.filter(_behind(by, last))[:at_most]) if last is not None else []
    given = given or list(found[:at_most])
    if len(given) == at_most:
        _places[name] = tuple(attrgetter(field.replace("__", "."))(given[-1]) for field in by)
    return given


def _behind(by: Sequence[str], last: Sequence[Any]) -> Q:
    """What comes later in this order."""
    behind = Q(pk__in=[])
    for place, field in enumerate(by):
        behind |= Q(**dict(zip(by[:place], last[:place], strict=True)), **{f"{field}__gt": last[place]})
    return behind


@contextmanager
def one_item(what: str) -> Iterator[None]:
    """Let one item fail alone: said in the log, tried again at the next run."""
    try:
        yield
    except (OperationalError, InterfaceError):
        raise  # the database is away: the caller waits for it, nothing else can be done
    except Exception:
        log.exception("%s could not be moved on; it stays where it is and is tried again", what)
