"""A program that publishes and is killed: once at every kind of checkpoint, then at the first, second, third one of a
run, and so on, until a run comes to its end. The second round also meets the runs that mend what the last one left.

Called by test_crash with the data folder and DATABASE_URL. Each run is a process of its own that ends in the middle
without a word (`os._exit`): no handler, no `finally`, no rollback but the database's own. Between runs the register
changes. After each kill everything that is visible is held against itself. Prints what happened as JSON.
"""

import itertools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "rahdari.settings.test"
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402

from rahdari.publish import actions, folder, rules  # noqa: E402
from rahdari.publish.envelope import Repository  # noqa: E402
from tests.publish.world import NOW, address, entered, moved, struck_out  # noqa: E402

KILLED = 9
CHECKPOINTS = [
    "cut: before commit",
    "cut: committed",
    *(f"delta: {at}" for at in ("half written", "written", "renamed", "in place")),
    *(f"snapshot: {at}" for at in ("noted", "written", "renamed", "in place")),
    *(
        f"{role}.json: {at}"
        for role in ("feed", "snapshot", "timestamp")
        for at in ("half written", "written", "renamed", "in place")
    ),
    "signed",
    "mark: before commit",
    "mark: committed",
]


def run_until(wanted: Callable[[int, str], bool]) -> str:
    """Publish in a process that ends at the checkpoint that is wanted; return its name, or "" when none was."""
    connections.close_all()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            passed = 0

            def check(name: str) -> None:
                nonlocal passed
                if wanted(passed, name):
                    os.write(writing, name.encode())
                    os._exit(KILLED)
                passed += 1

            actions.publish_editions(now=NOW, checkpoint=check)
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


def look(repository: Repository) -> int:
    """What a reader sees at this moment must be whole. Returns the edition it leads to, -1 when there is none yet."""
    published = repository.published()
    if published is None:
        return -1
    for path, target in published.targets.items():
        parent, _, name = path.rpartition("/")
        sha256 = target.hashes["sha256"]
        place = repository.targets / parent / f"{sha256}.{name}"
        if not folder.holds(place, sha256=sha256, length=target.length):
            raise SystemExit(f"{path} is named and is not there")
    return published.head.sequence


def main(data: Path) -> None:
    settings.DATA = data
    rules.SNAPSHOT_EVERY, rules.ENTRIES_AT_A_TIME = 3, 2
    repository = Repository(data)
    killed_at, heads = set(), []
    numbers = itertools.count()

    def change_and_run(wanted: Callable[[int, str], bool]) -> str:
        number = next(numbers)
        first = entered(address(2 * number), address(2 * number + 1))
        moved(first, address(5000 + number))
        if number % 3 == 0:
            struck_out(first)
        name = run_until(wanted)
        heads.append(look(repository))
        killed_at.add(name)
        return name

    for wanted in CHECKPOINTS:
        # Not every run writes a snapshot: go on until one does.
        for _ in range(10):
            if change_and_run(lambda _, name, wanted=wanted: name == wanted):
                break
        else:
            raise SystemExit(f"no run passed {wanted}")
    for place in itertools.count():
        if not change_and_run(lambda passed, _, place=place: passed == place):
            break
    actions.publish_editions(now=NOW)
    heads.append(look(repository))
    print(json.dumps({"killed_at": sorted(killed_at - {""}), "runs": next(numbers), "heads": heads}))


main(Path(sys.argv[1]))
