"""The timestamp: signed anew in time, and never back."""

import os
from pathlib import Path

import pytest

from rahdari.feed import Kind
from rahdari.publish import actions, ceremony, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import File, Operator
from tests.builders.publishing import NOW, Follower, address, entered, live_files_of, publish

from .test_editions import DAY, HOUR, SECOND

pytestmark = pytest.mark.django_db


class TestRefreshTimestamp:
    def test_signs_every_five_minutes_and_not_more_often(self, feed: Repository, follower: Follower) -> None:
        assert not actions.refresh_timestamp(now=NOW)
        publish()
        repository = feed.of(follower.operator.repository)
        assert not actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY - SECOND)
        before = repository.published()
        assert actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        after = repository.published()
        assert before is not None and after is not None
        assert after.timestamp_version == before.timestamp_version + 1
        assert after.snapshot == before.snapshot
        assert after.stamp.heads == before.stamp.heads and after.timestamp_expires > before.timestamp_expires
        follower.sync()

    def test_signs_the_others_when_half_their_time_is_gone(self, feed: Repository, follower: Follower) -> None:
        publish()
        repository = feed.of(follower.operator.repository)
        before = repository.published()
        assert before is not None
        for hours in (11, 13):
            actions.refresh_timestamp(now=NOW + hours * HOUR)
            after = repository.published()
            assert after is not None
            assert (after.snapshot.version > before.snapshot.version) == (hours == 13)
            assert after.roles == before.roles
        actions.refresh_timestamp(now=NOW + 4 * DAY)
        after = repository.published()
        assert after is not None and after.stamp.heads == before.stamp.heads
        assert all(after.roles[role].version > before.roles[role].version for role in before.roles)
        follower.sync()

    def test_takes_up_a_delegation_that_was_renewed(self, feed: Repository, follower: Follower, data: Path) -> None:
        publish()
        follower.sync()
        offline = data / "keys" / "feed-offline"
        made = ceremony.renew_offline(offline=offline, passphrase=None, roles=["root", "targets"], now=NOW + DAY)
        assert made == {"root": 2, "targets": 2}
        published = feed.of(follower.operator.repository).published()
        assert published is not None and published.targets_version == 2
        follower.sync()
        assert (follower.folder / "metadata" / "root_history" / "2.root.json").exists()

    def test_names_what_was_written_after_its_edition(self, feed: Repository, follower: Follower) -> None:
        publish()
        entered(address(1))
        publish(NOW + HOUR)
        snapshots = [file for file in live_files_of(feed, follower.operator) if file.kind is Kind.SNAPSHOT]
        assert [file.to_sequence for file in snapshots] == [0]
        assert actions.refresh_timestamp(now=NOW + HOUR)
        snapshots = [file for file in live_files_of(feed, follower.operator) if file.kind is Kind.SNAPSHOT]
        assert sorted(file.to_sequence for file in snapshots) == [0, 1]

    def test_erases_files_a_day_after_the_last_metadata_that_named_them(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "LIVE_NARROW", 4)
        publish()
        for number in range(10):
            entered(address(number))
            publish()
        files = set(feed.targets.rglob("*.gz"))
        assert actions.refresh_timestamp(now=NOW + DAY - HOUR)
        assert set(feed.targets.rglob("*.gz")) == files
        assert actions.refresh_timestamp(now=NOW + DAY + HOUR)
        left = set(feed.targets.rglob("*.gz"))
        assert len(files - left) == 6
        assert {feed.place_of(file) for file in live_files_of(feed, operator)} <= left
        erased = File.objects.get(session__stream__followed=True, width=1, to_sequence=1)
        assert erased.erased_at is not None and bytes(erased.content) == b""
        entered(address(9999))
        assert publish(NOW + DAY) == 2

    def test_erases_old_metadata_and_what_a_kill_left_unfinished(self, feed: Repository, operator: Operator) -> None:
        publish()
        for number in range(3):
            entered(address(number))
            publish()
        metadata = feed.of(operator.repository).metadata
        left = metadata / ".0123.new"
        left.write_bytes(b"half")
        old = (metadata / "timestamp.json").stat().st_mtime - 2 * 3600
        snapshots = sorted(path.name for path in metadata.glob("*.snapshot.json"))
        for name in snapshots[:3]:
            os.utime(metadata / name, (old, old))
        assert actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        names = {path.name for path in metadata.iterdir()}
        # The second was followed two hours ago; the third by one that is new, so it may still be asked for.
        assert not names & {*snapshots[:2], "1.feed-static.json", left.name}
        assert {snapshots[2], "3.feed-static.json", "1.feed-dynamic.json", "1.root.json"} <= names
        published = feed.of(operator.repository).published()
        assert published is not None
        feed.of(operator.repository).check(published)
