"""A database restored from an older day: nothing goes back, what is missing is listed, and a new session leads on.

The backup is `pg_dump` of the register's database as it was; the restore puts it back, as docs/restore.md says.
"""

import csv
import io
import logging
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from rahdari.agent.faults import Exit
from rahdari.feed.repository import ROLES
from rahdari.ops import postgres
from rahdari.ops.loops import PublisherRound
from rahdari.publish import editions, queries, restoring, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Operator, Session
from tests.builders.publishing import NOW, address, an_operator, entered, moved, publish, struck_out

from .agents import AgentSide, serving
from .test_commands import run

pytestmark = pytest.mark.django_db(transaction=True)


class Database:
    """The register's rows, put away and brought back by the tools that came with the database: `pg_dump` must not be
    older than the server."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "backup.dump"

    def back_up(self) -> None:
        self._run("pg_dump", "--format=custom", "--data-only", f"--file={self.file}")

    def restore(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
            tables = [name for (name,) in cursor.fetchall()]
            # Guards and the outbox's triggers are for what the program does; a restore brings whole tables.
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
        connections.close_all()
        # In one transaction: foreign keys are looked at when all of it is there.
        self._run("pg_restore", "--data-only", "--single-transaction", str(self.file))
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")

    def _run(self, program: str, *options: str) -> None:
        found = django_settings.DATABASES["default"]
        environment = os.environ | {
            "PGHOST": str(found["HOST"]),
            "PGPORT": str(found["PORT"] or 5432),
            "PGUSER": str(found["USER"]),
            "PGPASSWORD": str(found["PASSWORD"]),
        }
        name = connection.settings_dict["NAME"]
        done = subprocess.run(
            [postgres.binaries() / program, f"--dbname={name}", *options],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path)


@pytest.fixture
def agent_of(feed: Repository, tmp_path: Path) -> Iterator[Callable[[Operator], AgentSide]]:
    stands = []

    def make(operator: Operator) -> AgentSide:
        stand = serving(feed.path, operator)
        url = stand.__enter__()
        stands.append(stand)
        return AgentSide(tmp_path / f"{operator.slug}-{len(stands)}", url, feed.metadata / "1.root.json")

    yield make
    for stand in stands:
        stand.__exit__(None, None, None)


class TestRestore:
    def test_is_followed_by_an_agent_that_never_goes_back(
        self,
        feed: Repository,
        database: Database,
        agent_of: Callable[[Operator], AgentSide],
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        operator = an_operator()
        entered(address(1))
        to_move, to_end = entered(address(2)), entered(address(3))
        publish()
        agent = agent_of(operator)
        database.back_up()
        # What happens after the backup: entries come, one changes, one goes, an operator is added.
        for number in range(10, 40):
            entered(address(number))
        moved(to_move, address(50))
        struck_out(to_end)
        publish()
        newcomer = agent_of(an_operator("sample-mobile"))
        publish()
        assert newcomer.sync().exit is Exit.OK
        held = {address(1), address(50), *(address(number) for number in range(10, 40))}
        assert agent.sync().exit is Exit.OK and agent.prefixes == held
        before = agent.sequence()

        # 1) the older database is back, and the publisher signs nothing new from it
        database.restore()
        assert Operator.objects.count() == 1
        entered(address(60))
        with pytest.raises(editions.DatabaseBehindFeed):
            publish()
        # and the publisher's own round keeps fresh what is published, and says once what is wrong
        signed, again = queries.feed_status().signed_at, PublisherRound()
        with caplog.at_level(logging.ERROR, "rahdari.publisher"):
            for number in range(1, 4):
                again(NOW + number * rules.TIMESTAMP_EVERY)
        assert signed is not None and queries.feed_status().signed_at == signed + 3 * rules.TIMESTAMP_EVERY
        assert [row.getMessage()[:26] for row in caplog.records] == ["Nothing new is signed: the"]
        assert queries.feed_status().behind
        assert run("feed", "status") == 1
        assert (
            agent.sync(at=NOW + 3 * rules.TIMESTAMP_EVERY).exit is Exit.OK
            and agent.prefixes == held
            and agent.sequence() == before
        )

        # 2) what is missing
        capsys.readouterr()
        listed = tmp_path / "missing.csv"
        assert run("feed", "missing", "--list", str(listed)) == 0
        told = capsys.readouterr().err
        rows = list(csv.DictReader(io.StringIO(listed.read_text())))
        by_what = {what: {row["prefix"] for row in rows if row["what"] == what} for what in ("lost", "changed", "back")}
        assert by_what == {
            "lost": {address(number) for number in range(10, 40)},
            "changed": {address(50)},
            "back": {address(3)},
        }
        assert "30 entries are in force at operators" in told and "operator that was added since" in told

        # 3) new sessions, above what is on disk
        assert run("feed", "new-session") == 0
        assert run("feed", "new-session") == 1
        publish()
        outcome = agent.sync()
        # 4) the agent follows, and holds back what the new session lacks
        assert outcome.exit is Exit.ALARM, outcome.faults
        assert agent.sequence() > before
        assert held <= agent.prefixes | {address(50)} and {address(2), address(3), address(60)} <= agent.prefixes
        assert {address(number) for number in range(10, 40)} <= agent.prefixes

        # 5) the staff enters again what was lost, and it reaches the agent
        for number in range(10, 40):
            entered(address(number))
        moved(to_move, address(50))
        publish()
        agent.sync()
        assert {address(number) for number in (1, 50, 60, *range(10, 40))} <= agent.prefixes
        assert not queries.feed_status().behind
        # The operator that was lost is added again, and its agent has seen higher numbers: it goes on all the same.
        again = an_operator("sample-mobile")
        publish()
        newcomer.moves_to(agent_of(again))
        assert newcomer.sync().exit is Exit.OK, "its versions begin above those of the first time"
        assert agent.sync().exit is not Exit.UNTRUSTED

    def test_an_agent_refuses_the_old_database_that_turns_up_again(
        self, feed: Repository, database: Database, agent_of: Callable[[Operator], AgentSide], tmp_path: Path
    ) -> None:
        operator = an_operator()
        entered(address(1))
        publish()
        agent = agent_of(operator)
        assert agent.sync().exit is Exit.OK
        database.back_up()
        entered(address(2))
        publish()
        assert agent.sync().exit is Exit.OK
        old_feed = tmp_path / "old-feed"
        shutil.copytree(feed.path, old_feed, symlinks=True)
        database.restore()
        assert run("feed", "new-session") == 0
        publish()
        assert agent.sync().exit is Exit.OK and agent.prefixes == {address(1)}
        # Someone starts the old machine again: everything that it has is signed by trusted keys.
        shutil.rmtree(feed.path)
        shutil.copytree(old_feed, feed.path, symlinks=True)
        outcome = agent.sync()
        assert outcome.exit is Exit.UNTRUSTED and agent.prefixes == {address(1)}

    def test_goes_on_after_the_whole_folder_was_lost_too(
        self, feed: Repository, database: Database, agent_of: Callable[[Operator], AgentSide]
    ) -> None:
        """Then nothing says how far the feed had come; whoever knows it says so."""
        operator = an_operator()
        publish()
        database.back_up()
        agent = agent_of(operator)
        for number in range(5):
            entered(address(number))
            publish()
        assert agent.sync().exit is Exit.OK
        database.restore()
        held = max(agent.sequence(role) for role in ROLES)
        shutil.rmtree(feed.path)
        assert run("feed", "new-session", "--above", str(held)) == 0
        publish()
        assert agent.sync().exit is Exit.OK and agent.sequence() > held


class TestNewSession:
    def test_is_refused_while_the_database_knows_all(
        self, feed: Repository, capsys: pytest.CaptureFixture[str]
    ) -> None:
        an_operator()
        publish()
        assert run("feed", "new-session") == 1
        assert "no new session is needed" in capsys.readouterr().err
        assert Session.objects.filter(closed_at__isnull=False).count() == 0

    def test_after_a_theft_begins_above_what_the_thief_signed(
        self, feed: Repository, agent_of: Callable[[Operator], AgentSide], capsys: pytest.CaptureFixture[str]
    ) -> None:
        operator = an_operator()
        for number in range(3):
            entered(address(number))
            publish()
        agent = agent_of(operator)
        assert agent.sync().exit is Exit.OK
        assert run("feed", "new-session", "--above", "1") == 1
        assert "give --above" in capsys.readouterr().err
        assert run("feed", "new-session", "--above", "5000000") == 0
        publish()
        assert agent.sync().exit is Exit.OK
        assert agent.sequence() > 5_000_000 and len(agent.prefixes) == 3

    def test_that_was_killed_before_it_was_published_leads_on(
        self, feed: Repository, agent_of: Callable[[Operator], AgentSide]
    ) -> None:
        operator = an_operator()
        entered(address(1))
        publish()
        agent = agent_of(operator)
        assert agent.sync().exit is Exit.OK
        restoring.open_new_sessions(now=NOW, above=100)
        assert agent.sync().exit is Exit.OK, "nothing is signed of it yet"
        publish()
        entered(address(2))
        publish()
        assert agent.sync().exit is Exit.OK and agent.prefixes == {address(1), address(2)}
