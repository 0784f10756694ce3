"""An installation for tests: a data folder with a running database, on which the commands are run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rahdari.ops import datafolder, postgres
from tests import tables

DROPPED = ("RAHDARI", "DATABASE_URL", "DJANGO")


class Installation:
    """A data folder with a running database, prepared as `rahdari prepare` does it."""

    def __init__(self, data: Path, server: postgres.Server) -> None:
        self.data, self.server = data, server

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        return subprocess.run(
            [sys.executable, "-P", "-m", "rahdari", *arguments, "--data", str(self.data)],
            capture_output=True,
            text=True,
            env=kept | environment,
        )

    def doctor(self, **environment: str) -> list[str]:
        return self.run("doctor", "--port", "1", **environment).stdout.splitlines()


def take_prepared(data: Path) -> None:
    """Where one was kept, the data folder of a demonstration that has its tables, keys and database. It is prepared
    once more, which then does little. `test_start.py` begins from nothing."""
    if (place := tables.place_of("prepared")).exists():
        data.parent.mkdir(parents=True, exist_ok=True)
        with suppress(subprocess.CalledProcessError):
            tables.copy(place, data)


@contextmanager
def an_installation() -> Iterator[Installation]:
    """In a folder that goes away with it."""
    with tempfile.TemporaryDirectory(prefix="rahdari-doctor-") as folder:
        data = Path(folder) / "data"
        take_prepared(data)
        is_new = not data.exists()
        datafolder.make(data, datafolder.DEMO)
        server = postgres.Server(data, throwaway=True)
        server.start()
        try:
            made = Installation(data, server)
            prepared = made.run("prepare")
            assert prepared.returncode == 0, prepared.stderr
            if is_new:
                server.stop()
                tables.keep(data, tables.place_of("prepared"))
                server.start()
            yield made
        finally:
            server.stop()
