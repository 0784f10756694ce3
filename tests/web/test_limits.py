import datetime as dt
import threading
import uuid

import pytest
from django.db import connection, connections

from rahdari.web import limits


def key() -> str:
    return f"test:{uuid.uuid4()}"


def age(of: dt.timedelta) -> None:
    """Let time pass for every bucket."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE web_allowance SET at = at - %s", [of])


@pytest.mark.django_db
class TestTake:
    def test_allows_the_rate_and_then_says_how_long_to_wait(self) -> None:
        name = key()
        # A day for each, for what comes back while the test runs is little of it.
        three = {"rate": 3, "per": 3 * 86_400}
        assert all(limits.allow(name, **three) for _try in range(3))
        refused = limits.take(name, **three)
        assert not refused.allowed
        assert dt.timedelta(hours=23) < refused.wait <= dt.timedelta(hours=24)

    def test_gives_tries_back_evenly_and_never_more_than_the_rate(self) -> None:
        name = key()
        for _try in range(4):
            limits.take(name, rate=3, per=600)
        age(dt.timedelta(seconds=200))
        assert limits.allow(name, rate=3, per=600)
        assert not limits.allow(name, rate=3, per=600)
        age(dt.timedelta(days=30))
        assert [limits.allow(name, rate=3, per=600) for _try in range(4)] == [True, True, True, False]

    def test_counts_each_key_alone(self) -> None:
        one, other = key(), key()
        assert limits.allow(one, rate=1, per=3600)
        assert not limits.allow(one, rate=1, per=3600)
        assert limits.allow(other, rate=1, per=3600)

    def test_forgets_what_nobody_has_touched_for_a_day(self) -> None:
        limits.forget_untouched()
        name = key()
        limits.allow(name, rate=3, per=60)
        assert limits.forget_untouched() == 0
        age(dt.timedelta(days=1, seconds=1))
        assert limits.forget_untouched() == 1
        assert limits.forget_untouched() == 0

    def test_keeps_no_key_that_can_be_read(self) -> None:
        limits.allow("portal.check:203.0.113.24", rate=5, per=60)
        with connection.cursor() as cursor:
            cursor.execute("SELECT key FROM web_allowance")
            assert not any("203.0.113" in row[0] or "portal" in row[0] for row in cursor.fetchall())


@pytest.mark.django_db(transaction=True)
class TestTakeAtOnce:
    def test_allows_no_more_to_many_processes_than_to_one(self) -> None:
        name, allowed = key(), []

        def work() -> None:
            try:
                allowed.extend(limits.allow(name, rate=5, per=3600) for _try in range(5))
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(allowed) == 20
        assert allowed.count(True) == 5
