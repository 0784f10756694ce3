"""A long queue is gone through part by part, to its end, and then from the front again.

What fails is put back, counted, and holds up nothing behind it.
"""

import datetime as dt

import pytest
from django.db import OperationalError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rahdari.db import queues
from rahdari.db.models import FailingItem
from rahdari.journal.models import JournalEntry as Row
from rahdari.ops.doctor_queues import check_queues
from rahdari.publish import metrics
from rahdari.vouch.models import MailOptOut

NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)


class TestNextBatch(TestCase):
    @given(minutes=st.lists(st.integers(0, 3), min_size=1, max_size=9), at_most=st.integers(1, 4))
    def test_everything_comes_once_in_each_round_in_its_order(self, minutes: list[int], at_most: int) -> None:
        Row.objects.bulk_create(
            [
                Row(act="test.waits", actor="system:test", subject="", at=NOW + dt.timedelta(minutes=each))
                for each in minutes
            ]
        )
        found = Row.objects.filter(act="test.waits").order_by("at", "id")
        whole = list(found)
        queues._positions.clear()
        for _ in range(2):
            seen: list[Row] = []
            while len(seen) < len(whole):
                part = queues.next_batch("test", found, at_most=at_most)
                assert len(part) <= at_most
                seen += part
            assert seen == whole


@pytest.mark.django_db
def test_queues_have_their_places_by_their_names() -> None:
    Row.objects.bulk_create(
        [Row(act="test.waits", actor="system:test", subject=str(each), at=NOW) for each in range(3)]
    )
    found = Row.objects.filter(act="test.waits").order_by("at", "id")
    queues._positions.clear()
    assert [each.subject for each in queues.next_batch("one", found, at_most=2)] == ["0", "1"]
    assert [each.subject for each in queues.next_batch("two", found, at_most=2)] == ["0", "1"]
    assert [each.subject for each in queues.next_batch("one", found, at_most=2)] == ["2"]


HOUR = dt.timedelta(hours=1)
WORDS = "what somebody wrote"


class Broken(Exception):
    pass


@pytest.mark.django_db
class TestWhatFails:
    @pytest.fixture(autouse=True)
    def waiting(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queues, "_troubled", None)
        self.broken = {"0"}
        for name in "012":
            MailOptOut.objects.create(address_index=name, at=NOW)

    def run(self, now: dt.datetime, at_most: int = 1) -> int:
        @queues.each_of(lambda: MailOptOut.objects.order_by("at", "address_index"), at_most=at_most)
        def move(row: MailOptOut, now: dt.datetime) -> None:
            name = row.address_index
            row.delete()
            if name in self.broken:
                raise Broken(WORDS)

        return move(now)

    def left(self) -> list[str]:
        return sorted(MailOptOut.objects.values_list("address_index", flat=True))

    def test_holds_up_nothing_behind_it_and_is_undone(self) -> None:
        assert [self.run(NOW) for _ in range(4)] == [0, 1, 1, 0]
        assert self.left() == ["0"], "what its act did before it failed is undone"

    def test_of_two_hundred_is_counted_and_the_others_are_moved_once(self) -> None:
        names = [f"{number:03}" for number in range(200)]
        MailOptOut.objects.all().delete()
        MailOptOut.objects.bulk_create(MailOptOut(address_index=name, at=NOW) for name in names)
        self.broken = {names[2]}
        assert [self.run(NOW, at_most=200), self.run(NOW, at_most=200)] == [199, 0]
        assert (self.left(), FailingItem.objects.get().attempts) == ([names[2]], 1)

    def test_is_put_back_for_pauses_that_grow_to_an_hour(self) -> None:
        now, pauses = NOW, []
        for _ in range(14):
            self.run(now, at_most=3)
            row = FailingItem.objects.get()
            assert self.run(row.next_at - dt.timedelta(seconds=1), at_most=3) == 0
            assert FailingItem.objects.get().attempts == row.attempts, "before its time nobody tries it"
            pauses.append(row.next_at - now)
            now = row.next_at
        assert pauses[:4] == [dt.timedelta(seconds=each) for each in (5, 10, 20, 40)]
        assert pauses == sorted(pauses) and pauses[-1] == HOUR
        assert (row.attempts, row.since, row.error) == (14, NOW, "Broken")

    def test_is_counted_no_more_when_it_was_moved(self) -> None:
        self.run(NOW, at_most=3)
        assert list(queues.failing_by_queue().values()) == [1]
        self.broken = set()
        assert self.run(NOW + HOUR, at_most=3) == 1
        assert queues.failing_by_queue() == {} and self.left() == []

    def test_is_counted_no_more_when_it_waits_no_more(self) -> None:
        self.run(NOW, at_most=3)
        MailOptOut.objects.all().delete()
        assert self.run(NOW + HOUR) == 0
        assert not queues.failing().exists()

    def test_is_known_to_the_next_process(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run(NOW, at_most=3)
        monkeypatch.setattr(queues, "_troubled", None)
        self.run(NOW, at_most=3)
        assert queues.failing().get().attempts == 1

    def test_is_said_with_its_place_once_and_never_with_its_words(self, caplog: pytest.LogCaptureFixture) -> None:
        for each in range(3):
            self.run(NOW + each * HOUR, at_most=3)
        first, *later = [record.getMessage() for record in caplog.records if record.name == "rahdari.queues"]
        assert "in move" in first and len(later) == 2 and not any("in move" in each for each in later)
        assert WORDS not in caplog.text

    def test_of_the_database_is_the_callers_business(self) -> None:
        def away(row: MailOptOut, now: dt.datetime) -> None:
            raise OperationalError

        with pytest.raises(OperationalError):
            queues.each_of(lambda: MailOptOut.objects.order_by("at", "address_index"))(away)(NOW)
        assert not queues.failing().exists()


@pytest.mark.django_db
def test_the_doctor_names_what_fails_how_often_and_since_when() -> None:
    assert [(each.state, each.text) for each in check_queues()] == [("ok", "nothing fails")]
    for number in range(12):
        FailingItem.objects.create(
            queue="sample.queue", item=str(number), attempts=number + 1, since=NOW, next_at=NOW + HOUR, error="KeyError"
        )
    found = list(check_queues())
    assert [each.state for each in found] == ["note"] * 4 + ["WRONG"] * 6 + ["note"]
    assert found[4].text.startswith("sample.queue could not move on 4: KeyError, 5 times since 2026-11-16 05:00 UTC.")
    assert found[-1].text == "2 more items fail"
    assert 'rahdari_items_failing{queue="sample.queue"} 12' in metrics.exposition(now=NOW)
