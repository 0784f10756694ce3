"""Two publishers: one is at work, and the other goes on with what is left when that one is killed, wherever that is."""

import datetime as dt
import json
import os
import subprocess
import sys

import psycopg
import pytest
from django.db import OperationalError, connection, connections

from rahdari.db.locks import Lease, Lock
from rahdari.ops import loops
from rahdari.publish import actions
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, PendingChange
from rahdari.register.models import Entry
from tests.builders.publishing import NOW, Follower, address, entered

from .crash_driver_points import CHECKPOINTS
from .test_crash import ROOT, url_of_the_test_database

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = dt.timedelta(minutes=1)


@pytest.mark.whole
class TestStandby:
    def test_goes_on_wherever_the_other_is_killed(self, feed: Repository) -> None:
        program = [sys.executable, "-m", "tests.publish.standby_driver", str(feed.data)]
        environment = {**os.environ, "DATABASE_URL": url_of_the_test_database()}
        done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert set(told["killed_at"]) == set(CHECKPOINTS)
        last: dict[str, list[int]] = {}
        for look in told["looks"]:
            for what, now in look.items():
                assert all(before <= after for before, after in zip(last.get(what, now), now, strict=True)), what
                last[what] = now
        assert not PendingChange.objects.exists() and not Edition.objects.filter(published_at=None).exists()
        assert told["has"] == Entry.objects.filter(ended_at=None, kind="static").count() > 40


class TestLease:
    def test_is_one_publishers_until_its_connection_ends(self) -> None:
        ours = Lease(Lock.PUBLISHER)
        assert ours.take() and ours.take()
        ours.check()
        with psycopg.connect(url_of_the_test_database(), autocommit=True) as other:
            asked = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
            assert other.execute(asked, [Lock.PUBLISHER.text()]).fetchone() == (False,)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (backend,) = cursor.fetchone()
            other.execute("SELECT pg_terminate_backend(%s, 60000)", [backend])
            assert other.execute(asked, [Lock.PUBLISHER.text()]).fetchone() == (True,)
            with pytest.raises(psycopg.OperationalError):
                ours.check()
            connections.close_all()
            # A new connection has not what the one before had.
            assert not ours.take()
            # At once, where the end of a connection is seen some time later.
            other.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [Lock.PUBLISHER.text()])
        assert ours.take()

    def test_that_is_lost_keeps_a_publisher_from_putting_an_older_word_over_a_newer_one(
        self, feed: Repository, follower: Follower
    ) -> None:
        """As one that slept while another took over: it wakes with the file in hand."""
        entered(address(1))
        actions.publish_editions(now=NOW)
        path = feed.of(follower.operator.repository).metadata / "timestamp.json"
        before = path.read_bytes()
        lease = Lease(Lock.PUBLISHER)
        assert lease.take()

        def lose(at: str) -> None:
            if at == "timestamp.json: half written":
                with psycopg.connect(url_of_the_test_database(), autocommit=True) as other:
                    pid = connection.connection.info.backend_pid
                    other.execute("SELECT pg_terminate_backend(%s, 60000)", [pid])
            if at == loops.BEFORE_PUBLISHED:
                lease.check()

        entered(address(2), now=NOW + MINUTE)
        with pytest.raises((psycopg.OperationalError, OperationalError)):
            actions.publish_editions(now=NOW + MINUTE, checkpoint=lose)
        assert path.read_bytes() == before
        connections.close_all()
        # The other one goes on: what was left is published, and agents take it.
        assert Lease(Lock.PUBLISHER).take()
        actions.publish_editions(now=NOW + 2 * MINUTE)
        assert path.read_bytes() != before
        follower.sync()
        assert len(follower.entries) == 2
