"""What `rahdari up` and `rahdari demo` do, in order.

1) look at the ports, the data folder and the binaries: whatever is wrong is told before anything starts
2) leave root     3) lock the folder     4) the database     5) `prepare`     6) started by root: each user its part
7) the processes, until INT or TERM

Invariant: a database that dies does not end us, whether it starts, `prepare` works in it, or all runs: it is started
again, and what it took down with it too.
"""

import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from rahdari.ops import datafolder, drop_root, environments, postgres, processes
from rahdari.ops.errors import DATABASE_AWAY, Told
from rahdari.ops.processes import Child, Printer, Supervisor

# So long a database of the deployer's own may take to answer before `up` gives up.
DATABASE_PATIENCE = 60.0
# So often the embedded one is started before we tell that it ends by itself; when it is killed, as often as it takes.
DATABASE_TRIES = 3
PROGRAM = (sys.executable, "-P", "-m", "rahdari")
# What a child gets of our own environment: nothing that starts Python differently, no database of another program.
OWNER_URL = "RAHDARI_OWNER_DATABASE_URL"
DROPPED = ("PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", OWNER_URL)

LOG_IN = """
import os, sys, psycopg
try:
    psycopg.connect(os.environ["URL"], connect_timeout=5).close()
except psycopg.Error as error:
    sys.exit(str(error).strip().partition("\\n")[0])
"""


class NotPrepared(Told):
    """`rahdari prepare` failed; it has said why. `.code` is its exit code."""

    def __init__(self, code: int) -> None:
        super().__init__("The installation could not be prepared; the lines above say why. Nothing was started.")
        self.code = code


class DatabaseAway(Told):
    """The database does not answer at the address in this setting. `.why` is what was said."""

    def __init__(self, why: str, setting: str) -> None:
        super().__init__(f"The database that {setting} names does not answer: {why}. Start it, or correct {setting}.")
        self.why = why


class PublisherNotLetIn(Told):
    """The database of DATABASE_URL knows us, and not the publisher's user. `.why` is what was said."""

    def __init__(self, user: str, why: str) -> None:
        super().__init__(
            f"The database does not let the publisher in, which runs as the user {user}: {why}. Make the accounts, and "
            'the lines for pg_ident.conf, of docs/install.md ("A register"), or put a password into '
            "DATABASE_URL."
        )
        self.why = why


class AnothersFeed(Told):
    """Feed and keys of the folder are the publisher's own, and we can start nobody else. `.folder` is the folder."""

    def __init__(self, folder: Path, owner: int) -> None:
        super().__init__(
            f"The feed in {folder} is the publisher's alone (the user {owner}), and only root can start each process "
            "as its user. Start this as root, or start the single units; or make it all one user's again: "
            f"chown -R USER {folder}"
        )
        self.folder = folder


@dataclass
class Start:
    """One start of everything. `kind` decides the settings; `beside` gives children besides the usual six."""

    kind: str
    data: Path
    host: str
    port: int
    # Run once, one after the other, when all is prepared.
    before: Callable[["Start"], Sequence[Child]] = lambda start: ()
    beside: Callable[["Start"], Sequence[Child]] = lambda start: ()
    tell: Callable[["Start"], str] = lambda start: ""
    prepare: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    # The database as its owner, for `prepare` alone; empty where one role does all.
    owner_url: str = ""
    # Who runs what, when root has started us.
    users: drop_root.Users | None = None

    @property
    def feed_port(self) -> int:
        return self.port + 1

    @property
    def lookup_port(self) -> int:
        return self.port + 2

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.port, self.feed_port, self.lookup_port)

    @property
    def url(self) -> str:
        return self.environment["RAHDARI_URL"]

    @property
    def feed_url(self) -> str:
        return self.environment["RAHDARI_FEED_URL"]

    def child(
        self,
        name: str,
        *arguments: str,
        late: bool = False,
        module: str = "rahdari",
        user: drop_root.Other | None = None,
    ) -> Child:
        """A process of ours, with the environment that its command reads; `late`, `user` see Child."""
        environment = environments.of(arguments[0], self.environment)
        return Child(name, (*PROGRAM[:-1], module, *arguments), environment, late=late, user=user)

    def preparing(self) -> Child:
        child = self.child("prepare", "prepare", *self.prepare)
        owner = {OWNER_URL: self.owner_url} if self.owner_url else {}
        return replace(child, environment={**child.environment, **owner})

    def children(self) -> list[Child]:
        feed, serve = (self.users.feed, self.users.serve) if self.users else (None, None)
        usual = [
            self.child("web", "web", "--host", self.host, "--port", str(self.port)),
            self.child("worker", "worker"),
            self.child("publisher", "publisher", user=feed),
            self.child("watch", "watch", "run"),
            self.served("push", self.feed_port, serve),
            self.served("lookup", self.lookup_port, serve),
        ]
        return [*usual, *self.beside(self)]

    def served(self, name: str, port: int, user: drop_root.Other | None) -> Child:
        return self.child(name, name, "--host", self.host, "--port", str(port), user=user)


def start(given: Start) -> int:
    # 1)
    own = os.environ.get("DATABASE_URL", "")
    for port in given.ports:
        processes.check_port(given.host, port)
    datafolder.check(given.data, given.kind)
    if os.geteuid() != 0 and drop_root.divided(given.data):
        raise AnothersFeed(given.data, (given.data / "feed").stat().st_uid)
    if not own:
        postgres.binaries()
    with processes.stop_by_signal():
        try:
            with ExitStack() as stack:
                serve(given, own, stack)
        except processes.StopAsked:
            print("Stopped.", flush=True)
        except drop_root.CannotLeaveRoot as error:
            raise Told(error.why) from None
    return 0


def serve(given: Start, own: str, stack: ExitStack) -> None:
    given.data = datafolder.make(given.data, given.kind)
    # 2)
    left = drop_root.leave_root(given.data)
    given.users = left.users if left else None
    # 3)
    stack.enter_context(datafolder.locked(given.data))
    names = ["rahdari", "prepare", "publisher"]
    printer = Printer(sys.stdout, names)
    if left:
        printer.line("rahdari", f"Running as the user {left.user.pw_name}, not as root{who_else(given.users)}")
    printer.line("rahdari", f"The data folder is {given.data}.")
    # 4)
    server: postgres.Server | None = None
    if own:
        wait_for_database(own, "DATABASE_URL", printer)
        if owner := os.environ.get(OWNER_URL):
            wait_for_database(owner, OWNER_URL, printer)
    else:
        server = postgres.Server(given.data, settings=postgres.archiving(os.environ))
        # Entered before the start: whatever happens then, it is stopped.
        stack.callback(server.stop)
        printer.line("rahdari", "Starting the database." if server.cluster.exists() else "Making the database.")
        start_database(server, printer)
    given.owner_url = server.url if server else os.environ.get(OWNER_URL, "")
    given.environment = environment_of(given, server.application_url if server else own)
    datafolder.note_addresses(given.data, given.environment)
    # 5)
    prepare(given, server, printer)
    for child in given.before(given):
        printer.line("rahdari", f"Setting up {child.name}.")
        if (code := processes.run_once(child, printer, quiet=True)) != 0:
            raise NotPrepared(code)
    # 6)
    if given.users:
        divide(given.data, given.users, server)
        if own:
            check_publisher_is_let_in(own, given.users.feed)
    # 7)
    children = given.children()
    printer.names = ["rahdari", *(child.name for child in children)]
    printer.width = max(map(len, printer.names))
    Supervisor(
        children,
        printer,
        database=server,
        answering=[(given.host, port) for port in given.ports],
        when_ready=lambda: printer.write(given.tell(given) or f"\nRahdari is ready at {given.url}\n"),
    ).run()


def divide(data: Path, users: drop_root.Users, server: postgres.Server | None) -> None:
    try:
        with drop_root.dividing():
            drop_root.divide(data, users, *(server.passages() if server else ()))
    except OSError as error:
        raise Told(f"{data} cannot be divided among its users ({error}). Look at what stands there.") from None


def check_publisher_is_let_in(url: str, user: drop_root.Other) -> None:
    tried = subprocess.run(
        [sys.executable, "-P", "-c", LOG_IN],
        env={"URL": url},
        user=user.uid,
        group=user.gid,
        extra_groups=user.groups,
        cwd="/",
        stderr=subprocess.PIPE,
        text=True,
    )
    if tried.returncode != 0:
        raise PublisherNotLetIn(user.name, tried.stderr.strip())


def who_else(users: drop_root.Users | None) -> str:
    if users is None:
        return ". All processes are this one user; docs/install.md says what that means."
    return f"; the publisher is the user {users.feed.name}, and push and lookup are {users.serve.name}."


def start_database(server: postgres.Server, printer: Printer, *, again: bool = False) -> None:
    """Start it, however often it is killed meanwhile. Raises what it says when it ends by itself again and again."""
    for tries in itertools.count(1):
        try:
            server.start()
        except postgres.DidNotStart as error:
            if not error.killed and tries >= DATABASE_TRIES:
                raise
            told = "it was ended from outside" if error.killed else str(error)
        except postgres.FolderInUse as error:
            # At the first try it is another program; later it may be what a killed one has left, on its way down.
            if tries == 1 and not again:
                raise
            told = str(error)
        else:
            return
        pause_before_next(f"The database does not start ({told}). It is started again", tries, printer)


def prepare(given: Start, server: postgres.Server | None, printer: Printer) -> None:
    """Run `rahdari prepare`, again when the database went away under it. Raises NotPrepared."""
    for tries in itertools.count(1):
        code = processes.run_once(given.preparing(), printer)
        died = server is not None and not server.alive()
        if code == 0:
            return
        if code != DATABASE_AWAY and not died:
            raise NotPrepared(code)
        if server is not None and died:
            printer.line("rahdari", "The database ended by itself. It is started again.")
            server.stop()
            start_database(server, printer, again=True)
        pause_before_next("The database went away while all was prepared. It is begun again", tries, printer)


def pause_before_next(text: str, tries: int, printer: Printer) -> None:
    pause = processes.pause_after(tries)
    printer.line("rahdari", f"{text} in {pause:g} s.")
    time.sleep(pause)


def url_host(host: str) -> str:
    """How to write in a URL the address that we listen on; when that is every one, one that others reach."""
    if host in ("0.0.0.0", "::"):  # noqa: S104
        # Nothing is sent: the kernel only chooses the address that it would send from.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def environment_of(given: Start, database_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    name = url_host(given.host)
    usual = {
        "RAHDARI_URL": f"http://{name}:{given.port}",
        "RAHDARI_FEED_URL": f"http://{name}:{given.feed_port}",
        "RAHDARI_LOOKUP_URL": f"http://{name}:{given.lookup_port}",
        "RAHDARI_HOSTS": ",".join({name, given.host, "127.0.0.1", "localhost"}),
        "RAHDARI_SECRET_KEY": datafolder.secret_key(given.data),
        "DJANGO_SETTINGS_MODULE": datafolder.SETTINGS[given.kind],
    }
    ours = {"RAHDARI_DATA": str(given.data), "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1"}
    return usual | kept | ours


def wait_for_database(url: str, setting: str, printer: Printer) -> None:
    import psycopg

    until = time.monotonic() + DATABASE_PATIENCE
    said = False
    while True:
        try:
            psycopg.connect(url, connect_timeout=5, target_session_attrs="read-write").close()
        except psycopg.OperationalError as error:
            why = str(error).strip().split("\n", 1)[0]
            if time.monotonic() > until:
                raise DatabaseAway(why, setting) from None
            if not said:
                printer.line("rahdari", f"The database does not answer yet ({why}). Trying again for a minute.")
                said = True
            time.sleep(1)
        except psycopg.ProgrammingError as error:
            raise DatabaseAway(str(error).strip(), setting) from None
        else:
            return
