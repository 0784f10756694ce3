"""A simulated country, small: what the rules make of servers that fail, of a trial, and of whole days. The large form
is `bench/continuity`, whose figures stand in docs/continuity.md."""

import datetime as dt
from collections import Counter

import pytest

from bench import continuity_run
from bench.country import Kind
from rahdari.watch.facts import Facts, Neighbours
from rahdari.watch.neighbours import Neighbourhood, Standing
from rahdari.watch.sketch import BOUNDS, MOST, Sketch
from rahdari.watch.verdicts import State
from tests.needs import fewer

from .seen import AT

MINUTE = dt.timedelta(minutes=1)


def test_no_failure_of_a_server_is_the_operators() -> None:
    found = continuity_run.failures(fewer(3_000, 300), seed=7, endpoints=200)
    assert sum(count for (_, state), count in found.items() if state is State.THIS_OPERATOR) == 0
    of_crashes = {state: count for (kind, state), count in found.items() if kind is Kind.CRASHED}
    assert of_crashes[State.SERVER_DOWN] >= 0.9 * sum(of_crashes.values())


@pytest.mark.parametrize("form", continuity_run.FORMS)
def test_the_trial_is_found_named_and_closed(form: str) -> None:
    row = continuity_run.replay(form, seed=3, endpoints=fewer(500, 120), hours=fewer(6, 1))
    assert row["found in round"] <= 3 and row["closed in round"] <= 3
    assert row["named rightly %"] >= 95 and row["others named %"] == 0


def test_in_ordinary_days_no_operator_is_named_but_for_its_own() -> None:
    found: Counter[Kind | None] = Counter()
    for (kind, state), count in continuity_run.year(fewer(30, 2), seed=5).items():
        if state is State.THIS_OPERATOR:
            found[kind] += count
    assert set(found) <= {Kind.OUTAGE, Kind.FILTER, Kind.FILTER_ONE, Kind.FILTER_WITHIN}


class TestNeighbours:
    def around(self, *standings: Standing) -> Facts:
        me = Standing("a", "me", reached=False, failing_since=AT)
        return Neighbourhood([me, *standings]).beside(Facts(AT, ("AS64500",), ()), me)

    def failing(self, holder: str, minutes: int, *, operator: str = "a", alive: bool | None = None) -> Standing:
        return Standing(operator, holder, reached=False, failing_since=AT + MINUTE * minutes, alive=alive)

    def test_are_holders_and_not_endpoints(self) -> None:
        many = [self.failing("b", 0) for _ in range(9)]
        assert self.around(*many).same_operator == Neighbours(0, 1, 1, 0, 0)
        mostly_well = [*many[:1], *[Standing("a", "b", reached=True)] * 2]
        assert self.around(*mostly_well).same_operator == Neighbours(1, 0, 0, 0, 0)

    def test_are_never_the_same_holder(self) -> None:
        assert self.around(self.failing("me", 0), self.failing("me", 0, operator="b")).same_operator == Neighbours()

    def test_stopped_together_within_a_quarter_of_an_hour(self) -> None:
        told = self.around(
            self.failing("b", -15, alive=True),
            self.failing("c", 15, alive=False),
            self.failing("d", 16, alive=True),
            Standing("a", "e", reached=False),
            Standing("a", "f", reached=None),
            Standing("b", "g", reached=True),
            self.failing("h", 3, operator="b"),
        )
        assert told.same_operator == Neighbours(0, 4, 2, 1, 1)
        assert told.others == (Neighbours(1, 1, 1, 0, 0),)


class TestASketch:
    def test_says_what_is_usual_and_forgets_slowly(self) -> None:
        sketch = Sketch()
        assert sketch.usual is None
        for n in range(100):
            sketch.add(900 if n % 20 == 0 else 40, 1)
        usual = sketch.usual
        assert usual is not None and usual.looks == 100
        assert 40 <= usual.median_ms <= 60 and usual.high_ms <= 60 and usual.sent == 1
        again = Sketch(sketch.counts)
        assert again.usual == usual
        for _ in range(MOST * 3):
            again.add(300, 3)
        assert again.looks < MOST
        assert again.usual is not None and again.usual.median_ms >= 300 and again.usual.sent == 3

    def test_holds_any_time(self) -> None:
        sketch = Sketch()
        for latency in (0, 1, BOUNDS[-1], 10**9):
            sketch.add(latency, 0)
        assert sketch.looks == 4 and max(sketch.counts) <= 65_535
