"""The loops of the worker and the publisher, over a PostgreSQL that comes and goes."""

import datetime as dt
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psycopg
import pytest

from rahdari.ops import loops, postgres
from rahdari.publish import actions, queries
from rahdari.publish import watching as publisher_watch
from rahdari.web import metrics_access as watching
from tests.waiting import until
from tests.web.test_errors import pages_say_that_we_are_back_in_a_moment

PROGRAM = """
import logging, os, sys, threading
import django
from django.conf import settings
from rahdari.settings.base import database
settings.configure(DATABASES={"default": database(os.environ["DATABASE_URL"])}, USE_TZ=True)
django.setup()
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
from django.db import connection
from rahdari.ops import loops

def step(now):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM waiting")
        print("round", cursor.fetchone()[0], now.tzinfo, flush=True)

stop = threading.Event()
loops.stop_on_signals(stop)
beat, apart = map(float, sys.argv[1:3])
unasked = (lambda now: print("beat", flush=True)) if "unasked" in sys.argv else None
loops.run_loop(
    name="sample", channel="sample_channel", step=step, unasked=unasked, stop=stop, beat=beat, apart=apart
)
print("stopped", flush=True)
"""


class Looping:
    """A loop in a process of its own, whose lines are read."""

    def __init__(
        self,
        url: str,
        beat: float = 0,
        apart: float = 0,
        *options: str,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            command or [sys.executable, "-u", "-c", PROGRAM, str(beat), str(apart), *options],
            env=os.environ | {"DATABASE_URL": url} | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def is_alive(self) -> bool:
        """Fails when it has ended."""
        assert self.process.poll() is None
        return True

    def read_until(self, wanted: str) -> list[str]:
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line.rstrip())
            if wanted in line:
                return lines
        raise AssertionError("\n".join(lines))

    def read_all(self, *wanted: str) -> list[str]:
        """Read until each has been said, in whatever order."""
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line.rstrip())
            if all(any(text in line for line in lines) for text in wanted):
                return lines
        raise AssertionError("\n".join(lines))


@pytest.fixture(scope="module")
def running() -> Iterator[postgres.Server]:
    with tempfile.TemporaryDirectory(prefix="rahdari-up-") as folder:
        server = postgres.Server(Path(folder) / "data", throwaway=True)
        server.start()
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE waiting (id int)")
        yield server
        server.stop()


@pytest.fixture
def server(running: postgres.Server) -> postgres.Server:
    with psycopg.connect(running.url) as connection:
        connection.execute("TRUNCATE waiting")
    return running


@pytest.fixture
def looping(server: postgres.Server) -> Iterator[list[Looping]]:
    started: list[Looping] = []
    yield started
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()
        if each.process.stdout:
            each.process.stdout.close()


class TestRounds:
    def test_come_at_once_on_a_wake_up(self, server: postgres.Server, looping: list[Looping]) -> None:
        # The beat is an hour: only the wake-up can bring the second round.
        loop = Looping(server.url, beat=3600)
        looping.append(loop)
        loop.read_until("round 0 UTC")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("INSERT INTO waiting VALUES (1)")
            connection.execute("NOTIFY sample_channel")
        loop.read_until("round 1")

    def test_of_many_who_come_together_are_one(self, server: postgres.Server, looping: list[Looping]) -> None:
        # Rounds are an hour apart: the second waits for its time, and a stop does not wait with it.
        loop = Looping(server.url, beat=3600, apart=3600)
        looping.append(loop)
        loop.read_until("round 0 UTC")
        with psycopg.connect(server.url, autocommit=True) as connection:
            for _ in range(5):
                connection.execute("NOTIFY sample_channel")
        loop.process.terminate()
        assert loop.read_until("stopped") == ["stopped"]

    def test_come_with_the_beat_when_a_wake_up_was_lost(self, server: postgres.Server, looping: list[Looping]) -> None:
        loop = Looping(server.url, beat=0.05)
        looping.append(loop)
        loop.read_until("round 0")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("INSERT INTO waiting VALUES (1)")
        loop.read_until("round 1")

    def test_are_another_when_nobody_woke_them(self, server: postgres.Server, looping: list[Looping]) -> None:
        loop = Looping(server.url, 0.05, 0, "unasked")
        looping.append(loop)
        assert "round 0 UTC" in loop.read_until("beat")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("NOTIFY sample_channel")
        loop.read_until("round 0 UTC")
        assert loop.read_until("beat") == ["beat"]

    def test_go_on_when_the_database_was_away(self, server: postgres.Server, looping: list[Looping]) -> None:
        loop = Looping(server.url, beat=0.05)
        looping.append(loop)
        loop.read_until("round 0")
        server.stop()
        loop.read_until("The database does not answer")
        server.start()
        loop.read_until("The database answers again")
        loop.read_until("round 0")

    @pytest.mark.whole
    def test_go_on_and_pages_say_so_when_there_was_no_further_connection(
        self, server: postgres.Server, looping: list[Looping]
    ) -> None:
        loop = Looping(server.url, beat=0.05)
        looping.append(loop)
        loop.read_until("round 0")
        with psycopg.connect(server.admin_url, autocommit=True) as administrator:
            administrator.execute("ALTER DATABASE rahdari CONNECTION LIMIT 0")
            administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rahdari'")
            loop.read_until("too many connections")
            assert pages_say_that_we_are_back_in_a_moment(server.url)
            administrator.execute("ALTER DATABASE rahdari CONNECTION LIMIT -1")
        loop.read_until("The database answers again")
        loop.read_until("round 0")

    def test_go_on_after_one_that_failed(self, server: postgres.Server, looping: list[Looping]) -> None:
        loop = Looping(server.url, beat=0.05)
        looping.append(loop)
        loop.read_until("round 0")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER TABLE waiting RENAME TO elsewhere")
            loop.read_until("This round of sample failed")
            connection.execute("ALTER TABLE elsewhere RENAME TO waiting")
        loop.read_until("round 0")

    def test_end_on_term(self, server: postgres.Server, looping: list[Looping]) -> None:
        loop = Looping(server.url, beat=0.05)
        looping.append(loop)
        loop.read_until("round 0")
        loop.process.terminate()
        loop.read_until("stopped")
        assert loop.process.wait() == 0


class TestPublisher:
    def test_looks_whole_when_something_waits_and_every_ten_seconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        waits, rounds, refreshed = [False], list[dt.datetime](), list[dt.datetime]()
        monkeypatch.setattr(queries, "something_to_cut", lambda *, now: waits[0])
        monkeypatch.setattr(actions, "publish_editions", lambda *, now, checkpoint: rounds.append(now))
        monkeypatch.setattr(actions, "refresh_timestamp", lambda *, now, checkpoint: refreshed.append(now))
        monkeypatch.setattr(publisher_watch, "watch_operators", lambda *, now: None)
        publisher = loops.PublisherRound()
        times = [dt.datetime(2026, 11, 16, tzinfo=dt.UTC) + dt.timedelta(seconds=each) for each in range(0, 24, 2)]
        for now in times:
            waits[0] = now == times[2]
            publisher.unasked(now)
        assert rounds == [times[0], times[2], times[7]]
        # What is due is signed again every ten seconds, however often an edition is published in between.
        assert refreshed == [times[0], times[7]]


@pytest.mark.whole
class TestWorker:
    def test_goes_on_when_the_database_was_away_and_a_second_one_when_the_first_is_killed(
        self, server: postgres.Server, looping: list[Looping]
    ) -> None:
        environment = {"DATABASE_URL": server.url, "DJANGO_SETTINGS_MODULE": "rahdari.settings.demo"}
        rahdari = [sys.executable, "-P", "-m", "rahdari"]
        data = ["--data", str(server.data)]
        subprocess.run([*rahdari, "prepare", *data], env=os.environ | environment, check=True, capture_output=True)
        worker = Looping(server.url, command=[*rahdari, "worker", *data], environment=environment)
        looping.append(worker)
        worker.read_all("rahdari.workflow: At work", "rahdari.letters: At work")
        with psycopg.connect(server.url, autocommit=True) as connection:
            # Each loop is known by its connection: `rahdari_loop_at_work` tells.
            named = "SELECT application_name FROM pg_stat_activity"
            ours = {loop for loop, process in watching.LOOPS.items() if process == "worker"}
            names = {watching.name_of_loop(loop) for loop in ours}
            until(lambda: names <= {name for (name,) in connection.execute(named)})
        server.stop()
        worker.read_all(*(f"rahdari.{loop}: The database does not answer" for loop in ours))
        server.start()
        leased = ours - {"letters"}
        # Each by its own pauses: what is not at work again yet, another one takes.
        said = worker.read_all("rahdari.letters: At work", *(f"rahdari.{loop}: At work" for loop in leased))
        assert not [line for line in said if "Traceback" in line]
        second = Looping(server.url, command=[*rahdari, "worker", *data], environment=environment)
        looping.append(second)
        second.read_all("rahdari.letters: At work", *(f"rahdari.{loop}: Another one is at work" for loop in leased))
        worker.process.kill()
        second.read_all(*(f"rahdari.{loop}: At work" for loop in leased))
        second.process.terminate()
        assert second.process.wait() == 0


class TestFirstLine:
    def test_is_what_lies_at_the_bottom(self) -> None:
        try:
            try:
                raise OSError("the server closed the connection\nand more")
            except OSError as error:
                raise RuntimeError("wrapped") from error
        except RuntimeError as error:
            wrapped = error
        assert loops.first_line(ExceptionGroup("tasks", [wrapped])) == "the server closed the connection"
