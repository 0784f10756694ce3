"""Queues: a query finds what waits, an act moves one item on. Nobody holds up who stands behind, by waiting or failing.

    @each_of(queries.due_to_expire)
    def expire(registration: Registration, now: dt.datetime) -> None: ...

    expire(now=now)  # how many it moved

A queue that is longer than one batch is taken part by part, and after its end from the front again: what may stay in it
after it was looked at would otherwise keep its end waiting. Each item has a transaction of its own. One that fails is
put back, for a time that grows with each try, and counted (`FailingItem`): `rahdari doctor` and the metrics say so.
"""

import datetime as dt
import inspect
import logging
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import batched
from operator import attrgetter
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import CharField, Count, Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from .models import FailingItem

log = logging.getLogger("rahdari.queues")

# A long queue does not hold up the next one.
AT_ONCE = 200
FIRST_PAUSE, LONGEST_PAUSE = dt.timedelta(seconds=5), dt.timedelta(hours=1)

# Of each queue, by its name, the last that was taken; none where the next batch begins at the front. Of this process
# alone: another one has its own, and one that is started anew begins at the front.
_positions: dict[str, tuple[Any, ...]] = {}
# How often an act was tried in this process. One that is tried may change what waits elsewhere, whatever it returns.
acts = 0
# The queues in which something fails, as far as this process knows: of the others nothing is asked.
_troubled: set[str] | None = None


@dataclass(eq=False)
class Queue[Row: Model]:
    """Called with the time, it moves one batch on and returns how much was moved: of each item what `move` returns, one
    where that is nothing.

    `ready` reads for a whole batch at once what says of each item whether it need be tried. With `lock` an item is read
    anew and locked; one that another process has, or that waits no more, is left.
    """

    name: str
    found: Callable[[dt.datetime], QuerySet[Row]]
    move: Callable[[Row, dt.datetime], int | None]
    at_most: int | None = None
    lock: bool = False
    ready: Callable[[list[Row], dt.datetime], Callable[[Row], bool]] | None = None

    def __call__(self, now: dt.datetime, *, at_most: int | None = None) -> int:
        found = self.found(now)
        trying = _without_resting(self.name, found, now) if self.name in _queues_in_trouble() else found
        return self._move_all(next_batch(self.name, trying, at_most=at_most or self.at_most or AT_ONCE), found, now)

    def count(self, now: dt.datetime) -> int:
        """How many wait that would be tried now: all of them are looked at."""
        found = self.found(now)
        if self.ready is None:
            return found.count()
        batches = map(list, batched(found.iterator(chunk_size=AT_ONCE), AT_ONCE))
        return sum(sum(map(self.ready(batch, now), batch)) for batch in batches)

    def among(self, found: QuerySet[Row], now: dt.datetime) -> int:
        """Move these on, all of them and out of turn."""
        return self._move_all(list(found), found, now)

    def _move_all(self, batch: list[Row], found: QuerySet[Row], now: dt.datetime) -> int:
        is_ready = self.ready(batch, now) if self.ready is not None and batch else None

        def act(row: Row) -> int | None:
            global acts
            if is_ready is not None and not is_ready(row):
                return 0
            acts += 1
            with transaction.atomic():
                if not self.lock:
                    return self.move(row, now)
                locked = found.filter(pk=row.pk).select_for_update(skip_locked=True, of=("self",)).first()
                return 0 if locked is None else self.move(locked, now)

        return sum(attempt(self.name, str(row.pk), partial(act, row), now) for row in batch)


def each_of[Row: Model](
    found: Callable[..., QuerySet[Row]],
    *,
    at_most: int | None = None,
    lock: bool = False,
    ready: Callable[[list[Row], dt.datetime], Callable[[Row], bool]] | None = None,
) -> Callable[[Callable[[Row, dt.datetime], int | None]], Queue[Row]]:
    """Make the queue of what `found` finds, for an act on one of them. `found` is given the time if it takes `now`; it
    orders by what is never empty, ascending, and last by the key."""
    takes_now = "now" in inspect.signature(found).parameters

    def waiting(now: dt.datetime) -> QuerySet[Row]:
        return found(now=now) if takes_now else found()

    def made(move: Callable[[Row, dt.datetime], int | None]) -> Queue[Row]:
        name = f"{move.__module__}.{move.__qualname__}".removeprefix("rahdari.")
        return Queue(name, waiting, move, at_most, lock, ready)

    return made


def attempt(queue: str, item: str, act: Callable[[], int | None], now: dt.datetime) -> int:
    """Do it, and let it fail alone. What rests after a failure is left. Returns how much was moved.

    Raises only when the database is away: the caller waits for it, nothing else can be done.
    """
    before = FailingItem.objects.filter(queue=queue, item=item).first() if queue in _queues_in_trouble() else None
    if before is not None and before.rests(now):
        return 0
    try:
        moved = act()
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        _put_back(before or FailingItem(queue=queue, item=item, attempts=0, since=now), error, now)
        return 0
    if before is not None:
        before.delete()
    return 1 if moved is None else int(moved)


def _put_back(row: FailingItem, error: Exception, now: dt.datetime) -> None:
    """Where it failed is said once, not at each try; nowhere what the error says, which may hold a person's words."""
    kind = type(error).__name__
    is_new, row.error, row.attempts = row.error != kind, kind, row.attempts + 1
    pause = min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 20), LONGEST_PAUSE)
    row.next_at = now + pause
    row.save()
    _queues_in_trouble().add(row.queue)
    where = "\n" + "".join(traceback.format_tb(error.__traceback__)).rstrip() if is_new else "."
    log.log(
        logging.ERROR if is_new else logging.WARNING,
        "%s could not move on %s (%s, attempt %d); the next try is in %s%s",
        *(row.queue, row.item, kind, row.attempts, pause, where),
    )


def failing() -> QuerySet[FailingItem]:
    """What fails now, the longest failing first."""
    return FailingItem.objects.order_by("since", "id")


def failing_by_queue() -> dict[str, int]:
    return dict(FailingItem.objects.order_by("queue").values_list("queue").annotate(count=Count("pk")))


def _queues_in_trouble() -> set[str]:
    global _troubled
    if _troubled is None:
        _troubled = set(FailingItem.objects.values_list("queue", flat=True).distinct())
    return _troubled


def _without_resting[Row: Model](queue: str, found: QuerySet[Row], now: dt.datetime) -> QuerySet[Row]:
    """What does not rest after a failure. What failed and waits no more is forgotten."""
    due = list(FailingItem.objects.filter(queue=queue, next_at__lte=now).order_by("next_at")[:AT_ONCE])
    waiting = {str(pk) for pk in found.filter(pk__in=[row.item for row in due]).values_list("pk", flat=True)}
    FailingItem.objects.filter(pk__in=[row.pk for row in due if row.item not in waiting]).delete()
    resting = FailingItem.objects.filter(queue=queue, next_at__gt=now, item=Cast(OuterRef("pk"), CharField()))
    return found.filter(~Exists(resting))


def next_batch[Row: Model](name: str, found: QuerySet[Row], *, at_most: int) -> list[Row]:
    """The next of them, from where the last batch ended. Their order is by what is never empty, and last by the key."""
    if found.query.is_empty():
        # `none()`, which has lost its order.
        return []
    by = [str(field) for field in found.query.order_by]
    assert by and not any(field.startswith("-") for field in by), name  # noqa: S101 - the caller says in which order
    last = _positions.pop(name, None)
    given = list(found.filter(_behind(by, last))[:at_most]) if last is not None else []
    given = given or list(found[:at_most])
    if len(given) == at_most:
        _positions[name] = tuple(attrgetter(field.replace("__", "."))(given[-1]) for field in by)
    return given


def _behind(by: Sequence[str], last: Sequence[Any]) -> Q:
    """What comes later in this order."""
    behind = Q(pk__in=[])
    for place, field in enumerate(by):
        behind |= Q(**dict(zip(by[:place], last[:place], strict=True)), **{f"{field}__gt": last[place]})
    return behind
