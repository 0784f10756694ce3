"""The programs of PostgreSQL's own backup: pg_basebackup, pg_verifybackup, pg_combinebackup. We call them, and write
none.

Those of the server's own major version are used: the embedded ones, or /usr/lib/postgresql/N/bin, or what is on PATH.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rahdari.ops import postgres, processes
from rahdari.ops.errors import Told

DEBIANS = "/usr/lib/postgresql/{major}/bin"
# From here on the server can say what changed since an earlier backup.
INCREMENTAL_FROM = 17
# What the server says of a manifest when it does not know what changed since: its summaries of the log are gone, were
# not written yet, or are of another line.
_UNKNOWN_SINCE = re.compile(r"WAL summaries are required|manifest requires WAL from|not in this server's history")


class NoPrograms(Told):
    """There is no pg_basebackup of the server's version here. `.major` is the version."""

    def __init__(self, major: int) -> None:
        super().__init__(
            f"The backup of a PostgreSQL {major} needs its own pg_basebackup, pg_verifybackup and pg_combinebackup, "
            f"and there are none in {DEBIANS.format(major=major)} or on PATH. On Debian run: apt install "
            f"postgresql-{major}"
        )
        self.major = major


class CannotConnect(Told):
    """The database does not let us copy it. `.why` is what it said."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The database does not answer as a backup needs it ({why}). Start it, and give in "
            "RAHDARI_BACKUP_DATABASE_URL a role with REPLICATION that may read all tables (docs/restore.md)."
        )
        self.why = why


class ProgramFailed(Told):
    """A program of PostgreSQL said no. `.program`, and `.why` is the end of what it said."""

    def __init__(self, program: str, why: str) -> None:
        super().__init__(f"{program} failed: {why}")
        self.program, self.why = program, why


class NotWhole(ProgramFailed):
    """pg_verifybackup found that files are damaged or missing."""


class CannotAdd(ProgramFailed):
    """The server does not know what changed since that manifest: a full backup it is."""


@dataclass(frozen=True)
class Server:
    """The server that is copied. `identifier` is PostgreSQL's own of this cluster, `database` the register's in it,
    `timeline` the line of its log."""

    url: str
    major: int
    identifier: str
    archives: bool
    summarizes: bool
    database: str
    timeline: int = 1


@dataclass(frozen=True)
class Programs:
    folder: Path

    def base(self, url: str, into: Path, *, since: Path | None = None, hold: Sequence[int] = ()) -> None:
        """A copy of the running cluster, with the log that makes it whole; of what changed `since` that manifest. The
        program ends when we do, and holds open what we `hold` for as long as it writes.

        Raises ProgramFailed, and CannotAdd where the server lacks what is between.
        """
        words = ["--pgdata", str(into), "--checkpoint=fast", "--wal-method=stream", "--manifest-checksums=SHA256"]
        words += [f"--incremental={since}"] if since else []
        # Every user of the machine reads the arguments of a program: a password is none.
        known: dict[str, Any] = conninfo_to_dict(url)
        password = known.pop("password", None)
        environment = {"PGPASSWORD": str(password)} if password is not None else {}
        try:
            self._run("pg_basebackup", *words, f"--dbname={make_conninfo(**known)}", environment=environment, hold=hold)
        except ProgramFailed as error:
            raise (CannotAdd(error.program, error.why) if _UNKNOWN_SINCE.search(error.why) else error) from None

    def verify(self, folder: Path) -> None:
        """Each file against the manifest, and the log that belongs to it. Raises NotWhole."""
        self._run("pg_verifybackup", "--quiet", "--exit-on-error", str(folder), failed=NotWhole)

    def combine(self, parts: list[Path], into: Path) -> None:
        """A full backup and the incremental ones after it, in order, become one full backup."""
        self._run("pg_combinebackup", *map(str, parts), "--output", str(into))

    def _run(
        self,
        program: str,
        *words: str,
        environment: Mapping[str, str] = MappingProxyType({}),
        failed: type[ProgramFailed] = ProgramFailed,
        hold: Sequence[int] = (),
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
        done = subprocess.run(
            processes.wrapped([str(self.folder / program), *words]),
            pass_fds=hold,
            env=kept | {"LC_ALL": "C"} | dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = [line for line in done.stderr.strip().splitlines() if line.strip()]
            raise failed(program, " ".join(said[-3:]) or f"it ended with {done.returncode}")


def server_at(url: str) -> Server:
    """Raises CannotConnect."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            row = connection.execute(
                "SELECT system_identifier::text, current_setting('archive_mode') <> 'off',"
                " coalesce(current_setting('summarize_wal', true), 'off') = 'on', CASE WHEN pg_is_in_recovery()"
                " THEN (SELECT timeline_id FROM pg_control_checkpoint())"
                " ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END"
                " FROM pg_control_system()"
            ).fetchone()
            major, database = connection.info.server_version // 10000, connection.info.dbname
    except psycopg.Error as error:
        raise CannotConnect(str(error).strip().split("\n", 1)[0]) from None
    assert row is not None  # noqa: S101 - one row by its nature
    identifier, archives, summarizes, timeline = row
    return Server(url, major, identifier, archives, summarizes, database, timeline)


def identifier_of(cluster: Path) -> str:
    """Of a cluster on this disk, empty where there is none: the first eight bytes of its control file."""
    try:
        with (cluster / "global" / "pg_control").open("rb") as file:
            return str(int.from_bytes(file.read(8), sys.byteorder))
    except FileNotFoundError:
        return ""


def programs(major: int) -> Programs:
    """Raises NoPrograms."""
    found = shutil.which("pg_basebackup")
    places = [Path(DEBIANS.format(major=major)), *([Path(found).resolve().parent] if found else [])]
    with suppress(postgres.NoEmbeddedPostgres):
        places.insert(0, postgres.binaries())
    for folder in places:
        if (folder / "pg_basebackup").is_file() and postgres.major_version(folder) == str(major):
            return Programs(folder)
    raise NoPrograms(major)
