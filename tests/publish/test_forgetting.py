"""What was listed of an entry goes when no file can speak of it any more, and whoever follows follows as before."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from rahdari.archive.actions import Box
from rahdari.feed import DigestMismatch
from rahdari.publish import rules, streams
from rahdari.publish.models import Listing
from rahdari.register import retention
from rahdari.register.models import Change, Entry, Registration
from tests.builders.publishing import NOW, Follower, address, entered, publish, struck_out

pytestmark = pytest.mark.django_db(transaction=True)
DAY = dt.timedelta(days=1)


def forgotten(registration: Registration, now: dt.datetime) -> bool:
    found = list(registration.entries.all())
    if streams.needed([entry.pk for entry in found], now=now):
        return False
    with transaction.atomic():
        retention.mark_forgotten(entries=found, box=Box("entry", now=now))
        streams.forget_listings([entry.pk for entry in found])
        retention.forget_entries(entries=found)
    return True


def one_left(follower: Follower) -> Registration:
    """Two were listed, the follower has them, and then one leaves."""
    gone = entered("10.1.0.1/32")
    entered("10.1.0.2/32")
    publish()
    follower.sync()
    struck_out(gone)
    publish()
    return gone


def and_many_more(now: dt.datetime, number: int) -> None:
    for each in range(number):
        entered(address(each), now=now)
        publish(now)


class TestWhatIsForgotten:
    def test_is_needed_while_a_delta_may_begin_before_it_left(self, follower: Follower) -> None:
        gone = one_left(follower)
        assert not forgotten(gone, NOW + rules.FORGOTTEN_AFTER - DAY)
        assert forgotten(gone, NOW + rules.FORGOTTEN_AFTER + DAY)
        assert not Entry.objects.filter(registration=gone).exists()
        assert "10.1.0.1" not in str(list(Change.objects.values_list("snapshot", flat=True)))

    def test_is_missed_by_nobody(self, follower: Follower) -> None:
        """Whoever stood before the removal reaches the head, and holds what is listed there."""
        gone, later = one_left(follower), NOW + rules.FORGOTTEN_AFTER + DAY
        assert forgotten(gone, later)
        and_many_more(later, 40)
        follower.sync()
        assert "10.1.0.1/32" not in follower.prefixes and len(follower.entries) == 41

    @pytest.mark.whole
    def test_would_be_missed_if_deltas_reached_back_for_longer(
        self, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        gone, later = one_left(follower), NOW + rules.FORGOTTEN_AFTER + DAY
        assert forgotten(gone, later)
        monkeypatch.setattr(rules, "DELTAS_REACH", 400 * DAY)
        and_many_more(later, 40)
        with pytest.raises(DigestMismatch):
            follower.sync()

    def test_is_not_what_is_held_or_waits(self, follower: Follower) -> None:
        gone = entered("10.1.0.1/32")
        publish()
        struck_out(gone)
        assert not forgotten(gone, NOW + 400 * DAY)


class TestTheDatabase:
    def test_lets_go_of_nothing_that_stands_or_whose_holder_is_known(self, follower: Follower) -> None:
        gone = one_left(follower)
        for rows in (Listing.objects.all(), Change.objects.all(), Entry.objects.filter(registration=gone)):
            with pytest.raises(DatabaseError, match=r"only added|not deleted|never deleted"), transaction.atomic():
                rows._raw_delete(using="default")
        entry = Entry.objects.get(registration=gone)
        retention.mark_forgotten(entries=[entry], box=Box("entry", now=NOW))
        living = Entry.objects.exclude(registration=gone).get()
        living.origin = "forgotten:x"
        living.save(update_fields=["origin"])
        for rows in (Listing.objects.filter(entry=living), Change.objects.filter(entry=living)):
            with pytest.raises(DatabaseError, match=r"only added|not deleted"), transaction.atomic():
                rows._raw_delete(using="default")
