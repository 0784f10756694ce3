"""After a restore: tables of this release, the list of what the feed has and the database has not, and the feed above
it.

Agents never go back: they refuse an edition with a lower number. So each stream begins a new session above all that
may have been published: what is on disk, what the database knows, and one for each second since the state that came
back.
"""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

from rahdari.ops import postgres
from rahdari.ops.errors import Told

from .taking import Step

# What would lead a child to another register than the one that was restored.
OF_ANOTHER = ("RAHDARI_DATA", "RAHDARI_SECRET_KEY", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "PYTHON")
# All that says how a register is run: a rehearsal is one of its own.
OF_ANY = ("RAHDARI_", *OF_ANOTHER)


class NotLedOn(Told):
    """The register is back, and one of the commands after it failed. `.command` is what to call again."""

    def __init__(self, command: str, why: str) -> None:
        super().__init__(
            f"The register is back, but `rahdari {command}` failed:\n{why.strip()}\nMend that, start the database, and "
            "call it again before the publisher starts (docs/restore.md)."
        )
        self.command = command


def lead_on(data: Path, *, state_of: dt.datetime, say: Step) -> int:
    """With the embedded database. One of the deployer's own is started by hand first, as docs/restore.md says."""
    if not (data / "postgres" / "admin-password").exists():
        say(
            "Start your PostgreSQL on the restored cluster (docs/restore.md), then run: rahdari prepare; "
            f"rahdari feed new-session --restored-to {state_of.isoformat()}"
        )
        return 0
    server = postgres.Server(data)
    server.start()
    try:
        for words in (["prepare"], ["feed", "new-session", "--restored-to", state_of.isoformat()]):
            done = run(data, *words)
            if done.returncode != 0:
                raise NotLedOn(" ".join(words), done.stderr or done.stdout)
            say(done.stdout.strip())
    finally:
        server.stop()
    return 0


def run(
    data: Path, *words: str, module: str = "rahdari", without: tuple[str, ...] = OF_ANOTHER, database: str = ""
) -> "subprocess.CompletedProcess[str]":
    """A command of ours beside a running database of this folder, or the one at the URL `database`, without what begins
    so in our environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(without)}
    kept |= {"DATABASE_URL": database} if database else {}
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *words, "--data", str(data)],
        env=kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
