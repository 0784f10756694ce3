"""What each file of tests costs, and which `./test` leaves out for that: those in dear.txt.

    RAHDARI_TEST_COSTS=1 ./test     runs them too, and writes dear.txt anew

Processor seconds of the tests' process and of the programs that it started and that have ended. What PostgreSQL does is
not counted, and how long a test waits is not either: both depend on the machine.
"""

import json
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
LIST = TESTS / "dear.txt"
# From so many on.
SECONDS = 4
HEAD = f"# Files whose tests cost {SECONDS} or more processor seconds. RAHDARI_TEST_COSTS=1 ./test writes this anew.\n"
# Run by every `./test`, whatever they cost: the main way in a browser, and whole applications through pages and acts;
# what is told of the code by reading it; the bounds that every sentence and every output keeps.
ALWAYS = frozenset(
    {
        "journeys/test_freelancer.py",
        "portal/test_whole_applications.py",
        "architecture/test_rules.py",
        "docs/test_errors.py",
        "journal/test_registry.py",
        "safeguards/test_truth.py",
        "safeguards/test_nothing_is_made_for_blocking.py",
    }
)


def listed() -> frozenset[str]:
    return frozenset(line.split()[1] for line in LIST.read_text("utf-8").splitlines() if not line.startswith("#"))


def mark(items: list[pytest.Item]) -> None:
    dear = listed()
    for item in items:
        if item.path.is_relative_to(TESTS) and str(item.path.relative_to(TESTS)) in dear:
            item.add_marker("dear")


def spent() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


class Costs:
    """A plugin: each worker counts, and the process that was called writes the list."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._seconds: Counter[str] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        before = spent()
        done = yield
        self._seconds[str(item.path.relative_to(TESTS))] += spent() - before
        return done

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._seconds.update(json.loads(node.workeroutput["costs"]))

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput["costs"] = json.dumps(self._seconds)
            return
        found = sorted((name, cost) for name, cost in self._seconds.items() if cost >= SECONDS and name not in ALWAYS)
        LIST.write_text(HEAD + "".join(f"{cost:5.0f} {name}\n" for name, cost in found), "utf-8")
