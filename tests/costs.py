"""What each file of tests costs, as the runs themselves measure it.

    RAHDARI_TEST_COSTS=1 ./test     runs every test in its short form, and writes costs.txt anew

costs.txt is committed: what the lanes leave out follows from it (tests/lanes.py). Each run keeps what it measured in
`.data/tests/costs.json`, and says which files made it dearer than the run before, on this machine, by 5 % or more.

Processor seconds of the tests' process and of the programs that it started and that have ended. What PostgreSQL does is
not counted, and how long a test waits is not either: both depend on the machine.
"""

import json
import math
import os
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.needs import everything_is_needed

TESTS = Path(__file__).resolve().parent
LIST = TESTS / "costs.txt"
KEPT = TESTS.parent / ".data" / "tests" / "costs.json"
HEAD = """\
# Of each file of tests: processor seconds of those that are not marked `whole`, and of those that are; how many cases
# there are of both. RAHDARI_TEST_COSTS=1 ./test writes this anew.
"""
GROWTH = 0.05
# What two runs of the same differ by.
NOISE = 1.0


@dataclass
class Cost:
    """In processor seconds; `wall` by the clock on the wall. A case is a test, or one case of a test of `each`."""

    short: float = 0.0
    whole: float = 0.0
    wall: float = 0.0
    cases: int = 0

    @property
    def all(self) -> float:
        return self.short + self.whole


@cache
def listed() -> Mapping[str, Cost]:
    rows = (line.split() for line in LIST.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {name: Cost(float(short), float(whole), cases=int(cases)) for short, whole, cases, name in rows}


def cases(item: pytest.Item) -> int:
    return math.prod(len(values) for values in getattr(getattr(item, "function", None), "each_of", {}).values())


def grown(now: Mapping[str, Cost], before: Mapping[str, Cost]) -> list[str]:
    """What to say of files that ran the same number of cases both times; nothing where all is about as before."""
    same = [name for name, cost in now.items() if name in before and before[name].cases == cost.cases]
    spent, was = sum(now[name].all for name in same), sum(before[name].all for name in same)
    if spent <= was * (1 + GROWTH) or spent - was < NOISE:
        return []
    more = sorted(same, key=lambda name: before[name].all - now[name].all)
    dearer = [name for name in more if now[name].all - before[name].all >= NOISE]
    return [
        f"tests cost {spent:.0f} processor seconds, and the last time {was:.0f}; most of it by:",
        *(f"{before[name].all:7.1f} -> {now[name].all:.1f} {name}" for name in dearer[:10]),
    ]


def spent() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


class Costs:
    """A plugin: each worker counts, and the process that was called writes."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._costs: dict[str, Cost] = {}
        self._said: list[str] = []
        # Taken from what the tests start in their turn.
        self._writes = os.environ.pop("RAHDARI_TEST_COSTS", "") == "1"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        before, began = spent(), time.monotonic()
        done = yield
        # `optional/walk.py` and its like are run by a test, which is what they cost.
        if item.path.is_relative_to(TESTS) and item.path.name.startswith("test_"):
            cost = self._costs.setdefault(str(item.path.relative_to(TESTS)), Cost())
            kind = "whole" if item.get_closest_marker("whole") else "short"
            setattr(cost, kind, getattr(cost, kind) + spent() - before)
            cost.wall += time.monotonic() - began
            cost.cases += cases(item)
        return done

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for name, told in json.loads(getattr(node, "workeroutput", {}).get("costs", "{}")).items():
            self._costs[name] = Cost(**told)

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workeroutput"):
            told = {name: asdict(cost) for name, cost in self._costs.items()}
            self._config.workeroutput["costs"] = json.dumps(told)
        elif self._costs:
            self._keep("all" if everything_is_needed() else "short")
            if self._writes:
                write({**listed(), **self._costs})

    def _keep(self, form: str) -> None:
        kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
        before = {name: Cost(**told) for name, told in kept.get(form, {}).items()}
        self._said = grown(self._costs, before)
        kept[form] = {name: asdict(cost) for name, cost in (before | self._costs).items()}
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(kept, indent=0, sort_keys=True), "utf-8")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for line in self._said:
            terminalreporter.write_line(line)


def write(costs: Mapping[str, Cost]) -> None:
    there = sorted((name, cost) for name, cost in costs.items() if (TESTS / name).exists())
    rows = (f"{cost.short:7.1f} {cost.whole:7.1f} {cost.cases:5} {name}\n" for name, cost in there)
    LIST.write_text(HEAD + "".join(rows), "utf-8")
