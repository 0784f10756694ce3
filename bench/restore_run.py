"""The run of `bench/restore`."""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import filling, measure, place

GB = 10**9
REGISTRATIONS = 600_000  # make about one of them
SIZES, FEW = (0.1, 1.0, 4.0), (0.03,)
# Without triggers: what the register refuses is not what is measured.
AGAIN = (
    "SET session_replication_role = replica; "
    "UPDATE register_registration SET category = category WHERE get_byte(uuid_send(id), 0) < 26"
)


def main(about: str | None) -> None:
    parser = measure.parser(about)
    parser.add_argument("--gb", type=float, action="append", help="a database of about so many GB (0.1, 1 and 4)")
    given = parser.parse_args()
    place.end_cleanly_on_signals()
    with measure.reporting(given, "restore") as result:
        for gb in given.gb or (FEW if given.quick else SIZES):
            with result.trying(f"{gb:g} GB"), place.temporary("restore") as folder:
                result.conditions["file_system"] = place.on_disk(folder)
                result.rows += place.apart(_rows, gb, folder)


def _rows(gb: float, folder: Path) -> list[dict[str, Any]]:
    from rahdari.ops import datafolder, postgres
    from rahdari.ops.backup import drill, sealing

    data, private, kept = folder / "register", folder / "private.key", folder / "place"
    settings = {"RAHDARI_BACKUP": str(kept), "RAHDARI_BACKUP_KEY": sealing.new_key(private)}
    command = _commands(settings)
    datafolder.make(data, datafolder.DEMO)
    datafolder.secret_key(data)
    # Nothing of the filling is in the log that is kept.
    with _server(data, {}):
        command("prepare", "--data", data)
        command("feed", "keys", "--offline", folder / "offline", "--data", data)
        place.apart(_fill, data, int(gb * REGISTRATIONS))
    kept.mkdir()
    shutil.chown(kept, data.stat().st_uid, data.stat().st_gid)
    with _measured("backup") as backup, _server(data, settings):
        size = _asked(data, "SELECT pg_database_size('rahdari')")
        command("backup", "--full", "--data", data)
    sealed = sum(path.stat().st_size for path in kept.rglob("*") if path.is_file())
    restore = ("restore", "--from", kept, "--key", private, "--data", folder / "back")
    with _measured("restore") as alone:
        command(*restore)
    shutil.rmtree(folder / "back")
    with _measured("drill") as proved:
        command("drill", "restore", "--from", kept, "--key", private, "--work", folder)
    with _server(data, settings):
        before = _asked(data, "SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        _asked(data, AGAIN)
        log = _asked(data, "SELECT (pg_current_wal_lsn() - '0/0')::bigint") - before
        drill.archive_all(str(postgres.known_url(data, role="postgres")), log=data / "postgres" / "postgres.log")
    with _measured("restore") as with_log:
        command(*restore)
    told = {"database GB": size / GB}
    return [
        {"what": f"{gb:g} GB", **told, "sealed GB": sealed / GB, **backup, **alone, **proved, **_each(alone, size)},
        {"what": f"{gb:g} GB, with log", **told, "log GB": log / GB, **with_log, **_each(with_log, size + log)},
    ]


def _each(spent: Mapping[str, float], size: int) -> dict[str, float]:
    return {f"{name} a GB": seconds * GB / size for name, seconds in spent.items()}


def _fill(data: Path, registrations: int) -> None:
    from rahdari.ops import datafolder, postgres

    os.environ.update(datafolder.environment(data) | {"DATABASE_URL": str(postgres.known_url(data, role="rahdari"))})
    import django

    django.setup()
    filling.registrations(registrations)


def _commands(settings: Mapping[str, str]) -> Callable[..., None]:
    def call(*words: str | Path) -> None:
        place.say(f"rahdari {words[0]}")
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rahdari", *map(str, words)],
            env={**place.clean_environment(), **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])

    return call


@contextmanager
def _server(data: Path, settings: Mapping[str, str]) -> Iterator[None]:
    from rahdari.ops import postgres

    server = postgres.Server(data, settings=postgres.archiving(settings))
    server.environment = dict(settings)
    server.start()
    assert server.process is not None
    place.watch(server.process.pid)
    try:
        yield
    finally:
        server.stop()


@contextmanager
def _measured(what: str) -> Iterator[dict[str, float]]:
    """Of the processes that end within it."""
    spent: dict[str, float] = {}
    began, before = time.monotonic(), _of_children()
    yield spent
    spent |= {f"{what} s": time.monotonic() - began, f"{what} cpu s": _of_children() - before}


def _of_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _asked(data: Path, sql: str) -> int:
    import psycopg

    from rahdari.ops import postgres

    with psycopg.connect(str(postgres.known_url(data, role="postgres"))) as connection:
        done = connection.execute(sql)
        return int(done.fetchone()[0]) if done.description else 0  # type: ignore[index]
