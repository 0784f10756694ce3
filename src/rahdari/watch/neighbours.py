"""How it stands with other holders at each operator: what an endpoint's own facts are held against. Pure.

standings = {id: Standing(operator, holder), ...}
standings[id].take(judge(facts), at)              # of every look of the round
counted = Neighbourhood(standings.values())
facts = counted.beside(facts, standings[id])      # and the failing ones are judged again
"""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from itertools import accumulate

from .facts import NOBODY, Facts, Neighbours
from .verdicts import NETWORKS_NEEDED, Rule, Verdict

# Three rounds of those who are measured most often.
TOGETHER_WITHIN = dt.timedelta(minutes=15)


@dataclass(slots=True)
class Standing:
    """How one endpoint stood when it was looked at last. None: it could not be said."""

    operator: str
    holder: Hashable
    reached: bool | None = None
    failing_since: dt.datetime | None = None
    alive: bool | None = None

    def take(self, verdict: Verdict, at: dt.datetime) -> None:
        """What was seen at `at`. Of nothing seen nothing is taken: it stands as it stood."""
        reached, failed = len(verdict.reached), len(verdict.failed)
        if failed >= NETWORKS_NEEDED and reached < NETWORKS_NEEDED:
            # One that was never reached has not stopped.
            if self.reached:
                self.failing_since = at
            self.reached = False
            self.alive = True if verdict.alive else False if verdict.rule is Rule.OWN_AGENT else None
        elif reached >= NETWORKS_NEEDED:
            self.reached, self.failing_since, self.alive = True, None, None


class Neighbourhood:
    """All standings, counted by operator and holder: one holder counts once, as not reached when most of their
    endpoints there are not."""

    def __init__(self, standings: Iterable[Standing]) -> None:
        self._by_holder: dict[Hashable, dict[str, list[Standing]]] = {}
        for each in standings:
            if each.reached is not None:
                self._by_holder.setdefault(each.holder, {}).setdefault(each.operator, []).append(each)
        operators: dict[str, _Operator] = {}
        for of_holder in self._by_holder.values():
            for name, endpoints in of_holder.items():
                operators.setdefault(name, _Operator()).add(_Holder(endpoints))
        self._operators = {name: operators[name].counted() for name in sorted(operators)}

    def beside(self, facts: Facts, standing: Standing) -> Facts:
        """The facts, with how the others stand; its own holder's other endpoints count nowhere."""
        own = {name: _Holder(those) for name, those in self._by_holder.get(standing.holder, {}).items()}
        counted = {
            name: operator.around(standing.failing_since, own.get(name)) for name, operator in self._operators.items()
        }
        here = counted.pop(standing.operator, NOBODY)
        return replace(facts, same_operator=here, others=tuple(counted.values()))


class _Holder:
    """A holder's endpoints at one operator, as one."""

    def __init__(self, endpoints: list[Standing]) -> None:
        failing = [each for each in endpoints if not each.reached]
        self.failed = 2 * len(failing) > len(endpoints)
        self.since = min((each.failing_since for each in failing if each.failing_since is not None), default=None)
        signs = sum((each.alive is True) - (each.alive is False) for each in failing)
        self.alive, self.dead = signs > 0, signs < 0


class _Operator:
    def __init__(self) -> None:
        self.reached = self.failed = 0
        self.stopped: list[tuple[dt.datetime, bool, bool]] = []

    def add(self, holder: _Holder) -> None:
        self.reached += not holder.failed
        self.failed += holder.failed
        if holder.failed and holder.since is not None:
            self.stopped.append((holder.since, holder.alive, holder.dead))

    def counted(self) -> "_Operator":
        self.stopped.sort()
        self.times = [since for since, _, _ in self.stopped]
        self.alive = [0, *accumulate(alive for _, alive, _ in self.stopped)]
        self.dead = [0, *accumulate(dead for _, _, dead in self.stopped)]
        return self

    def around(self, since: dt.datetime | None, without: _Holder | None) -> Neighbours:
        """Those who stopped in the same minutes, without one of them."""
        first = last = 0
        if since is not None and self.times:
            first = bisect_left(self.times, since - TOGETHER_WITHIN)
            last = bisect_right(self.times, since + TOGETHER_WITHIN)
        found = Neighbours(
            self.reached,
            self.failed,
            last - first,
            self.alive[last] - self.alive[first],
            self.dead[last] - self.dead[first],
        )
        if without is None:
            return found
        also = (
            without.failed
            and since is not None
            and without.since is not None
            and abs(without.since - since) <= TOGETHER_WITHIN
        )
        less = (not without.failed, without.failed, also, also and without.alive, also and without.dead)
        return Neighbours(*(many - its for many, its in zip(found, less, strict=True)))
