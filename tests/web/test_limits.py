import datetime as dt
import ipaddress
import threading
import uuid

import pytest
from django.db import connection, connections

from rahdari.web import limits, visitor


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


def place(address: str) -> visitor.Place:
    return visitor.place_of(ipaddress.ip_address(address))


@pytest.mark.django_db
class TestTakeLetter:
    COUNTS = limits.Letters(of_household=2, of_neighbourhood=3, of_all=5, per=86_400)

    def letters(self, name: str, *addresses: str) -> list[bool]:
        found = [limits.take_letter(name, "Reader@mail.example", place(each), self.COUNTS) for each in addresses]
        assert all(each.allowed or dt.timedelta() < each.wait <= dt.timedelta(days=1) for each in found)
        return [each.allowed for each in found]

    def test_counts_a_household_and_all_that_are_next_to_it(self) -> None:
        name = key()
        assert self.letters(name, *["203.0.113.1"] * 3) == [True, True, False]
        assert self.letters(name, "203.0.113.2", "203.0.113.3") == [True, False]
        assert limits.take_letter(name, "other@mail.example", place("203.0.113.1"), self.COUNTS).allowed

    def test_leaves_one_to_each_part_of_the_network_when_strangers_used_it_up(self) -> None:
        name = key()
        strangers = ["203.0.113.1"] * 2 + ["198.51.100.1"] * 2 + ["192.0.2.1"]
        assert all(self.letters(name, *strangers))
        assert self.letters(name, "2001:db8:1:2::3", "2001:db8:1:5::3", "2001:db8:2::3") == [True, False, True]


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
