"""docs/restore.md, typed line by line by `sh` on a register of 500 editions; PostgreSQL, tar and `rahdari` are real.

Of the machine only what needs root is played: `runuser -u postgres` becomes the superuser of a server of the test's
own, `systemctl` and `chown` do nothing, `register` calls the command with the settings of this installation.
"""

import csv
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rahdari.ops import datafolder, postgres
from rahdari.publish import rules
from tests.ops import restore_world
from tests.ops.installed import DROPPED
from tests.ops.test_doctor import about

PAGE = Path(__file__).parents[2] / "docs" / "restore.md"
KEEP, NEW_MACHINE, OLDER, ABOVE = (
    "What to keep",
    "On a new machine",
    "When the database is older than the feed",
    "Beginning above a given number",
)
RUNUSER = """#!/bin/sh
shift 3
export PGHOST={host} PGUSER=postgres PGPASSWORD={password} PGDATABASE=postgres
exec "$@"
"""


class Machine:
    """A register in `data` beside a database server, and the programs of docs/install.md."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.folder, self.data, self.server = folder, folder / "lib", server
        (folder / "safe").mkdir()
        programs = folder / "bin"
        programs.mkdir()
        admin = (server.home / "admin-password").read_text().strip()
        self.program("runuser", RUNUSER.format(host=server.socket, password=shlex.quote(admin)))
        self.program("register", f'#!/bin/sh\nexec {sys.executable} -P -m rahdari "$@"\n')
        for name in ("systemctl", "chown"):
            self.program(name, "#!/bin/sh\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith((*DROPPED, "PG"))}
        self.environment = kept | {
            "PATH": f"{programs}:{postgres.binaries()}:{os.environ['PATH']}",
            "PYTHONPATH": str(PAGE.parents[1] / "src"),
            "RAHDARI_DATA": str(self.data),
            "DATABASE_URL": server.url,
            # Without https in front, a register starts only at an address of this machine.
            "RAHDARI_URL": "http://127.0.0.1:1",
        }

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run(self, *words: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(words, env=self.environment, capture_output=True, text=True, check=False)
        assert code is None or done.returncode == code, (words, done.stdout, done.stderr)
        return done

    def type(self, line: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        for place, here in (
            ("/var/lib/rahdari", self.data),
            ("/var/backups/rahdari", self.folder / "backups"),
            ("/media/safe", self.folder / "safe"),
        ):
            line = line.replace(place, str(here))
        return self.run("/bin/sh", "-euc", line, code=code)

    def files(self) -> str:
        return "\n".join(str(path) for path in (self.data / "feed" / "targets" / "feed-static").rglob("*.gz"))

    def enter(self, first: int, last: int, *, hours: int = 0) -> None:
        settings = self.environment | {
            "DJANGO_SETTINGS_MODULE": "rahdari.settings.production",
            "RAHDARI_SECRET_KEY": datafolder.secret_key(self.data),
        }
        act = ["enter", str(first), str(last), str(hours)]
        done = subprocess.run(
            [sys.executable, restore_world.PROGRAM, *act], env=settings, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def typed(section: str) -> list[str]:
    """What this section of the page says to type, in order."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    assert lines, section
    return [line for line in lines if not line.startswith("|")]


@pytest.fixture
def machine() -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="rahdari-restore-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with tempfile.TemporaryDirectory(prefix="rahdari-restore-pg-") as cluster:
            server = postgres.Server(Path(cluster) / "data", throwaway=True)
            server.start()
            try:
                yield Machine(folder, server)
            finally:
                server.stop()


@pytest.mark.whole
class TestRestorePage:
    def test_is_followed_from_a_backup_to_the_end_on_a_busy_register(self, machine: Machine) -> None:
        machine.type("register prepare")
        machine.type(f"register feed keys --offline {machine.folder / 'offline'}")
        policy = machine.folder / "policy.toml"
        shutil.copy(PAGE.parents[1] / "src" / "rahdari" / "policy" / "pakistan.toml", policy)
        machine.type(f"register policy use {policy}")
        machine.enter(1, 38, hours=2)
        machine.enter(38, 489)
        for line in typed(KEEP):
            machine.type(line)
        machine.enter(489, 502)
        # Since the newest snapshot there are more editions than narrow deltas that are named, and it lies at no
        # multiple of 16, where wider ones begin.
        snapshots = [int(each[1]) for each in re.finditer(r"snap-(\d+)-", machine.files())]
        assert max(snapshots) % 16 and 16 < max(snapshots) < 501 - rules.LIVE_NARROW, snapshots

        assert machine.type("register feed status").returncode == 0
        for line in typed(OLDER):
            said = machine.type(line)
            if "prepare" in line:
                status = machine.type("register feed status", code=1)
                assert "edition 501 was published, and the database knows edition 488 of it" in status.stderr
            if "feed missing" in line:
                assert "13 entries are in force at operators" in said.stderr
            if "new-session" in line:
                assert "13 entries to look at" in said.stdout
        (kept,) = machine.data.glob("missing-*.csv")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        for path in (machine.data / "missing.csv", kept):
            rows = list(csv.DictReader(path.read_text().splitlines()))
            assert [row["what"] for row in rows] == ["lost"] * 13
            assert {row["prefix"] for row in rows} == {f"10.0.{n // 256}.{n % 256}/32" for n in range(489, 502)}
        machine.enter(0, 0)
        assert "Entries        488" in machine.type("register feed status").stdout

        # And on another machine, where nothing is left of the first one.
        shutil.rmtree(machine.data)
        machine.data.mkdir()
        machine.run("runuser", "-u", "postgres", "--", "dropdb", "rahdari")
        machine.type(typed(OLDER)[2])  # an empty database, as docs/install.md makes it
        for line in typed(NEW_MACHINE):
            said = machine.type(line, code=None if "doctor" in line or "status" in line else 0)
            assert "Traceback" not in said.stderr, said.stderr
        wrong = [line for line in said.stdout.splitlines() if line.startswith("WRONG")]
        # What is played here is not there: proxies and mail. All that belongs to the data folder came back.
        assert not [line for line in wrong if line[7:].split()[0] in {"data", "keys", "database", "tables", "policy"}]
        assert str(machine.data / "policy" / "in-force.toml") in about(said.stdout.splitlines(), "policy", "ok")[0]
        (line,) = typed(ABOVE)
        assert "begins again at edition" in machine.type(line).stdout

    def test_keys_alone_are_told_what_is_missing(self, machine: Machine) -> None:
        """Database and keys without the rest: everything says what did not come back, and nothing ends in a trace."""
        machine.type("register prepare")
        machine.type(f"register feed keys --offline {machine.folder / 'offline'}")
        machine.enter(1, 3)
        for line in typed(KEEP):
            machine.type(line)
        shutil.rmtree(machine.data)
        machine.data.mkdir(mode=0o700)
        machine.type(next(line for line in typed(NEW_MACHINE) if "keys.tar" in line))

        doctor = about(machine.type("register doctor", code=1).stdout.splitlines(), "data folder", "WRONG")
        assert "has keys, and no file `version`" in doctor[0] and "rahdari prepare" in doctor[0]
        missing = machine.type("register feed missing", code=1)
        assert "nothing that was published is there" in missing.stderr
        status = machine.type("register feed status", code=1)
        assert "The feed's folder is not there" in status.stderr and "Traceback" not in status.stderr
        machine.type("register prepare")
        assert about(machine.type("register doctor", code=1).stdout.splitlines(), "data folder", "ok")
