"""The run of `bench/rosters`."""

import argparse
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import measure

ROSTER = "active_taxpayers"
LOOKUPS = 5_000


def main(given: argparse.Namespace) -> None:
    about = measure.conditions()
    size = 200_000 if given.quick else 5_000_000
    with tempfile.TemporaryDirectory(prefix="rahdari-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        os.environ |= {"RAHDARI_DATA": str(data), "DJANGO_SETTINGS_MODULE": "rahdari.settings.test"}
        from rahdari.ops.postgres import running_postgres

        with running_postgres(data) as url:
            os.environ["DATABASE_URL"] = url
            rows = run(Path(folder), size)
    measure.report(rows, given=given, about=about, experiment="rosters")


def run(folder: Path, size: int) -> list[dict[str, Any]]:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    from rahdari.vault import keys

    keys.make_missing(Path(settings.DATA) / "keys")
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(name || '=' || setting, ' ') FROM pg_settings WHERE name IN "
            "('fsync', 'synchronous_commit', 'full_page_writes')"
        )
        durable = cursor.fetchone()
    print(f"PostgreSQL: {durable[0] if durable else ''}", file=sys.stderr)
    path = folder / "taxpayers.csv"
    make_file(path, size)
    rows = [imported(path, size, "import"), imported(path, size, "import, replacing")]
    rows.append(lookups(size))
    # The list of firms has a key of each name besides: the same rows under shorter numbers, with it and, as members of
    # an association, without.
    firms = folder / "firms.csv"
    make_file(firms, size, number=lambda at: f"{at + 1:07d}")
    for roster, what in (("association_members", "without keys of names"), ("companies", "with keys of names")):
        rows.append(imported(firms, size, f"import, {what}", roster=roster))
    return rows


def number_of(at: int) -> str:
    return f"{3_000_000_000_000 + at * 317:013d}"


def make_file(path: Path, size: int, number: Callable[[int], str] = number_of) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("number,name,status,valid_until\n")
        for at in range(size):
            key = "bad" if at % 10_000 == 9_999 else number(at)
            file.write(f"{key},Sample Taxpayer {at},active,{'2027-06-30' if at % 2 else ''}\n")


def imported(path: Path, size: int, what: str, roster: str = ROSTER) -> dict[str, Any]:
    from django.utils import timezone

    from rahdari.checks import rosters

    began = time.perf_counter()
    report = rosters.import_roster(name=roster, path=path, now=timezone.now(), actor="system:bench")
    seconds = time.perf_counter() - began
    assert report.accepted == size - size // 10_000, report
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    return {"what": what, "rows": size, "seconds": seconds, "a second": round(size / seconds), "peak MB": round(peak)}


def lookups(size: int) -> dict[str, Any]:
    from rahdari.checks import queries

    chosen = random.Random(31)
    times = []
    for at in range(LOOKUPS + 200):
        number = number_of(chosen.randrange(size)) if at % 2 else str(9_000_000_000_000 + at)
        began = time.perf_counter()
        found = queries.look_up(ROSTER, number)
        times.append(time.perf_counter() - began)
        assert found is not None
    times = times[200:]
    p50, p99 = (measure.percentile(times, share) * 1e3 for share in (0.5, 0.99))
    return {
        "what": f"lookup p50 {p50:.3f} ms, p99 {p99:.3f} ms",
        "rows": size,
        "seconds": sum(times),
        "a second": round(len(times) / sum(times)),
        "peak MB": "",
    }
