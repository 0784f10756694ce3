"""The run of `bench/line --waiting`: rounds of the workflow where every queue is full."""

import argparse
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import measure

READ = re.compile(r"^\s*(SELECT|WITH)\b", re.IGNORECASE)


class Meter:
    """Statements, rows that came back, and processor time of this process and of its server process."""

    def __init__(self, backend: int) -> None:
        self._spent = Path(f"/proc/{backend}/schedstat")
        self.statements = self.rows = self.most_rows = 0
        self.began, self.ours, self.servers = time.perf_counter(), time.process_time(), self._seconds()

    def _seconds(self) -> float:
        return int(self._spent.read_text().split()[0]) / 1e9

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        self.statements += 1
        rows = context["cursor"].rowcount if READ.match(sql) else 0
        self.rows, self.most_rows = self.rows + rows, max(self.most_rows, rows)
        return found

    def row(self, what: str, waiting: int, moved: int) -> dict[str, Any]:
        return {
            "round": what,
            "waiting": waiting,
            "cpu worker ms": (time.process_time() - self.ours) * 1e3,
            "cpu postgres ms": (self._seconds() - self.servers) * 1e3,
            "ms": (time.perf_counter() - self.began) * 1e3,
            "moved": moved,
            "statements": self.statements,
            "rows": self.rows,
            "rows of the largest answer": self.most_rows,
        }


def main(given: argparse.Namespace) -> None:
    import pytest

    about, rows = measure.conditions(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as name, pytest.MonkeyPatch.context() as patched:
        os.environ["DJANGO_SETTINGS_MODULE"] = "rahdari.settings.test"
        from rahdari.ops.postgres import throwaway_postgres

        with throwaway_postgres() as os.environ["DATABASE_URL"]:
            import django

            django.setup()
            from django.conf import settings
            from django.core.management import call_command
            from django.db import connection

            from rahdari import workflow
            from rahdari.db.connections import backend_of
            from rahdari.vault import keys
            from tests.builders.cases import HOUR, NOW
            from tests.builders.shared import known_networks
            from tests.workflow.test_rounds import MINUTE, SECOND
            from tests.workflow.waiting import fill

            keys.make_missing(Path(settings.DATA) / "keys")
            call_command("migrate", verbosity=0)
            with known_networks():
                fill(given.waiting, Path(name), patched)
                rounds = workflow.Rounds()
                # An hour after they came, so that nothing counts as new: minutes of a worker that was just started.
                for number in range(4 if given.quick else 12):
                    for what, now, woken in (
                        ("whole, every ten minutes", NOW + HOUR + 10 * number * MINUTE, True),
                        ("woken", NOW + HOUR + 10 * number * MINUTE + SECOND, True),
                        ("unwoken", NOW + HOUR + 10 * number * MINUTE + 2 * SECOND, False),
                    ):
                        meter = Meter(backend_of(connection))
                        with connection.execute_wrapper(meter):
                            moved = sum(workflow.advance(now=now, rounds=rounds, woken=woken).values())
                        rows.append(meter.row(what, given.waiting, moved))
            connection.close()
    by_kind = {what: [row for row in rows if row["round"] == what] for what in dict.fromkeys(r["round"] for r in rows)}
    told = [
        {name: max(each[name] for each in kind) if name != "round" else what for name in kind[0]}
        for what, kind in by_kind.items()
    ]
    measure.report(told, given=given, about=about, experiment="waiting")
