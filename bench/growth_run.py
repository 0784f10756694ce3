"""The run of `bench/growth`."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench import measure, place

SIZES, FEW = (1_000, 100_000, 1_000_000), (1_000, 20_000)
AT_MOST = 1.2


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--sizes", help="such as 1000,100000")
    parser.add_argument("--applications", type=int, help="so many on each (100; with --quick 25)")
    parser.add_argument("--one", type=int, help="one size alone, for the command itself: its rows as JSON")
    given = parser.parse_args()
    count = given.applications or (25 if given.quick else 100)
    if given.one:
        print(json.dumps(_on(given.one, count)))
        return
    conditions, rows = measure.conditions(), list[dict[str, Any]]()
    for size in measure.sizes(given.sizes, FEW if given.quick else SIZES):
        place.say(f"{size:,} registrations and closed cases")
        told = subprocess.run(
            [sys.executable, sys.argv[0], "--one", str(size), "--applications", str(count)],
            check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        rows += json.loads(told.stdout.splitlines()[-1])
    least = {row["part"]: row for row in reversed(rows)}
    for row in rows:
        row["of the smallest"] = row["cpu ms"] / least[row["part"]]["cpu ms"]
    measure.report(rows, given=given, about=conditions, experiment="growth")
    worst = max(rows, key=lambda row: row["of the smallest"])
    print(f"most: {worst['part']} at {worst['registrations']:,}, {worst['of the smallest']:.2f} (at most {AT_MOST})")


def _on(size: int, count: int) -> list[dict[str, Any]]:
    from bench import desk_run

    with desk_run.desk(None, 1, size, size + 100, readable=False):
        from django.db import connection
        from django.utils import timezone

        from bench.deadline_day_run import Person
        from rahdari import workflow
        from rahdari.apply.models import Application
        from rahdari.confirm.models import SubscriberQuestion
        from rahdari.db.connections import backend_of
        from tests.bench import test_whole_application as walk

        # Here no query is counted: to keep the text of each costs more than what is looked for.
        walk.CaptureQueriesContext = lambda _: nullcontext(())  # type: ignore[assignment, misc]
        spent = Path(f"/proc/{backend_of(connection)}/schedstat")
        rounds, began = workflow.Rounds(), timezone.now()
        taken: dict[str, list[tuple[float, float]]] = {}

        def part(name: str, do: Callable[[], object]) -> None:
            ours, servers = time.process_time(), desk_run.seconds(spent)
            do()
            cost = time.process_time() - ours, desk_run.seconds(spent) - servers
            taken.setdefault(name, []).append(cost)

        def advance() -> None:
            workflow.advance(now=timezone.now(), rounds=rounds)

        # What outsiders answered of the files that were copied has long been taken in.
        SubscriberQuestion.objects.filter(delivered_at__isnull=True).update(delivered_at=began)
        for number in range(1, count + 1):
            advance()
            visitor = walk.Counting(f"203.0.113.{number}")
            person = Person(number, False, visitor.address, 80)
            part("pages", lambda person=person, visitor=visitor: person.fill_in(visitor, walk.Outbox(), b""))  # type: ignore[misc]
            part("workflow", advance)
            part("idle round", advance)
        granted = Application.objects.filter(status="granted", submitted_at__gte=began).count()
        return [
            {
                "registrations": size,
                "part": name,
                "cpu ms": sum(ours for ours, _ in best) / len(best) * 1e3 + sum(of for _, of in best) / len(best) * 1e3,
                "cpu of postgres ms": sum(of for _, of in best) / len(best) * 1e3,
                "applications": count,
                "granted": granted,
            }
            for name, costs in taken.items()
            for best in [sorted(costs, key=sum)[: max(len(costs) // 4, 1)]]
        ]
