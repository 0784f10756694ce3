"""What time it is for tests: the same in each run.

From before the first file of tests is read, Python's clock in this process says BEGIN and goes on from there. So
nothing depends on the day on which the suite runs. A test that is about another time says which (`time_machine`).

    RAHDARI_TEST_CLOCK=2028-02-29T12:00 ./test tests/calendar     runs at another time, in UTC

What reads another clock cannot share ours: a process that a test starts, and whoever it talks to. Such files are in
MACHINE, and run by the clock of the machine.
"""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import time_machine

TESTS = Path(__file__).resolve().parent
# A Tuesday, two o'clock in the afternoon at the office; later than the days that tests name for what was before.
BEGIN = "2026-12-08T09:00"
PROCESS = "talks to processes of its own, which say or judge when something was"
TLS = "OpenSSL judges certificates by the clock of the machine"
DATABASE = "mandates end by the clock of the database"
# By file or folder of tests.
MACHINE = {
    "agent/test_dry_run.py": PROCESS,
    "agent/test_following.py": PROCESS,
    "agent/test_killed.py": PROCESS,
    "agent/test_next_metadata.py": PROCESS,
    "agent/test_proxy.py": TLS,
    "agent/test_table_gone.py": PROCESS,
    "agent/test_transport.py": TLS,
    "agent/test_with_the_publisher.py": PROCESS,
    "confirm/test_callbacks.py": TLS,
    "control/test_vantage_points.py": PROCESS,
    "journeys": PROCESS,
    "lookup/test_process.py": PROCESS,
    "lookup/test_rdap_clients.py": TLS,
    "lookup/test_same_answers.py": PROCESS,
    "ops": PROCESS,
    "portal/test_mandates.py": DATABASE,
    "publish/test_crash.py": PROCESS,
    "publish/test_standby.py": PROCESS,
    "push": PROCESS,
    "tunnels": PROCESS,
    "vantage": PROCESS,
    "watch/test_rounds.py": PROCESS,
}


def begins() -> dt.datetime:
    return dt.datetime.fromisoformat(os.environ.get("RAHDARI_TEST_CLOCK") or BEGIN).replace(tzinfo=dt.UTC)


def by_the_machine(path: Path) -> bool:
    if not path.is_relative_to(TESTS):
        return False
    own = path.relative_to(TESTS)
    return any(str(each) in MACHINE for each in (own, *own.parents))


class Clock:
    """A plugin that stands from when it is made until it is closed."""

    def __init__(self) -> None:
        self._travel = time_machine.travel(begins(), tick=True)
        self._travel.start()

    def close(self) -> None:
        self._travel.stop()

    @contextmanager
    def _of(self, path: Path) -> Iterator[None]:
        if not by_the_machine(path):
            yield
            return
        at = dt.datetime.now(dt.UTC)
        self._travel.stop()
        try:
            yield
        finally:
            self._travel = time_machine.travel(at, tick=True)
            self._travel.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[Any]:
        with self._of(collector.path if isinstance(collector, pytest.Module) else TESTS):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        with self._of(item.path):
            return (yield)
