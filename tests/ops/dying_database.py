"""A program for tests: `rahdari demo` whose database is killed at named points of its start, once at each.

python dying_database.py DATA PORT       is the supervisor
python dying_database.py prepare ...     is what it starts as `rahdari prepare ...`

Each point is written into the file `passed` of the data folder before the database is killed
there, so that the next try goes on to the next. No child but `prepare` is started: the rest is tried elsewhere.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rahdari.ops import datafolder, postgres, processes
from rahdari.ops import start as starting
from rahdari.ops.processes import Child
from rahdari.ops.start import Start

OF_THE_START = ("spawned", "it answers", "connected", "database made")
OF_PREPARE = ("keys", "a table half made", "files of the pages", "operators", "applications half made", "accounts")
# Of one that is started again, since it died while all was prepared, and while all ran.
AGAIN = ("it answers, again", "connected, again")
RUNNING = ("all runs", "it answers, running", "connected, running")
POINTS = ("cluster half made", *OF_THE_START, *OF_PREPARE, *AGAIN, *RUNNING)


def passed(data: Path) -> Path:
    return data / "passed"


def die_at(point: str, data: Path) -> None:
    """Kill the server and all that works for it, unless it died here before."""
    file = passed(data)
    if point not in POINTS or (file.exists() and point in file.read_text().splitlines()):
        return
    with file.open("a") as written:
        print(point, file=written)
    with suppress(FileNotFoundError):
        server = int((data / "postgres" / "cluster" / "postmaster.pid").read_text().split("\n", 1)[0])
        backends = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in [server, *map(int, backends)]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Dying(postgres.Server):
    """The server, killed while it is made and started."""

    when = ""

    def point(self, name: str) -> None:
        die_at(name + self.when, self.data)

    def _make_cluster(self) -> None:
        if not passed(self.data).exists():
            self.point("cluster half made")
            (self.home / "cluster.new").mkdir()
            raise postgres.DidNotStart("The database could not be made", "", killed=True)
        super()._make_cluster()

    def _wait_until_ready(self) -> None:
        self.point("spawned")
        super()._wait_until_ready()

    def _make_database(self) -> None:
        import psycopg

        self.point("it answers")
        connect = psycopg.connect

        def connected(*given: Any, **named: Any) -> Any:
            connection = connect(*given, **named)
            self.point("connected")
            return connection

        psycopg.connect = connected  # type: ignore[assignment]
        try:
            super()._make_database()
        finally:
            psycopg.connect = connect
        self.point("database made")
        Dying.when = Dying.when or ", again"


class Driven(Start):
    @property
    def ports(self) -> tuple[int, ...]:
        return ()

    def child(self, name: str, *arguments: str, **options: Any) -> Child:
        made = super().child(name, *arguments, **options)
        tree = Path(__file__).parents[2]
        environment = {**made.environment, "PYTHONPATH": f"{tree / 'src'}:{tree}"}
        return Child(name, (sys.executable, __file__, *arguments), environment)

    def children(self) -> list[Child]:
        return []


def supervise(data: Path, port: int) -> int:
    postgres.Server = Dying  # type: ignore[misc]
    processes.pause_after = lambda deaths: 0.01  # type: ignore[assignment]

    def tell(given: Start) -> str:
        Dying.when = ", running"
        die_at("all runs", given.data)
        return "\nall is ready\n"

    given = Driven(datafolder.DEMO, data, "127.0.0.1", port, prepare=["--sample-data"], tell=tell)
    return starting.start(given)


def prepare(arguments: Sequence[str]) -> int:
    from rahdari import cli
    from rahdari.ops import commands

    run = commands.run_prepare

    def hooked(parsed: argparse.Namespace) -> int:
        hook_prepare()
        return run(parsed)

    commands.run_prepare = hooked
    return cli.main(arguments)


def hook_prepare() -> None:
    """Of modules that can be imported only when Django is ready."""
    from django.db.migrations.operations import CreateModel

    from rahdari.ops import prepare as preparing
    from rahdari.ops import samples, seed

    data = Path(os.environ["RAHDARI_DATA"])

    def before(module: Any, name: str, point: str) -> None:
        act: Callable[..., Any] = getattr(module, name)

        def then(*given: Any, **named: Any) -> Any:
            die_at(point, data)
            return act(*given, **named)

        setattr(module, name, then)

    before(preparing, "make_keys", "keys")
    before(preparing, "collect_files", "files of the pages")
    before(seed, "make_operators", "operators")
    before(samples, "asked_a_question", "applications half made")
    before(seed, "write_accounts", "accounts")
    before(CreateModel, "database_forwards", "a table half made")


if __name__ == "__main__":
    sys.exit(prepare(sys.argv[1:]) if sys.argv[1] == "prepare" else supervise(Path(sys.argv[1]), int(sys.argv[2])))
