"""An installation for tests: a data folder with a running database, on which the commands are run."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rahdari.ops import datafolder, postgres

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


@contextmanager
def an_installation() -> Iterator[Installation]:
    """In a folder that goes away with it."""
    with tempfile.TemporaryDirectory(prefix="rahdari-doctor-") as folder:
        data = datafolder.make(Path(folder) / "data", datafolder.DEMO)
        server = postgres.Server(data, throwaway=True)
        server.start()
        try:
            made = Installation(data, server)
            prepared = made.run("prepare")
            assert prepared.returncode == 0, prepared.stderr
            yield made
        finally:
            server.stop()
