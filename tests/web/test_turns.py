"""A long queue is gone through part by part, to its end, and then from the front again."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from rahdari.db import batches as turns
from rahdari.journal.models import Entry as Row

NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)


class TestInTurn(TestCase):
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
        turns._places.clear()
        for _ in range(2):
            seen: list[Row] = []
            while len(seen) < len(whole):
                part = turns.in_turn("test", found, at_most=at_most)
                assert len(part) <= at_most
                seen += part
            assert seen == whole


@pytest.mark.django_db
def test_queues_have_their_places_by_their_names() -> None:
    Row.objects.bulk_create(
        [Row(act="test.waits", actor="system:test", subject=str(each), at=NOW) for each in range(3)]
    )
    found = Row.objects.filter(act="test.waits").order_by("at", "id")
    turns._places.clear()
    assert [each.subject for each in turns.in_turn("one", found, at_most=2)] == ["0", "1"]
    assert [each.subject for each in turns.in_turn("two", found, at_most=2)] == ["0", "1"]
    assert [each.subject for each in turns.in_turn("one", found, at_most=2)] == ["2"]
