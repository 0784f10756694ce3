"""A copy of the database of the tests, and replicas of it: real ones, that follow it, and stand still when they are
told.

The replicas follow the copy, because what the tests beside them write would keep them busy, and away: PostgreSQL lets
nobody into a standby that was started while a transaction with more than 64 savepoints is open.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
from django.conf import settings
from django.db import connection

from rahdari.db import replicas
from rahdari.ops import postgres
from rahdari.settings import base
from tests import waiting
from tests.needs import missing


class Following(postgres.Server):
    """A server that reaches another one's socket, wherever that lies."""

    def __init__(self, data: Path, *, reaches: Path) -> None:
        super().__init__(data, throwaway=True)
        self.reaches = reaches

    def _as_user(self, program: Sequence[str]) -> list[str]:
        command = super()._as_user(program)
        shown = ["--show", str(self.reaches)] if os.geteuid() == 0 else []
        end = command.index("--")
        return [*command[:end], *shown, *command[end:]]


class Copy:
    """What pg_basebackup copies of a cluster, of which this is the folder: a primary of its own."""

    words: tuple[str, ...] = ()

    def __init__(self, data: Path, *, home: Path, socket: Path) -> None:
        self.server = Following(data, reaches=socket)
        self.server.data.mkdir(parents=True, exist_ok=True)
        self.server.home.mkdir(mode=0o700)
        for name in postgres.PASSWORDS.values():
            shutil.copy(home / name, self.server.home / name)
        url = postgres.url_of(home, role="postgres", database="postgres", socket=socket)
        words = ["--pgdata", self.server.cluster, "--checkpoint=fast", "--wal-method=stream", "--no-sync", *self.words]
        subprocess.run([self.server.bin / "pg_basebackup", *words, f"--dbname={url}"], check=True, capture_output=True)
        if os.geteuid() == 0:
            for path in (self.server.data, *self.server.data.rglob("*")):
                os.chown(path, self.server.user.pw_uid, self.server.user.pw_gid)
        self.server.start()

    def stop(self) -> None:
        self.server.stop()


class Standby(Copy):
    """A copy that follows what it was made from by its log."""

    words = ("--write-recovery-conf",)

    @property
    def settings(self) -> dict[str, Any]:
        name = connection.settings_dict["NAME"]
        found = base.replica(
            postgres.url_of(self.server.home, role=postgres.OWNER, database=name, socket=self.server.socket)
        )
        # A busy machine may need more than the two seconds after which the primary answers.
        return found | {"OPTIONS": cast("dict[str, str]", found["OPTIONS"]) | {"connect_timeout": "60"}}

    def ask(self, statement: str) -> Any:
        with psycopg.connect(self.server.admin_url, autocommit=True) as asked:
            done = asked.execute(statement)
            return done.fetchone() if done.description else None

    def stand_still(self) -> None:
        self.ask("SELECT pg_wal_replay_pause()")
        # What it is at is done first.
        waiting.until(lambda: self.ask("SELECT pg_get_wal_replay_pause_state()") == ("paused",))

    def go_on(self) -> None:
        self.ask("SELECT pg_wal_replay_resume()")
        written = replicas.written()
        waiting.until(lambda: self.ask(f"SELECT pg_last_wal_replay_lsn() - '0/0' >= {written}") == (True,))


@contextmanager
def standbys_of_a_copy(folder: Path, number: int) -> Iterator[list[Standby]]:
    """So many, of a copy of the database of the tests, which stands in for that meanwhile."""
    usual = Path(connection.settings_dict["HOST"])
    if not (usual.parent / "admin-password").exists():
        missing("a replica is made of the embedded PostgreSQL; to run this test: unset DATABASE_URL")
    with ExitStack() as running:

        def made[Made: Copy](kind: type[Made], name: str, home: Path, socket: Path) -> Made:
            found = kind(folder / name, home=home, socket=socket)
            running.callback(found.stop)
            return found

        server = made(Copy, "primary", usual.parent, usual).server
        found = [made(Standby, str(each), server.home, server.socket) for each in range(number)]
        connection.close()
        connection.settings_dict["HOST"] = str(server.socket)
        try:
            yield found
        finally:
            connection.close()
            connection.settings_dict["HOST"] = str(usual)


def use(monkeypatch: Any, *standbys: Standby) -> None:
    """The pages are read from these, from here on."""
    monkeypatch.setattr(settings, "REPLICAS", [each.settings for each in standbys])
    replicas.replicas.cache_clear()
