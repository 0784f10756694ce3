"""`rahdari demo` as one starts it: the whole house in one process tree."""

import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from rahdari.ops import postgres
from tests.needs import needs_namespaces
from tests.ops import dying_database
from tests.ops.test_processes import wait_until_gone
from tests.ports import free_port
from tests.waiting import until

TRIES = """
import json, os, sys
said = {}
for path in json.loads(sys.argv[1]):
    try:
        said[path] = len(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1000)) and "read"
    except OSError as error:
        said[path] = "refused" if error.errno in (1, 13) else str(error)
print(json.dumps(said))
"""
# One that hangs is ended after so many seconds. A busy machine took three minutes for the start alone.
PATIENCE = 1800.0
USUAL = {"web", "worker", "publisher", "watch", "push", "lookup"}


class Demo:
    """A running demonstration, and its lines."""

    def __init__(self, data: Path, port: int, *options: str, ignoring: bool = False) -> None:
        command = [sys.executable, "-P", "-m", "rahdari", "demo", "--data", str(data), "--port", str(port), *options]
        if ignoring:
            command = ["/bin/sh", "-c", "trap '' INT; exec " + shlex.join(command)]
        dropped = ("RAHDARI", "DATABASE_URL", "DJANGO")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        self.port, self.data = port, data
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        # A line that never comes ends the test, and does not hold it for ever.
        self.patience = threading.Timer(PATIENCE, self.process.kill)
        self.patience.daemon = True
        self.patience.start()

    def read_until(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} was not said in:\n" + "\n".join(self.lines))

    def end(self) -> int:
        assert self.process.stdout is not None
        self.lines += [line.rstrip() for line in self.process.stdout]
        return self.process.wait()

    def close(self) -> None:
        self.patience.cancel()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()

    def children(self) -> dict[str, int]:
        """The number of each child, by the word of its command; the database is `postgres`."""
        found = {}
        for child in descendants(self.process.pid):
            try:
                words = Path(f"/proc/{child}/cmdline").read_bytes().decode().split("\0")
                parent = int(Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # One of the many that end meanwhile, as those that serve connections do.
            if parent != self.process.pid:
                continue
            if words[0].endswith("/postgres"):
                found["postgres"] = child
            elif "rahdari" in words:
                found[words[words.index("rahdari") + 1]] = child
        return found

    def get(self, path: str, *, port: int | None = None) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}{path}", timeout=PATIENCE) as answer:
            return int(answer.status)

    def is_well(self, port: int) -> bool:
        """By the word of what listens there."""
        try:
            return self.get("/healthz", port=port) == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False


def descendants(pid: int) -> list[int]:
    """The processes under this one. One that ends while we look is left out."""
    found = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *descendants(int(child))]
    return found


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rahdari-demo-") as folder:
        yield Path(folder) / "data"


@pytest.fixture
def demos() -> Iterator[list[Demo]]:
    started: list[Demo] = []
    yield started
    for demo in started:
        demo.close()


def each_process_is_a_user_of_its_own(demo: Demo, children: dict[str, int]) -> None:
    """The publisher has just signed what the agents apply; nobody else reads its keys."""
    main = demo.data.stat()
    uids = {name: os.stat(f"/proc/{pid}").st_uid for name, pid in children.items()}
    apart = {"publisher": uids["publisher"], "push": uids["push"], "lookup": uids["push"]}
    assert len({0, main.st_uid, *apart.values()}) == 4
    assert uids == dict.fromkeys(uids, main.st_uid) | apart
    assert demo.process.pid != children["web"] and os.stat(f"/proc/{demo.process.pid}").st_uid == main.st_uid

    publisher, web = Path(f"/proc/{children['publisher']}"), Path(f"/proc/{children['web']}")
    signing = demo.data / "keys" / "feed"
    secrets = [signing, *signing.iterdir(), publisher / "environ", publisher / "mem"]
    secrets += [publisher / "root" / str(path).lstrip("/") for path in signing.glob("*.pem")]
    personal = [demo.data / "keys" / "fields.key", demo.data / "postgres" / "password", web / "environ"]
    supervisor = Path(f"/proc/{demo.process.pid}")
    assert len(secrets) > 10
    for uid in (main.st_uid, uids["push"]):
        assert tried_in(demo, uid, *secrets, supervisor / "environ", supervisor / "mem") == {"refused"}
    for uid in (uids["publisher"], uids["push"]):
        assert tried_in(demo, uid, *personal) == {"refused"}
    assert tried_in(demo, main.st_uid, *personal) == {"read"}
    assert tried_in(demo, uids["publisher"], *signing.glob("*.pem")) == {"read"}


def tried_in(demo: Demo, uid: int, *paths: Path) -> set[str]:
    """What becomes of reading these paths as this user, in the mount namespace of the processes."""
    gid = demo.data.stat().st_gid
    command = ["nsenter", f"--mount=/proc/{demo.process.pid}/ns/mnt", "--", "setpriv", f"--reuid={uid}"]
    command += [f"--regid={uid}", f"--groups={gid}", "/usr/bin/python3", "-c", TRIES]
    done = subprocess.run([*command, json.dumps([str(path) for path in paths])], capture_output=True, check=True)
    return set(json.loads(done.stdout).values())


class TestDemo:
    @pytest.mark.whole
    def test_starts_serves_mends_itself_stops_and_keeps_its_data(self, data: Path, demos: list[Demo]) -> None:
        if os.geteuid() == 0:
            needs_namespaces()
        port = free_port(beside=2)
        # Stopped while it gets ready it leaves nothing that stands in the way of the next.
        early = Demo(data, port)
        demos.append(early)
        early.read_until(r"Making the database")
        early.process.terminate()
        assert early.end() == 0
        assert not [line for line in early.lines if "ready" in line]

        demo = Demo(data, port)
        demos.append(demo)
        demo.read_until(r"demonstration is ready: +http://127\.0\.0\.1:")
        demo.read_until(r"freelancer@")
        demo.read_until(r"sample-fibre +\| .*edition \d+ \(dynamic \d+, canary \d+\): [1-9]\d* entries applied to ")
        assert demo.get("/") == 200
        # They listen before they have read what there is.
        for each in (port + 1, port + 2):
            until(lambda each=each: demo.is_well(each), patience=300)  # type: ignore[misc]
        children = demo.children()
        assert set(children) == USUAL | {"agent", "vantage", "postgres"}
        if os.geteuid() == 0:
            each_process_is_a_user_of_its_own(demo, children)

        # A second one on the same data, and one on the same port, are told so before anything starts.
        busy = Demo(data, free_port(beside=2))
        demos.append(busy)
        assert busy.end() == 1
        assert f"already running on the data folder {data}" in busy.lines[-1]
        taken = Demo(data.parent / "other", port)
        demos.append(taken)
        assert taken.end() == 1
        assert taken.lines == [line for line in taken.lines if f"--port {port + 10}" in line]
        assert not (data.parent / "other").exists()

        # What is killed is started again; the web server's workers do not keep its port.
        for word in ("worker", "web"):
            os.kill(children[word], signal.SIGKILL)
            demo.read_until(rf"{word} was ended by SIGKILL\. It is started again")
        os.kill(children["postgres"], signal.SIGKILL)
        demo.read_until(r"The database runs again")
        demo.read_until(r"line: At work|The database answers again")
        mended = demo.children()
        assert mended["postgres"] != children["postgres"]

        # As root it has become an ordinary user, and left the folder around its data closed as it was; root reaches the
        # database at the path that it always has.
        every = descendants(demo.process.pid)
        assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700
        if os.geteuid() == 0:
            assert [line for line in demo.lines if re.search(r"Running as the user (\w+), not as root", line)]
            for pid in [demo.process.pid, *every]:
                with suppress(FileNotFoundError):
                    assert os.stat(f"/proc/{pid}").st_uid != 0
        url = postgres.known_url(data)
        assert url is not None
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) > 5 FROM people_user").fetchone() == (True,)

        # The terminal is closed and the supervisor killed at once: nothing may stay.
        demo.process.kill()
        demo.process.wait()
        for pid in every:
            wait_until_gone(pid)

        again = Demo(data, port, ignoring=True)
        demos.append(again)
        again.read_until(r"demonstration is ready")
        assert not [line for line in again.lines if "Making" in line or "Made the" in line or "Setting up" in line]
        every = descendants(again.process.pid)
        again.process.send_signal(signal.SIGINT)
        assert again.end() == 0
        assert "Everything has stopped" in again.lines[-1]
        for pid in every:
            wait_until_gone(pid)

    @pytest.mark.whole
    def test_outlives_a_database_that_is_killed_at_any_point_of_its_start(self, data: Path) -> None:
        """The points are forced: the program beside this one kills the database at each of them, once."""
        if os.geteuid() == 0:
            needs_namespaces()
        tree = Path(__file__).parents[2]
        dropped = ("RAHDARI", "DATABASE_URL", "DJANGO")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        with subprocess.Popen(
            [sys.executable, dying_database.__file__, str(data), str(free_port(beside=2))],
            env={**environment, "PYTHONPATH": f"{tree / 'src'}:{tree}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as started:
            patience = threading.Timer(PATIENCE, started.kill)
            patience.start()
            assert started.stdout is not None
            lines = []
            for line in started.stdout:
                lines.append(line.rstrip())
                if "The database runs again" in line:
                    started.terminate()
            patience.cancel()
        said = "\n".join(lines)
        assert started.returncode == 0, said
        assert sorted(dying_database.passed(data).read_text().splitlines()) == sorted(dying_database.POINTS), said
        assert (data / "accounts.json").exists()

    def test_refuses_data_of_a_newer_version(self, data: Path, demos: list[Demo]) -> None:
        data.mkdir()
        (data / "version").write_text('format = 99\nkind = "demo"\nwritten_by = "9.0.0"\n')
        demo = Demo(data, free_port(beside=2))
        demos.append(demo)
        assert demo.end() == 1
        assert "written by Rahdari 9.0.0" in demo.lines[-1]
        assert [path.name for path in data.iterdir()] == ["version"]
