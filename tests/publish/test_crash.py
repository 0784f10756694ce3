"""The publisher is killed between every two writes and started again: nothing lost, nothing doubled, nothing twice."""

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection

from rahdari.proof import DELTA_LIMITS, SNAPSHOT_LIMITS, EditionReader, FeedEntry, Kind, SetDigest, follow
from rahdari.publish import queries
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, EditionChange, WaitingChange
from rahdari.register.models import Change

from .test_editions import digest_of_the_register
from .world import Follower, apply

ROOT = Path(__file__).resolve().parents[2]


def url_of_the_test_database() -> str:
    settings = connection.settings_dict
    user = (
        f"{quote(settings['USER'])}:{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else quote(settings["USER"])
    )
    return f"postgresql://{user}@/{settings['NAME']}?host={quote(settings['HOST'])}&port={settings['PORT'] or 5432}"


@pytest.mark.django_db(transaction=True)
class TestKilledBetweenEveryTwoWrites:
    def test_every_change_is_published_once_and_in_order(self, feed: Repository, follower: Follower) -> None:
        program = [sys.executable, "-m", "tests.publish.crash_driver", str(feed.data)]
        environment = {**os.environ, "DATABASE_URL": url_of_the_test_database()}
        done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])

        # It was killed at every kind of point: six in the database's work, four in each of five kinds of file.
        assert len(told["killed_at"]) == 25 and told["runs"] > 40
        # What a reader saw never went back.
        assert told["heads"] == sorted(told["heads"])

        # Each change is in one edition; the numbers of one entry stand in order.
        assert not WaitingChange.objects.exists()
        places = list(
            EditionChange.objects.order_by("edition", "position").values_list("change", "change__entry", "edition")
        )
        assert sorted(change for change, _, _ in places) == sorted(Change.objects.values_list("pk", flat=True))
        of_entry = defaultdict(list)
        for change, entry, _ in places:
            of_entry[entry].append(change)
        assert all(numbers == sorted(numbers) for numbers in of_entry.values())

        # Editions have no gaps, all are published, and there is one file of each kind for each.
        sequences = list(Edition.objects.values_list("sequence", flat=True))
        assert sequences == list(range(len(sequences)))
        assert not Edition.objects.filter(published_at=None).exists()
        files = [path.name for path in feed.targets.rglob("*.gz")]
        deltas = sorted(int(re.search(r"delta-\d+-(\d+)-", name)[1]) for name in files if "delta" in name)  # type: ignore[index]
        snapshots = sorted(int(re.search(r"snap-(\d+)-", name)[1]) for name in files if "snap" in name)  # type: ignore[index]
        assert deltas == sequences[1:]
        # A snapshot that the next one overtook while nothing but kills came may be in place and not noted, or absent.
        noted = set(Edition.objects.exclude(snapshot_sha256="").values_list("sequence", flat=True))
        assert noted <= set(snapshots) and len(set(snapshots)) == len(snapshots) >= 5
        assert queries.due_snapshot() is None

        # The files replay what the register did, line by line, and every snapshot is the set of its moment.
        self.replay(feed, places, snapshots)

        head = follower.sync()
        assert head.sequence == sequences[-1] and head.digest == digest_of_the_register()

    def replay(self, feed: Repository, places: list[tuple[int, object, int]], snapshots: list[int]) -> None:
        by_edition = defaultdict(list)
        for change, _, edition in places:
            by_edition[edition].append(Change.objects.get(pk=change))
        digest, entries = SetDigest(), dict[str, FeedEntry]()
        paths = {path.name.partition(".")[2]: path for path in feed.targets.rglob("*.gz")}
        for edition in Edition.objects.order_by("sequence"):
            if edition.delta_path:
                with paths[edition.delta_path.rpartition("/")[2]].open("rb") as file:
                    operations = list(follow(EditionReader(file, DELTA_LIMITS), digest))
                said = [change.snapshot or None for change in by_edition[edition.sequence]]
                assert [None if o.op == "remove" else o.entry.as_json() for o in operations] == said
                apply(operations, entries)
            if edition.sequence in snapshots:
                with paths[edition.snapshot_path.rpartition("/")[2]].open("rb") as file:
                    reader = EditionReader(file, SNAPSHOT_LIMITS)
                    assert reader.header.kind is Kind.SNAPSHOT and reader.header.to_sequence == edition.sequence
                    assert {operation.entry.id: operation.entry for operation in reader} == entries
            assert digest.hexdigest() == edition.digest_after and len(entries) == edition.entries
