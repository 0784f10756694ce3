"""The database holds the invariants, whoever writes."""

import datetime as dt
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, models, transaction

from rahdari.feed import EMPTY
from rahdari.publish import actions
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, File, Listing, Operator, PendingChange, Receipt, Session, Stream
from rahdari.register.models import Change
from tests.builders.publishing import NOW, address, entered, publish

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def cut(data: Path) -> Edition:
    """The first edition with an entry."""
    actions.cut_edition(now=NOW)
    entered(address(1))
    return actions.cut_edition(now=NOW)[0]


def refused(change: models.QuerySet[models.Model], **values: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        change.update(**values)


class TestEditions:
    def test_leave_no_gap(self, cut: Edition) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Edition.objects.create(
                stream=cut.stream,
                session=cut.session,
                sequence=3,
                cut_at=NOW,
                digest=EMPTY,
                entries=0,
                changes=0,
            )

    def test_begin_where_their_session_says(self, cut: Edition) -> None:
        Session.objects.filter(pk=cut.session_id).update(closed_at=NOW)
        session = Session.objects.create(stream=cut.stream, opened_at=NOW, first_sequence=9, sequence=9)
        given = {"stream": cut.stream, "session": session, "cut_at": NOW, "digest": EMPTY, "entries": 0, "changes": 0}
        with pytest.raises(DatabaseError), transaction.atomic():
            Edition.objects.create(sequence=10, **given)
        Edition.objects.create(sequence=9, **given)
        Edition.objects.create(sequence=10, **given)

    @pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"entries": 9}, {"cut_at": NOW + HOUR}, {"sequence": 7}])
    def test_are_not_changed(self, cut: Edition, change: dict[str, object]) -> None:
        refused(Edition.objects.filter(pk=cut.pk), **change)

    def test_are_published_once(self, cut: Edition) -> None:
        row = Edition.objects.filter(pk=cut.pk)
        row.update(published_at=NOW)
        refused(row, published_at=NOW + HOUR)
        refused(row, published_at=None)


class TestListings:
    def test_are_said_once_and_ended_once(self, cut: Edition) -> None:
        row = Listing.objects.filter(stream=cut.stream)
        refused(row, from_sequence=0)
        refused(row, until_sequence=0)
        row.update(until_sequence=1)
        refused(row, until_sequence=None)
        refused(row, until_sequence=2)

    def test_list_an_entry_once(self, cut: Edition) -> None:
        listing = Listing.objects.get(stream=cut.stream)
        with pytest.raises(DatabaseError), transaction.atomic():
            Listing.objects.create(
                stream=cut.stream, entry=listing.entry, change=listing.change, from_sequence=listing.from_sequence
            )

    def test_go_only_with_a_stream_that_is_retired(self, cut: Edition) -> None:
        with pytest.raises(DatabaseError), transaction.atomic():
            Listing.objects.all()._raw_delete(using="default")
        Stream.objects.filter(pk=cut.stream_id).update(retired_at=NOW)
        Listing.objects.filter(stream=cut.stream)._raw_delete(using="default")


class TestFiles:
    @pytest.mark.parametrize(
        "change",
        [
            {"sha256": "0" * 64},
            {"content": b"another"},
            {"content": b""},
            {"path": "x"},
            {"digest": "0" * 64},
            {"to_sequence": 9},
        ],
    )
    def test_are_not_changed(self, feed: Repository, operator: Operator, change: dict[str, object]) -> None:
        publish()
        entered(address(1))
        publish()
        refused(File.objects.filter(width=1), **change)

    def test_are_named_no_more_for_good(self, feed: Repository, operator: Operator) -> None:
        publish()
        row = File.objects.filter(width=0)
        row.update(dropped_at=NOW)
        refused(row, dropped_at=None)


class TestWhatGoesOn:
    def test_never_goes_back(self, feed: Repository, operator: Operator) -> None:
        entered(address(1))
        publish()
        entered(address(2))
        publish()
        refused(Session.objects.exclude(sequence=0), sequence=0)
        refused(Session.objects.all(), first_sequence=1)
        refused(Stream.objects.exclude(version=0), version=0)
        refused(Stream.objects.filter(everything=False), asns=[64501])
        refused(Operator.objects.filter(pk=operator.pk), snapshot_version=0)
        refused(Operator.objects.filter(pk=operator.pk), timestamp_version=0)

    @pytest.mark.parametrize("model", [Edition, Receipt, Listing])
    def test_is_not_deleted_and_not_emptied(self, cut: Edition, model: type[models.Model]) -> None:
        if model is not Receipt:
            with pytest.raises(DatabaseError), transaction.atomic():
                model._default_manager.all()._raw_delete(using="default")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {model._meta.db_table} ENABLE TRIGGER ALL")
            cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")


class TestTheOutbox:
    def test_keeps_every_committed_change_by_itself(self, db: None) -> None:
        entered(address(1), address(2))
        assert set(PendingChange.objects.values_list("change", flat=True)) == set(
            Change.objects.values_list("pk", flat=True)
        )
