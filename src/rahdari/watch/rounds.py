"""The rounds of `rahdari watch run`: who is due is looked at from all places, judged beside its neighbours, written.

It is a process of its own. It asks servers of strangers, and computes all the time where very many are measured;
neither may slow a decision or a page. Stopped, it slows nothing: nobody waits for what it writes.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import batched
from typing import Protocol

from rahdari.probe import Answered, Attempt, Outcome, ProbeAnswer, WireguardClaim

from . import asking, queries, recording
from .board import Board, Watched
from .facts import NOBODY, Facts, Look, Side
from .neighbours import Neighbourhood
from .recording import Judged
from .verdicts import NETWORKS_NEEDED, judge

log = logging.getLogger("rahdari.watch")

# What a look may take: one that is lost is worth no more.
TIMEOUT = 5.0
# Beside the control endpoint, which is the first of each batch.
IN_A_BATCH = 200
BATCHES_AT_ONCE = 6
ROUND = dt.timedelta(seconds=10)
# The first is told by the figures alone.
ROUNDS_BEFORE_ALARM = 2
REFRESH_EVERY = dt.timedelta(minutes=10)
NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


class Ask(Protocol):
    """Asks one place for many looks: its clock, and what each came to. Raises nothing."""

    def __call__(
        self, attempts: Sequence[Attempt], *, timeout: float, now: dt.datetime
    ) -> tuple[dt.datetime | None, list[Answered]]: ...


@dataclass(frozen=True)
class Place:
    """From where it is looked."""

    name: str
    network: str
    ask: Ask


@dataclass(frozen=True)
class Batch:
    """What one place is asked at once."""

    place: Place
    side: Side
    watched: tuple[Watched, ...]


class Rounds:
    """`control` is what each place looks at first: our own endpoint, without which nothing is said.

    `applied` says of a network which edition it had applied, where that is known.
    """

    def __init__(
        self,
        places: Sequence[Place],
        control: Attempt | None,
        *,
        clock: Callable[[], dt.datetime],
        applied: Callable[[str], int | None] = lambda network: None,
    ) -> None:
        self.board = Board()
        self._places, self._control = tuple(places), control
        self._applied, self._clock = applied, clock
        self._threads = ThreadPoolExecutor(max(1, len(self._places)) * BATCHES_AT_ONCE, "looks")
        self._refreshed, self._failed_rounds = NEVER, 0
        self._controls: dict[str, Outcome | None] = {}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def woken(self, now: dt.datetime) -> int:
        """A round after somebody agreed or withdrew."""
        self._refreshed = NEVER
        return self(now)

    def __call__(self, now: dt.datetime) -> int:
        """Look at all who are due; return how many."""
        rules = queries.rules_in_force()
        if rules is None:
            return 0
        if now - self._refreshed >= REFRESH_EVERY:
            self.board.refresh(now)
            self._refreshed = now
        self.board.hear(now)
        most = max(1, int(rules.most_a_minute * ROUND / dt.timedelta(minutes=1)) // max(1, len(self._places)))
        due = self.board.take_due(now, most=most)
        if due:
            self.look_at(due, now)
        return len(due)

    def look_at(self, due: Sequence[Watched], now: dt.datetime) -> list[Judged]:
        """One look at each of these, from every place that its holder agreed to."""
        looks: dict[int, list[Look]] = {id(each): [] for each in due}
        for watched, look in self._looks(due, now):
            looks[id(watched)].append(look)
        if any(each.agent for each in due):
            self.board.read_reports()
        changed, judged = list[tuple[Watched, Look]](), list[Judged]()
        for watched in due:
            counted = []
            for look in looks[id(watched)]:
                seen, is_new = recording.count(watched, look)
                counted.append(seen)
                if is_new:
                    changed.append((watched, seen))
            if watched.reported is not None:
                counted.append(watched.reported)
            applied = self._applied(watched.standing.operator)
            facts = Facts(now, watched.networks, tuple(counted), NOBODY, (), applied)
            verdict = judge(facts)
            watched.standing.take(verdict, now)
            judged.append(Judged(watched, facts, verdict))
        judged = list(self._beside_neighbours(judged, now))
        self._say_whether_it_failed(judged, now)
        recording.record(self.board, judged, changed, self._clock())
        if asked := [each for each in due if each.asked]:
            asking.looked([each.consent for each in asked], self._clock())
            for each in asked:
                each.asked = False
        return judged

    def _beside_neighbours(self, judged: Sequence[Judged], now: dt.datetime) -> Iterator[Judged]:
        """Those that are not reached, judged again beside all others."""
        around: Neighbourhood | None = None
        for each in judged:
            if len(each.verdict.failed) < NETWORKS_NEEDED:
                yield each
                continue
            if around is None:
                around = Neighbourhood(watched.standing for watched in self.board.all.values())
            facts = around.beside(each.facts, each.watched.standing)
            verdict = judge(facts)
            each.watched.standing.take(verdict, now)
            yield Judged(each.watched, facts, verdict)

    def _say_whether_it_failed(self, judged: Sequence[Judged], now: dt.datetime) -> None:
        failed = all(each.verdict.alarm for each in judged)
        self._failed_rounds, before = (self._failed_rounds + 1 if failed else 0), self._failed_rounds
        # One round without it: the pages are just being started, here or anew.
        if self._failed_rounds == ROUNDS_BEFORE_ALARM:
            log.error(
                "No place reaches our own control endpoint: nothing is said of anybody until one does. Look at "
                "RAHDARI_WATCH_CONTROL, at our own network, and at `rahdari vantage list`."
            )
        elif before >= ROUNDS_BEFORE_ALARM and not failed:
            log.warning("Our own control endpoint is reached again.")
        recording.measured(now, failed=failed)

    def _looks(self, due: Sequence[Watched], now: dt.datetime) -> Iterator[tuple[Watched, Look]]:
        for batches in self._phases(due):
            asked = [(batch, self._threads.submit(self._ask_batch, batch)) for batch in batches]
            for batch, answer in asked:
                clock, answers = answer.result()
                yield from self._read(batch, clock, answers, now)

    def _phases(self, due: Sequence[Watched]) -> Iterator[list[Batch]]:
        """All that may be asked by all places at once; and of the rest each by one place after the other."""
        at_once = [each for each in due if each.attempt.claim.AT_ONCE]
        in_turn = [each for each in due if not each.attempt.claim.AT_ONCE]
        places = len(self._places)
        for phase in range(places if in_turn else 1):
            yield [
                Batch(place, side, some)
                for nth, place in enumerate(self._places)
                for side, those in _by_side(
                    place, (at_once if phase == 0 else []) + in_turn[(nth - phase) % places :: places]
                )
                for some in batched(those, IN_A_BATCH)
            ]

    def _ask_batch(self, batch: Batch) -> tuple[dt.datetime | None, list[Answered]]:
        now = self._clock()
        attempts = [_for_now(each.attempt, now) for each in batch.watched]
        control = [self._control] if self._control is not None else []
        return batch.place.ask([*control, *attempts], timeout=TIMEOUT, now=now)

    def _read(
        self, batch: Batch, clock: dt.datetime | None, answers: list[Answered], now: dt.datetime
    ) -> Iterator[tuple[Watched, Look]]:
        received_at = self._clock()
        control = None
        if self._control is not None:
            control = _outcome(answers[0])
            name = batch.place.name
            if name not in self._controls or self._controls[name] is not control:
                self._controls[name] = control
                recording.see_control(name, batch.place.network, control, received_at)
        answers = answers[len(answers) - len(batch.watched) :]
        for watched, answer in zip(batch.watched, answers, strict=True):
            seen = answer if isinstance(answer, ProbeAnswer) else None
            yield (
                watched,
                Look(
                    batch.place.name,
                    batch.place.network,
                    batch.side,
                    _outcome(answer),
                    received_at if clock is not None else now,
                    received_at,
                    control=control,
                    latency_ms=round(seen.elapsed * 1000) if seen is not None else 0,
                    sent=seen.sent if seen is not None else 0,
                    clock=clock,
                ),
            )


def _by_side(place: Place, those: Sequence[Watched]) -> Iterator[tuple[Side, list[Watched]]]:
    inside = [each for each in those if each.inside and place.network in each.networks]
    outside = [each for each in those if each.outside and place.network not in each.networks]
    yield from ((side, some) for side, some in ((Side.INSIDE, inside), (Side.OUTSIDE, outside)) if some)


def _outcome(answer: Answered) -> Outcome | None:
    return answer.outcome if isinstance(answer, ProbeAnswer) else None


def _for_now(attempt: Attempt, now: dt.datetime) -> Attempt:
    """With our time, where a peer takes none that is not later than the last."""
    if isinstance(attempt.claim, WireguardClaim):
        return replace(attempt, claim=replace(attempt.claim, moment=int(now.timestamp() * 1_000_000)))
    return attempt
