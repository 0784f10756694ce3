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

from django.conf import settings  # noqa: E402
from django.db import connections  # noqa: E402
from tuf.api.metadata import Metadata  # noqa: E402

from rahdari.feed import live_files  # noqa: E402
from rahdari.feed.repository import ROLES, head_of  # noqa: E402
from rahdari.publish import actions, folder, rules  # noqa: E402
from rahdari.publish.envelope import Repository  # noqa: E402
from rahdari.publish.models import Operator  # noqa: E402
from tests.builders.publishing import NOW, address, an_operator, entered, moved, struck_out  # noqa: E402
from tests.publish.crash_driver_points import CHECKPOINTS  # noqa: E402

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


def look(repository: Repository) -> dict[str, list[object]]:
    """What each operator sees at this moment must be whole. Returns, for each and each role, where it is led to."""
    seen: dict[str, list[object]] = {}
    for each in repository.all():
        published = each.published()
        if published is None:
            continue
        each.check(published)
        for role in ROLES:
            path = each.metadata / f"{published.roles[role].version}.{role}.json"
            signed = Metadata.from_file(str(path)).signed
            head = head_of(signed)
            if head.sequence != published.stamp.heads[role].sequence:
                raise SystemExit(f"{path} leads elsewhere than the timestamp says")
            files = live_files(signed, role=role)
            if not any(file.from_sequence is None for file in files):
                raise SystemExit(f"{path} names no snapshot")
            for file in files:
                if not folder.holds(repository.place_of(file), sha256=file.sha256, length=file.length):
                    raise SystemExit(f"{file.path} is named and is not there")
            seen[f"{each.name} {role}"] = [published.roles[role].version, head.sequence, published.timestamp_version]
    return seen


def main(data: Path) -> None:
    settings.DATA = data
    rules.ENTRIES_AT_A_TIME, rules.LISTINGS_AT_A_TIME, rules.MERGED_BY = 2, 3, 3
    rules.OPERATIONS_AT_ONCE, rules.LIVE_NARROW = 5, 6
    repository = Repository(data)
    an_operator("first", asns=[64500])
    an_operator("gateway", gateway=True)
    killed_at, looks = set(), []
    numbers = itertools.count()

    def change_and_run(wanted: Callable[[int, str], bool]) -> str:
        number = next(numbers)
        now = NOW + number * rules.SNAPSHOT_EVERY / 2
        registration = entered(address(2 * number), address(2 * number + 1), asn=64500 + number % 2, now=NOW)
        moved(registration, address(5000 + number), asn=64500 + number % 3, now=now)
        if number % 3 == 0:
            struck_out(registration, now=now)
        if number % 11 == 4 and number < 40:
            # Rights that nobody has: a stream that is filled, and an operator that comes to it.
            an_operator(f"new-{number}", asns=[64500, 64501, 65000 + number])
        if number % 7 == 6:
            first = Operator.objects.get(slug="first")
            asns = [64500, 64501] if first.asns == [64500] else [64500]
            actions.change_rights(operator=first, asns=asns, gateway=False, actor="officer:1", now=now)
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
