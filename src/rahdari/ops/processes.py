"""The supervisor of `rahdari up`: children with a name, whose lines it prints and whom it starts again when they die.

Invariants: a child is in a process group of its own, so that Ctrl-C reaches the supervisor alone and is handled once;
every child ends with the supervisor, even when that is killed (the kernel sees to it, see `ordinary`); whatever a dead
child left in its group is ended before it is started again. INT, TERM and HUP stop everything in order, also when
they were ignored by the shell that started us in the background. A second one does not wait any longer.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from rahdari.ops import drop_root
from rahdari.ops.errors import Told
from rahdari.ops.postgres import Server

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# A child that has lived so long is well: its next death is counted as its first.
WELL_AFTER = 60.0
ONE_WISH = 1.0
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class PortTaken(Told):
    """Another program listens there. `.port` is the port."""

    def __init__(self, host: str, port: int, holder: str) -> None:
        by = f" by {holder}" if holder else " by another program"
        super().__init__(
            f"Port {port} on {host} is already taken{by}. Stop that, or choose another port: --port {port + 10} "
            f"(the feed and the lookups are then served on {port + 11} and {port + 12})."
        )
        self.port = port


class CannotListen(Told):
    """The address or the port cannot be used at all. `.port` is the port."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(
            f"Rahdari cannot listen on {host} port {port}: {why}. Choose with --host ADDRESS and --port N."
        )
        self.port = port


class StopAsked(BaseException):
    """INT, TERM or HUP came while we were still getting ready."""


@dataclass(frozen=True)
class Child:
    """A program to keep running. `patience` is how long it may take to end by itself after TERM.

    A `late` one is started for the first time when the servers answer, since it would only complain before. `user` is
    who it runs as, if not as we do; that takes the rights of `ordinary.KEPT`.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    patience: float = 20.0
    late: bool = False
    user: drop_root.Other | None = None


class Printer:
    """Lines of many children in one terminal, each behind the name of its child."""

    def __init__(self, out: IO[str], names: Sequence[str]) -> None:
        self.out = out
        self.width = max(map(len, names), default=0)
        self.colours = out.isatty() and "NO_COLOR" not in os.environ
        self.names = list(names)

    def line(self, name: str, text: str) -> None:
        head = f"{name:<{self.width}} |"
        if self.colours:
            at = self.names.index(name) if name in self.names else 0
            head = f"\x1b[{COLOURS[at % len(COLOURS)]}m{head}\x1b[0m"
        self.write(f"{head} {text}")

    def write(self, text: str) -> None:
        # The terminal may be gone while we still stop what runs: that must not hinder it, nor change how we end.
        try:
            print(text, file=self.out, flush=True)
        except OSError:
            # What stands in the buffer is flushed once more at the end, and would fail again.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), self.out.fileno())
        except ValueError:
            pass


@dataclass
class Running:
    """A child and how it is doing."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = 0.0
    rest: bytearray = field(default_factory=bytearray)


def pause_after(deaths: int) -> float:
    """How long to wait before the next start, after so many deaths in a row."""
    return float(min(FIRST_PAUSE * 2 ** max(deaths - 1, 0), LONGEST_PAUSE))


def check_port(host: str, port: int) -> None:
    """Raise PortTaken or CannotListen unless a server could listen there now."""
    if not 1 <= port <= 65535:
        raise CannotListen(host, port, "a port is a number from 1 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        if error.errno == 98 or error.errno == 48:  # EADDRINUSE of Linux and of macOS
            raise PortTaken(host, port, "") from None
        if error.errno == 13:  # EACCES
            raise CannotListen(host, port, "ports below 1024 are for root; put a web server in front") from None
        raise CannotListen(host, port, error.strerror or str(error)) from None


def is_answering(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


@contextmanager
def stop_by_signal() -> Iterator[None]:
    """INT, TERM and HUP raise StopAsked once, even if they were ignored when we came; later ones are let pass."""
    asked = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise StopAsked

    before = {number: signal.signal(number, handle) for number in STOPPING}
    # Inherited as ignored, the end of a child would go unseen.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [*STOPPING, signal.SIGCHLD])
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wrapped(command: Sequence[str], *, end: int = signal.SIGTERM) -> list[str]:
    """The command, ended by the kernel when we are."""
    front = [sys.executable, "-I", drop_root.__file__, "--parent", str(os.getpid()), "--signal", str(int(end))]
    return [*front, "--", *command]


def run_once(child: Child, printer: Printer, *, quiet: bool = False) -> int:
    """Run a child to its end, printing its lines (a `quiet` one's only when it fails); give its code."""
    process = spawn(child)
    kept: list[str] = []
    try:
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            if quiet:
                kept.append(text)
            else:
                printer.line(child.name, text)
        code = process.wait()
        for text in kept if code else ():
            printer.line(child.name, text)
        return code
    finally:
        end_group(process, child.patience)
        if process.stdout:
            process.stdout.close()


def spawn(child: Child) -> subprocess.Popen[bytes]:
    other = child.user
    environment = dict(child.environment)
    if other:
        environment |= {"USER": other.name, "LOGNAME": other.name}
    # The user is another one before `ordinary` asks to end with us: a change of user would take that back.
    return subprocess.Popen(
        wrapped(child.command),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
        user=other.uid if other else None,
        group=other.gid if other else None,
        extra_groups=other.groups if other else None,
        umask=drop_root.UMASK if other else -1,
    )


def end_group(process: subprocess.Popen[bytes], patience: float) -> None:
    """End one child now and wait; then end what is left of its group."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    kill_group(process)
    process.wait()


def kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class Supervisor:
    """Keeps children (and the embedded database, when there is one) running until it is asked to stop."""

    def __init__(
        self,
        children: Sequence[Child],
        printer: Printer,
        *,
        database: Server | None = None,
        answering: Sequence[tuple[str, int]] = (),
        when_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.running = [Running(child) for child in children]
        self.printer = printer
        self.database = database
        self.answering = list(answering)
        self.when_ready: Callable[[], None] | None = when_ready
        self.selector = selectors.DefaultSelector()
        self.asked = 0
        self.asked_at = -ONE_WISH
        self.database_deaths = 0
        self.database_start_at = 0.0

    def say(self, text: str) -> None:
        self.printer.line("rahdari", text)

    def run(self) -> None:
        """Start all, keep them, and come back when all have been stopped."""
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        old_wake = signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        before = {number: signal.signal(number, self._ask) for number in STOPPING}
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self.selector.register(wake_read, selectors.EVENT_READ, None)
        try:
            while not self.asked:
                self._start_due()
                self._read(self._patience(), wake_read)
                self._bury()
                self._tell_when_ready()
        finally:
            try:
                self.stop(wake_read)
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)
                signal.set_wakeup_fd(old_wake)
                self.selector.close()
                os.close(wake_read)
                os.close(wake_write)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        # One wish may come twice, to us and to our group (`timeout` does it): only later ones mean impatience.
        now = time.monotonic()
        if now - self.asked_at > ONE_WISH:
            self.asked += 1
            self.asked_at = now

    def _patience(self) -> float:
        now = time.monotonic()
        waits = [entry.start_at - now for entry in self.running if entry.process is None and not self._must_wait(entry)]
        if self.database and not self.database.alive():
            waits.append(self.database_start_at - now)
        if self.when_ready:
            waits.append(0.1)
        return max(0.0, min(waits, default=5.0))

    def _must_wait(self, entry: Running) -> bool:
        return entry.child.late and self.when_ready is not None

    def _start_due(self) -> None:
        now = time.monotonic()
        if self.database:
            self.database.shorten_log()
            if not self.database.alive() and self.database_start_at <= now:
                self._start_database()
        for entry in self.running:
            if entry.process is None and entry.start_at <= now and not self._must_wait(entry):
                try:
                    entry.process = spawn(entry.child)
                except OSError as error:
                    self._start_later(entry, f"cannot be started ({error.strerror})")
                    continue
                entry.started_at = time.monotonic()
                assert entry.process.stdout is not None  # noqa: S101
                os.set_blocking(entry.process.stdout.fileno(), False)
                self.selector.register(entry.process.stdout, selectors.EVENT_READ, entry)

    def _start_database(self) -> None:
        assert self.database is not None  # noqa: S101
        try:
            self.database.start()
        except Exception as error:
            # Whatever it is: the pages that need no database are served meanwhile, and the next try may do.
            self.database_deaths += 1
            pause = pause_after(self.database_deaths)
            self.database_start_at = time.monotonic() + pause
            self.say(f"The database does not start ({error}). It is started again in {pause:g} s.")
        else:
            self.database_deaths = 0
            self.say("The database runs again.")

    def _read(self, patience: float, wake_read: int) -> None:
        for key, _ in self.selector.select(patience):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(wake_read, 4096)
            else:
                self._read_child(key.data)

    def _read_child(self, entry: Running) -> None:
        assert entry.process is not None and entry.process.stdout is not None  # noqa: S101
        try:
            got = os.read(entry.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not got:
            self.selector.unregister(entry.process.stdout)
            return
        entry.rest += got
        *lines, rest = entry.rest.split(b"\n")
        entry.rest = bytearray(rest)
        for line in lines:
            self.printer.line(entry.child.name, line.decode(errors="replace").rstrip("\r"))

    def _forget(self, entry: Running) -> None:
        """Print what a dead child still had to say, end what is left of its group, and close its pipe."""
        assert entry.process is not None and entry.process.stdout is not None  # noqa: S101
        kill_group(entry.process)
        out = entry.process.stdout
        if out in self.selector.get_map():
            self._read_child(entry)
        if out in self.selector.get_map():
            self.selector.unregister(out)
        out.close()
        if entry.rest:
            self.printer.line(entry.child.name, entry.rest.decode(errors="replace"))
            entry.rest.clear()
        entry.process = None

    def _bury(self) -> None:
        now = time.monotonic()
        for entry in self.running:
            if entry.process is None or entry.process.poll() is None:
                continue
            code = entry.process.returncode
            self._forget(entry)
            if now - entry.started_at > WELL_AFTER:
                entry.deaths = 0
            self._start_later(entry, how_it_ended(code))
        if self.database and self.database.process and not self.database.alive():
            self.say("The database ended by itself. It is started again.")
            self.database.stop()

    def _start_later(self, entry: Running, why: str) -> None:
        entry.deaths += 1
        pause = pause_after(entry.deaths)
        entry.start_at = time.monotonic() + pause
        self.say(f"{entry.child.name} {why}. It is started again in {pause:g} s.")

    def _tell_when_ready(self) -> None:
        if self.when_ready and all(is_answering(host, port) for host, port in self.answering):
            tell, self.when_ready = self.when_ready, None
            tell()

    def stop(self, wake_read: int) -> None:
        """TERM to every child at once, KILL to those that do not end, and the database after all of them."""
        self.printer.write("")
        self.say("Stopping.")
        asked_before = self.asked
        began = time.monotonic()
        for entry in self.running:
            if entry.process and entry.process.poll() is None:
                entry.process.terminate()
        while any(entry.process for entry in self.running):
            self._read(0.2, wake_read)
            for entry in self.running:
                if entry.process is None:
                    continue
                if entry.process.poll() is not None:
                    self._forget(entry)
                elif time.monotonic() - began > entry.child.patience or self.asked > max(asked_before, 1):
                    self.say(f"{entry.child.name} does not end by itself and is killed.")
                    entry.process.kill()
                    entry.process.wait()
        if self.database:
            self.database.stop()
        self.say("Everything has stopped.")


def how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return "ended" if code == 0 else f"ended with code {code}"
