"""The whole of Rahdari as `rahdari demo` starts it, for tests that use it as people do: from outside, over HTTP."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.ops.installed import take_prepared
from tests.ports import free_port

PROGRAM = (sys.executable, "-m", "rahdari")


# How long anything may take, in seconds: on a loaded machine it takes long, and that is no fault.
PATIENCE = 180


def wait_for[Found](
    what: str, look: Callable[[], Found | None], *, patience: float = PATIENCE, between: float = 0.1
) -> Found:
    """Look until there is something, or fail saying what was waited for. Not a sleep: a condition with an end."""
    until = time.monotonic() + patience
    pause = threading.Event()
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience:.0f} s in vain for {what}")
        pause.wait(between)


@dataclass
class Stack:
    """A running demonstration. `lines` is all that its terminal has shown so far."""

    data: Path
    port: int
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def feed_url(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    def said(self, pattern: str) -> re.Match[str] | None:
        for line in list(self.lines):
            if found := re.search(pattern, line):
                return found
        return None

    def output(self) -> str:
        return "\n".join(self.lines)

    def mails_to(self, address: str) -> list[str]:
        """The mails to an address, oldest first, as they were written to the mail folder."""
        folder = self.data / "mail"
        texts = [path.read_text() for path in sorted(folder.glob("*"))] if folder.exists() else []
        return [text for text in texts if re.search(rf"^To: .*{re.escape(address)}", text, re.MULTILINE)]

    def environment(self) -> dict[str, str]:
        """What a process of this installation is given, read from one that runs: for commands of the administrator."""
        worker = wait_for("the worker's process", lambda: self.processes("worker"))[0]
        pairs = Path(f"/proc/{worker}/environ").read_bytes().split(b"\0")
        return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)

    def children(self) -> list[tuple[str, int]]:
        """What the supervisor has started and runs now: the word of its command (web, worker ...; postgres), and its
        number."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for pid in map(int, task.read_text().split()):
                with suppress(OSError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
                    if words[0].endswith("/postgres"):
                        found.append(("postgres", pid))
                    elif "rahdari" in words[1:4]:
                        found.append((words[words.index("rahdari") + 1], pid))
        return found

    def processes(self, word: str) -> list[int]:
        return [pid for name, pid in self.children() if name == word]

    def acts(self, program: str, *words: str) -> list[str]:
        """What a program of this folder prints that acts in this installation with these words: its own words."""
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(Path(__file__).with_name(program)), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`rahdari WORDS` as the administrator of this installation runs it."""
        return subprocess.run(
            [*PROGRAM, *words], env=self.environment(), capture_output=True, text=True, check=False, timeout=PATIENCE
        )


def start(data: Path, port: int, *options: str, word: str = "demo", settings: str | None = None) -> Stack:
    """Start `rahdari WORD` and wait until it is ready. `settings` are others than those of the word."""
    ours = {"DATABASE_URL", "RAHDARI_DATA", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    if settings:
        environment["DJANGO_SETTINGS_MODULE"] = settings
    process = subprocess.Popen(
        [*PROGRAM, word, "--data", str(data), "--port", str(port), *options],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    stack = Stack(data, port, process)

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            stack.lines.append(line.rstrip("\n"))

    stack.reader = threading.Thread(target=read, daemon=True)
    stack.reader.start()

    def ready() -> bool:
        if process.poll() is not None:
            raise AssertionError(f"rahdari ended by itself:\n{stack.output()}")
        return stack.said("is ready") is not None

    try:
        wait_for("rahdari to be ready", ready, patience=600)
    except AssertionError:
        stop(stack)
        raise
    return stack


def stop(stack: Stack) -> int:
    if stack.process.poll() is None:
        stack.process.send_signal(signal.SIGTERM)
    code = stack.process.wait(timeout=PATIENCE)
    assert stack.reader is not None and stack.process.stdout is not None
    stack.reader.join()
    stack.process.stdout.close()
    return code


@contextmanager
def running(data: Path, *options: str) -> Iterator[Stack]:
    take_prepared(data)
    stack = start(data, free_port(beside=2), *options)
    try:
        yield stack
    finally:
        stop(stack)


@contextmanager
def running_register(data: Path) -> Iterator[Stack]:
    """`rahdari up` with keys and without sample data; documentation ranges may be registered, as in tests."""
    stack = start(data, free_port(beside=2), word="up", settings="rahdari.settings.demo")
    try:
        made = stack.command("feed", "keys", "--offline", str(data / "offline"))
        if made.returncode:
            raise AssertionError(made.stdout + made.stderr)
        yield stack
    finally:
        stop(stack)
