"""A database that is older than what was published."""

import pytest
from django.db import transaction

from rahdari.db.locks import Lock, hold
from rahdari.publish import actions, queries, rules
from rahdari.publish import editions as publish_editions
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, Stream
from tests.builders.publishing import NOW, Follower, address, an_operator, entered, publish

from .test_editions import HOUR, Undone, cut, starts_again

pytestmark = pytest.mark.django_db


class TestDatabaseBehindFeed:
    def test_nothing_is_signed_from_an_older_database(self, feed: Repository, follower: Follower) -> None:
        publish()
        with pytest.raises(Undone), transaction.atomic():
            entered(address(1))
            publish()
            raise Undone
        # The database is back before edition 1; the folder is not.
        entered(address(2))
        timestamp = feed.of(follower.operator.repository).metadata / "timestamp.json"
        before = timestamp.read_bytes()
        editions = Edition.objects.count()
        with pytest.raises(publish_editions.DatabaseBehindFeed) as refused:
            publish()
        assert refused.value.on_disk[1] == 1 and refused.value.in_database is not None
        assert refused.value.in_database[1] == 0
        said = str(refused.value)
        assert f"To {follower.operator.slug} edition 1 of session {refused.value.on_disk[0][:8]} was published" in said
        assert "the database goes to edition 0 of session" in said and "(" not in said
        with pytest.raises(publish_editions.DatabaseBehindFeed):
            cut()
        assert timestamp.read_bytes() == before
        assert Edition.objects.count() == editions and queries.changes_waiting() == 1
        assert follower.sync().sequence == 1

    def test_nor_when_the_process_begins_with_it(self, feed: Repository, follower: Follower) -> None:
        publish()
        with pytest.raises(Undone), transaction.atomic():
            entered(address(1))
            publish()
            raise Undone
        starts_again(feed)
        with pytest.raises(publish_editions.DatabaseBehindFeed):
            publish()

    def test_what_was_published_is_still_kept_fresh(self, feed: Repository, follower: Follower) -> None:
        publish()
        with pytest.raises(Undone), transaction.atomic():
            entered(address(1))
            publish()
            raise Undone
        assert actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        assert follower.sync().sequence == 1
        assert actions.refresh_timestamp(now=NOW + 13 * HOUR)
        assert follower.sync().sequence == 1

    def test_another_database_is_no_better(self, feed: Repository) -> None:
        with pytest.raises(Undone), transaction.atomic():
            an_operator()
            publish()
            raise Undone
        starts_again(feed)
        with pytest.raises(
            publish_editions.DatabaseBehindFeed, match=r"an operator whom the database does not know .* has none"
        ):
            publish()

    def test_a_session_opened_above_what_was_published_leads_on(self, feed: Repository, follower: Follower) -> None:
        from rahdari.publish import rules, streams

        publish()
        follower.sync()
        with pytest.raises(Undone), transaction.atomic():
            entered(address(1))
            publish()
            raise Undone
        follower.sync()
        entered(address(2))
        stream = Stream.objects.get(followings__operator=follower.operator, role="feed-static")
        with transaction.atomic():
            hold(Lock.STREAMS)
            streams.open_session(stream=stream, sequence=500, now=NOW)
        publish()
        head = follower.sync()
        assert head.sequence == rules.first_at_or_after(500) + 1 and follower.prefixes == {address(2)}
