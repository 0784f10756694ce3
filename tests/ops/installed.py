"""An installation for tests: a data folder with a running database, on which the commands are run."""

import os
import subprocess
import sys
from pathlib import Path

from rahdari.ops import postgres

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
