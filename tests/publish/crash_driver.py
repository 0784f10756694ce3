"""A program that publishes and is killed: once at every kind of checkpoint, then at the first, second, third one of a
run, and so on, until a run comes to its end. The second round also meets the runs that mend what the last one left.

Called by test_crash with the data folder and DATABASE_URL. Each run is a process of its own that ends in the middle
without a word (`os._exit`): no handler, no `finally`, no rollback but the database's own. Between runs the register
changes, entries move between networks, and operators come and get other rights. After each kill everything that is
visible to any operator is held against itself. Prints what happened as JSON.
"""

import datetime as dt
import itertools
import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "rahdari.settings.test"
django.setup()

from django.db import connections  # noqa: E402

from rahdari.publish import actions, rules  # noqa: E402
from tests.builders.publishing import NOW  # noqa: E402
from tests.publish.crash_driver_points import CHECKPOINTS  # noqa: E402
from tests.publish.crash_world import begin, change, look  # noqa: E402

KILLED = 9


def run_until(wanted: Callable[[int, str], bool], now: dt.datetime) -> str:
    """Publish in a process that ends at the checkpoint that is wanted; return its name, or "" when none was."""
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            passed, one_at_a_time = 0, threading.Lock()

            def check(name: str) -> None:
                nonlocal passed
                with one_at_a_time:
                    if wanted(passed, name):
                        os.write(writing, name.encode())
                        os._exit(KILLED)
                    passed += 1

            actions.publish_editions(now=now, checkpoint=check)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        name = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != (KILLED if name else 0):
        raise SystemExit(f"the run that was to end at {name or 'its end'} ended with {code}")
    return name


def main(data: Path) -> None:
    repository = begin(data)
    killed_at, looks = set(), []
    numbers = itertools.count()

    def change_and_run(wanted: Callable[[int, str], bool]) -> str:
        now = change(next(numbers))
        name = run_until(wanted, now)
        looks.append(look(repository))
        killed_at.add(name)
        return name

    for wanted in CHECKPOINTS:
        # Not every run comes to each: go on until one does.
        for _ in range(16):
            if change_and_run(lambda _, name, wanted=wanted: name == wanted):
                break
        else:
            raise SystemExit(f"no run passed {wanted}")
    # The first ones each, then some of the many that are alike.
    for place in [*range(16), *range(16, 10_000, 16)]:
        if not change_and_run(lambda passed, _, place=place: passed == place):
            break
    actions.publish_editions(now=NOW + next(numbers) * rules.SNAPSHOT_EVERY / 2)
    looks.append(look(repository))
    print(json.dumps({"killed_at": sorted(killed_at - {""}), "runs": next(numbers), "looks": looks}))


main(Path(sys.argv[1]))
