"""A commit whose wait for a standby is broken off is not said to be done. Against a server of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import OperationalError

from rahdari.db.postgres.base import DatabaseWrapper
from rahdari.ops import postgres
from rahdari.ops.checks import OK, WRONG, Inspection
from rahdari.ops.doctor_standbys import check_standbys
from rahdari.settings.base import database
from tests.ops.test_settings import USUAL
from tests.waiting import until

# Of its own server alone, which pytest-django does not know.
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    """One at which each commit waits for a standby that never comes."""
    made = postgres.Server(
        tmp_path_factory.mktemp("standbys") / "data", throwaway=True, settings={"synchronous_commit": "on"}
    )
    made.start()
    try:
        with psycopg.connect(made.url) as connection:
            connection.execute("CREATE TABLE kept (word text)")
        with psycopg.connect(made.admin_url, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: connection.execute("SHOW synchronous_standby_names").fetchone() == ("nobody",))
        yield made
    finally:
        made.stop()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[postgres.Server]:
    made = postgres.Server(tmp_path / "data", throwaway=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def wrapper(server: postgres.Server) -> Iterator[DatabaseWrapper]:
    made = DatabaseWrapper(USUAL | database(server.url), alias="default")
    yield made
    made.close()


@contextmanager
def ended_by(server: postgres.Server, call: str) -> Iterator[None]:
    """Whoever waits for a standby meanwhile is called so, by its number."""

    def end() -> None:
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
            until(lambda: connection.execute(waiting).fetchall())
            connection.execute(f"SELECT {call}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")

    ender = threading.Thread(target=end)
    ender.start()
    yield
    ender.join()


def write(wrapper: DatabaseWrapper, word: str, *, at_once: bool) -> None:
    wrapper.set_autocommit(at_once)
    with wrapper.cursor() as cursor:
        cursor.execute("INSERT INTO kept VALUES (%s)", [word])
    if not at_once:
        wrapper.commit()


class TestACommitThatWaitsForAStandby:
    @pytest.mark.parametrize("at_once", [False, True], ids=["in a transaction", "of one statement"])
    @pytest.mark.parametrize("call", ["pg_cancel_backend", "pg_terminate_backend"])
    def test_is_an_error_when_the_wait_is_broken_off(
        self, server: postgres.Server, wrapper: DatabaseWrapper, call: str, at_once: bool
    ) -> None:
        word = f"{call} {at_once}"
        with ended_by(server, call), pytest.raises(OperationalError):
            write(wrapper, word, at_once=at_once)
        # That is why: it is there, on this one server.
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept WHERE word = %s", [word]).fetchone() == (1,)

    def test_is_an_error_once(self, server: postgres.Server, wrapper: DatabaseWrapper) -> None:
        with ended_by(server, "pg_cancel_backend"), pytest.raises(OperationalError, match="broken off"):
            write(wrapper, "once", at_once=True)
        found: list[Any]
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT word FROM kept WHERE word = %s", ["once"])
            found = cursor.fetchall()
        assert found == [("once",)]


class TestTheDoctor:
    def found(self, url: str) -> list[tuple[str, str]]:
        patient = Inspection(Path("/nowhere"), {"DATABASE_URL": url}, "127.0.0.1", 1)
        return [(each.state, each.text) for each in check_standbys(patient)]

    def test_is_content_when_a_commit_waits(self, server: postgres.Server) -> None:
        ((state, text),) = self.found(server.url)
        assert state == OK and "nobody" in text

    def test_complains_when_it_waits_for_no_disk(self, server: postgres.Server) -> None:
        ((state, text),) = self.found(f"{server.url}&options=-csynchronous_commit%3Dremote_write")
        assert state == WRONG and "synchronous_commit is remote_write" in text

    def test_complains_of_several_that_do_not_wait_and_is_silent_of_one(self, alone: postgres.Server) -> None:
        assert self.found(alone.url) == []
        ((state, text),) = self.found(alone.url.replace("?host=", f"?host={quote(str(alone.socket), safe='')},"))
        assert state == WRONG and "none waits for another" in text
