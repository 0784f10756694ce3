"""The publisher is killed between every two writes and started again: nothing lost, nothing doubled, nothing twice."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from rahdari.feed import DELTA_LIMITS, SNAPSHOT_LIMITS, EditionReader, FeedEntry, SetDigest, follow
from rahdari.publish import files
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, File, Listing, Operator, PendingChange, Session, Stream
from rahdari.register.models import Change, Entry
from tests.builders.publishing import Follower, apply, cover, digest_of

from .crash_driver_points import CHECKPOINTS

ROOT = Path(__file__).resolve().parents[2]


def url_of_the_test_database() -> str:
    settings = connection.settings_dict
    user = (
        f"{quote(settings['USER'])}:{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else quote(settings["USER"])
    )
    return f"postgresql://{user}@/{settings['NAME']}?host={quote(settings['HOST'])}&port={settings['PORT'] or 5432}"


@pytest.mark.whole
@pytest.mark.django_db(transaction=True)
class TestKilledBetweenEveryTwoWrites:
    def test_every_change_is_published_once_and_in_order(self, feed: Repository, follower: Follower) -> None:
        program = [sys.executable, "-m", "tests.publish.crash_driver", str(feed.data)]
        environment = {**os.environ, "DATABASE_URL": url_of_the_test_database()}
        done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert set(told["killed_at"]) == set(CHECKPOINTS) and told["runs"] > 60

        # What an operator saw never went back: neither a version of its metadata nor where a role leads to.
        last: dict[str, list[int]] = {}
        for look in told["looks"]:
            for what, now in look.items():
                assert all(before <= after for before, after in zip(last.get(what, now), now, strict=True)), what
                last[what] = now

        assert not PendingChange.objects.exists()
        assert not Edition.objects.filter(published_at=None).exists()
        for stream in Stream.objects.filter(retired_at=None):
            self.check_stream(stream)
        for session in Session.objects.filter(stream__retired_at=None, stream__followed=True):
            self.replay(feed, session)

        for operator in Operator.objects.filter(active=True):
            for role in ("feed-static", "feed-dynamic"):
                reader = follower.another(f"{operator.slug}-{role}", operator=operator, role=role)
                reader.sync()
                expected = {
                    entry.feed_id
                    for entry in Entry.objects.filter(ended_at=None)
                    if role == "feed-static" and (operator.gateway or not set(operator.asns).isdisjoint(entry.asns))
                }
                leaving = Listing.objects.filter(
                    stream__followings__operator=operator,
                    stream__followings__left_at=None,
                    stream__role=role,
                    until_sequence=None,
                ).exclude(leaving="")
                assert set(reader.entries) == expected | {each.entry.feed_id for each in leaving}

    def check_stream(self, stream: Stream) -> None:
        """Editions without gaps, and each live entry listed once, as its last change says."""
        for session in Session.objects.filter(stream=stream):
            sequences = list(
                Edition.objects.filter(session=session).order_by("sequence").values_list("sequence", flat=True)
            )
            assert sequences == list(range(session.first_sequence, session.sequence + 1))
        for listing in Listing.objects.filter(stream=stream, until_sequence=None):
            assert listing.change == Change.objects.filter(entry=listing.entry, act__in=("enter", "amend")).latest("id")
        if stream.everything:
            listed = Listing.objects.filter(stream=stream, until_sequence=None).values_list("entry", flat=True)
            active = Entry.objects.filter(ended_at=None, kind=stream.kind).values_list("pk", flat=True)
            assert sorted(listed) == sorted(active)

    def replay(self, feed: Repository, session: Session) -> None:
        """Every file of a session, read from its beginning, leads from set to set as the editions say."""
        digests = dict(Edition.objects.filter(session=session).values_list("sequence", "digest"))
        # A stream that was filled begins with what it was filled with: that is read from its first snapshot.
        empty = Edition.objects.filter(session=session, sequence=session.first_sequence, entries=0).exists()
        sets: dict[int, dict[str, FeedEntry]] = {session.first_sequence: {}} if empty else {}
        by_width: dict[int, list[File]] = defaultdict(list)
        for file in File.objects.filter(session=session, erased_at=None).exclude(sha256="").order_by("to_sequence"):
            by_width[file.width].append(file)
        first = by_width[0][0]
        sets[first.to_sequence] = self.snapshot(feed, first)
        for file in by_width[1]:
            if file.from_sequence in sets:
                sets[file.to_sequence] = self.step(feed, file, dict(sets[file.from_sequence]))
        for file in by_width[0]:
            if file.to_sequence in sets:
                assert self.snapshot(feed, file) == sets[file.to_sequence]
        for width, found in by_width.items():
            assert len({file.to_sequence for file in found}) == len(found)
            for file in found if width > 1 else ():
                start = file.from_sequence or 0
                if start in sets:
                    assert self.step(feed, file, dict(sets[start])) == sets[file.to_sequence]
                for middle in range(start + 1, file.to_sequence):
                    if middle in sets:
                        assert self.covered(feed, file, dict(sets[middle])) == sets[file.to_sequence]
        for sequence, entries in sets.items():
            assert digest_of(entries.values()).hexdigest() == digests[sequence]

    def snapshot(self, feed: Repository, file: File) -> dict[str, FeedEntry]:
        with feed.place_of(files.feed_file(file)).open("rb") as stream:
            return {operation.entry.id: operation.entry for operation in EditionReader(stream, SNAPSHOT_LIMITS)}

    def step(self, feed: Repository, file: File, entries: dict[str, FeedEntry]) -> dict[str, FeedEntry]:
        digest = SetDigest(digest_of(entries.values()).state)
        with feed.place_of(files.feed_file(file)).open("rb") as stream:
            apply(list(follow(EditionReader(stream, DELTA_LIMITS), digest)), entries)
        return entries

    def covered(self, feed: Repository, file: File, entries: dict[str, FeedEntry]) -> dict[str, FeedEntry]:
        with feed.place_of(files.feed_file(file)).open("rb") as stream:
            cover(list(EditionReader(stream, DELTA_LIMITS)), entries)
        return entries
