"""The backup of a PostgreSQL that is none of ours: another version, configured outside of its data folder."""

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rahdari.ops import datafolder
from rahdari.ops.backup import drill, engine, leading_on, restoring, sealing, taking
from rahdari.ops.backup.target import Target
from rahdari.vault import keys
from tests.needs import needs_file

HANDBOOK = Path(__file__).parents[2] / "docs" / "restore.md"


def a_clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class OwnPostgres:
    """A cluster that nobody of ours made, with its configuration beside it and its log archived."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.programs, self.data, self.private = programs, folder / "register", folder / "private.key"
        self.public, self.log = sealing.new_key(self.private), folder / "log"
        datafolder.make(self.data, datafolder.REGISTER)
        keys.make_missing(self.data / "keys")
        # As it is left where the register came from the embedded server.
        (self.data / "postgres").mkdir()
        (self.data / "postgres" / "admin-password").write_text("of the embedded one")
        self.target = Target(str(folder / "place"))
        self.cluster, self.configuration = folder / "own" / "main", folder / "own" / "postgresql.conf"
        self.url = f"postgresql://postgres@/town?host={folder / 'own'}"
        self.folder = folder

    def _run(self, program: str, *words: str, **settings: str) -> None:
        command = [str(self.programs / program), *words]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)

    def do(self, *statements: str) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                done = connection.execute(statement)
            return done.fetchall() if done.description else []

    def __enter__(self) -> "OwnPostgres":
        own = self.cluster.parent
        own.mkdir()
        for path in (own, Path(self.target.address)):
            if os.geteuid() == 0:
                shutil.chown(path, "postgres", "postgres")
        self._run("initdb", "-D", str(self.cluster), "--auth=trust", "--locale=C.UTF-8", "--data-checksums")
        for name in ("postgresql.conf", "pg_hba.conf", "pg_ident.conf"):
            (self.cluster / name).rename(own / name)
        archive = f"{sys.executable} -P -m rahdari.ops.backup.wal put %p"
        lines = [
            f"archive_command = '{archive}'",
            "timezone = 'Asia/Karachi'",
            "archive_mode = on",
            "summarize_wal = on",
            "max_connections = 150",
        ]
        lines += ["listen_addresses = ''", f"unix_socket_directories = '{own}'", f"data_directory = '{self.cluster}'"]
        lines += [f"{name}_file = '{own / f'pg_{name}.conf'}'" for name in ("hba", "ident")]
        with self.configuration.open("a") as file:
            file.write("\n".join(lines) + "\n")
        settings = {"RAHDARI_BACKUP": self.target.address, "RAHDARI_BACKUP_KEY": self.public}
        self.log.touch()
        self.log.chmod(0o666)
        self._run("pg_ctl", "-D", str(own), "-l", str(self.log), "-w", "start", **settings)
        with psycopg.connect(self.url.replace("/town?", "/postgres?"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE town")
        return self

    def __exit__(self, *of: object) -> None:
        self._run("pg_ctl", "-D", str(self.configuration.parent), "-m", "fast", "-w", "stop")
        # The server that goes through the log runs as another user than the one that archived.
        for path in [Path(self.target.address), *Path(self.target.address).rglob("*")]:
            path.chmod(0o755)


@pytest.fixture
def place() -> Iterator[Path]:
    """Short, for a socket, and open to other users."""
    with tempfile.TemporaryDirectory(prefix="own-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_debians_environment_is_written_as_it_is_read(tmp_path: Path) -> None:
    """By the command of the handbook, and read by the program that starts Debian's server."""
    needs_file("/usr/share/perl5/PgCommon.pm", "apt install postgresql-common")
    (command,) = re.findall(r"^    (sed -nE .*environment)$", HANDBOOK.read_text(), re.MULTILINE)
    settings, environment = tmp_path / "rahdari.env", tmp_path / "environment"
    told = {
        "RAHDARI_BACKUP": "s3://bucket/register",
        "RAHDARI_BACKUP_KEY": "age1one age1two",
        "AWS_ACCESS_KEY_ID": "SAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a/b+c=d&e#f",
        "AWS_ENDPOINT_URL": "https://store.example",
    }
    others = ["# A comment", "#AWS_REGION=away", "RAHDARI_BACKUP_DAYS=35", "RAHDARI_SMTP_PASSWORD=secret"]
    lines = [*others, *(f"{name}={value}" for name, value in told.items())]
    settings.write_text("\n".join(lines).replace("=age1one age1two", '="age1one age1two"') + "\n")
    command = command.replace("/etc/rahdari/rahdari.env", str(settings))
    command = command.replace("/etc/postgresql/17/main/environment", str(environment))
    subprocess.run(["sh", "-c", command], check=True)
    read = 'my %found = PgCommon::read_conf_file($ARGV[0]); print "$_=$found{$_}\n" for keys %found'
    done = subprocess.run(
        ["perl", "-I/usr/share/perl5", "-MPgCommon", "-e", read, str(environment)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert dict(line.split("=", 1) for line in done.stdout.splitlines()) == told


@pytest.mark.whole
def test_a_postgresql_of_ones_own_is_proved_and_restored_to_a_time(place: Path) -> None:
    """Another version, configured outside of its data folder as Debian does, whose superuser has no password here."""
    programs = needs_file("/usr/lib/postgresql/17/bin/postgres", "apt install postgresql-17").parent
    with OwnPostgres(place, programs) as own:
        prepared = leading_on.run(own.data, "prepare", without=leading_on.OF_ANY, database=own.url)
        assert prepared.returncode == 0, prepared.stderr
        own.do("CREATE TABLE decisions (number int)", "INSERT INTO decisions VALUES (1)")
        # As in the copy of a server that follows another.
        (own.cluster / "standby.signal").touch()
        source = engine.server_at(own.url)
        assert (source.major, source.database) == (17, "town")
        taking.take(source, own.data, own.target, own.public, full=True, clock=a_clock)
        own.do("INSERT INTO decisions VALUES (2)")
        taking.take(source, own.data, own.target, own.public, full=False, clock=a_clock)
        ((mark,),) = own.do("SELECT clock_timestamp()")
        own.do("INSERT INTO decisions VALUES (3)")
        drill.archive_all(own.url, log=own.log)
    done = restoring.restore(own.target, own.private, place / "new", to=mark)
    server = restoring.server_on(place / "new", done.backup)
    server.start()
    try:
        with psycopg.connect(server.admin_url) as connection:
            assert connection.execute("SELECT number FROM decisions ORDER BY 1").fetchall() == [(1,), (2,)]
            assert connection.execute("SHOW max_connections").fetchone() == ("150",)
    finally:
        server.stop()
    assert not (place / "new" / "postgres" / "hba_file").exists()
    said: list[str] = []
    assert drill.prove(own.target.address, own.private, work=place, say=said.append) == 0
    assert any("0 papers open, 0 entries of the feed are those of the database" in line for line in said)
