"""Merged deltas, snapshots, and the way from any edition to the head."""

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rahdari.feed import DELTA_LIMITS, EditionReader, Kind, Op, Operation, SetDigest
from rahdari.publish import actions, files, folder, queries, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Edition, File, Listing, Operator, Session, Stream
from tests.builders.publishing import (
    NOW,
    Follower,
    address,
    apply,
    cover,
    digest_of,
    entered,
    live_files_of,
    moved,
    publish,
    struck_out,
)
from tests.needs import fewer

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HOUR = 60 * MINUTE


def lines(feed: Repository, start: int, end: int) -> list[Operation]:
    file = File.objects.get(from_sequence=start, to_sequence=end, session__stream__followed=True)
    with feed.place_of(files.feed_file(file)).open("rb") as stream:
        return list(EditionReader(stream, DELTA_LIMITS))


def published_each(number: int, *, first: int = 0) -> None:
    for each in range(number):
        entered(address(first + each))
        publish()


@pytest.mark.whole
class TestMergedDeltas:
    def test_lead_over_sixteen_editions_and_over_their_powers(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publish()
        follower.sync()
        published_each(17)
        assert [(file.from_sequence, file.to_sequence) for file in wide(feed, follower.operator)] == [(0, 16)]
        follower.sync()
        assert [(file.from_sequence, file.to_sequence) for file in follower.read[1:]] == [(0, 16), (16, 17)]
        monkeypatch.setattr(rules, "MERGED_BY", 3)
        published_each(10, first=100)
        assert [(file.from_sequence, file.to_sequence) for file in wide(feed, follower.operator)] == [
            (0, 16),
            (0, 27),
            (9, 18),
            (15, 18),
            (18, 21),
            (18, 27),
            (21, 24),
            (24, 27),
        ]

    def test_hold_each_entry_once_as_it_changed_on_the_whole(self, feed: Repository, operator: Operator) -> None:
        stays, changes, goes, back = (entered(address(number)) for number in range(4))
        publish()
        publish()
        assert Edition.objects.filter(stream__followed=True, stream__role="feed-static").latest("sequence").pk
        start = Session.objects.get(stream__followed=True, stream__role="feed-static").sequence
        assert start == 0
        new, passing = entered(address(10)), entered(address(11))
        publish()
        moved(changes, address(20))
        publish()
        moved(changes, address(21))
        moved(new, address(22))
        struck_out(goes)
        struck_out(passing)
        publish()
        published_each(13, first=100)
        said = {
            operation.entry.prefix: operation
            for operation in lines(feed, 0, 16)
            if not operation.entry.prefix.startswith("10.0.0.1")
        }
        assert [line.entry.id for line in lines(feed, 0, 16)] == sorted(line.entry.id for line in lines(feed, 0, 16))
        assert said[address(21)].op is Op.REPLACE and said[address(21)].was is not None
        assert said[address(21)].was.prefix == address(1)
        assert said[address(22)].op is Op.ADD
        assert said[address(2)].op is Op.REMOVE
        assert address(0) not in said and address(20) not in said and address(3) not in said
        came_and_went = [line.op for line in lines(feed, 0, 16) if line.entry.prefix == address(11)]
        assert came_and_went == [Op.ADD, Op.REMOVE]
        assert stays and back

    def test_of_what_changed_back_still_say_how_it_stands(self, feed: Repository, operator: Operator) -> None:
        registration = entered(address(1))
        moved(registration, address(1))
        publish()
        moved(registration, address(2))
        publish()
        moved(registration, address(1))
        publish()
        published_each(14, first=100)
        line = next(line for line in lines(feed, 0, 16) if line.entry.prefix == address(1))
        assert line.op is Op.REPLACE and line.was == line.entry

    def test_that_are_large_follow_their_edition(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "OPERATIONS_AT_ONCE", 10)
        publish()
        published_each(15)
        entered(address(99))
        passed: list[str] = []
        actions.publish_editions(now=NOW, checkpoint=passed.append)
        assert passed.index("mark: committed") < passed.index("wide: written")
        assert wide(feed, operator) == []
        assert actions.refresh_timestamp(now=NOW)
        assert [file.to_sequence for file in wide(feed, operator)] == [16]

    def test_let_a_change_pass_that_comes_while_they_are_written(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "OPERATIONS_AT_ONCE", 10)
        monkeypatch.setattr(rules, "ENTRIES_AT_A_TIME", 4)
        publish()
        came = []
        for number in range(15):
            came.append(entered(address(number)))
            publish()
        entered(address(99))
        passed: list[str] = []
        looked = queries.something_to_cut

        def just_then(*, now: dt.datetime) -> bool:
            """The publisher looks for changes between two parts: each time one of what is being merged has come."""
            if passed and passed[-1] != "wide: noted" and (number := passed.count("mark: committed")) in range(1, 6):
                moved(came[number], address(200 + number))
            return looked(now=now)

        monkeypatch.setattr(queries, "something_to_cut", just_then)
        actions.publish_editions(now=NOW, checkpoint=passed.append)
        assert passed[: passed.index("wide: written")].count("mark: committed") == 6
        assert actions.refresh_timestamp(now=NOW)
        assert {line.entry.prefix for line in lines(feed, 0, 16)} >= {address(0), address(14), address(99)}
        assert [line.op for line in lines(feed, 0, 16)] == [Op.ADD] * 16

    def test_that_are_too_large_are_not_made(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "OPERATIONS_AT_ONCE", 10)
        monkeypatch.setattr(rules, "MOST_OPERATIONS", 12)
        publish()
        published_each(17)
        assert not File.objects.filter(width__gt=1).exists()

    @settings(
        max_examples=fewer(8, 3),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(data=st.data())
    def test_lead_from_every_edition_within_to_the_set_at_their_end(
        self, feed: Repository, monkeypatch: pytest.MonkeyPatch, data: Any
    ) -> None:
        """Whatever happened in between, strictly from the beginning, and taken from any edition in the middle."""
        monkeypatch.setattr(rules, "MERGED_BY", 3)
        operator = an_operator_of(feed)
        acts = data.draw(st.lists(st.lists(st.integers(0, 11), min_size=1, max_size=4), min_size=5, max_size=8))
        registrations: dict[int, Any] = {}
        sets: list[dict[str, Any]] = []
        stream = Stream.objects.get(followings__operator=operator, role="feed-static")
        first = Session.objects.get(stream=stream, closed_at=None).sequence
        sets.append(listed(stream))
        for step, numbers in enumerate(acts):
            for place, number in enumerate(numbers):
                what = registrations.get(number)
                if what is None:
                    registrations[number] = entered(address(next(unused)), now=NOW)
                elif place % 2 == 0 and number % 3:
                    moved(what, address(next(unused)))
                else:
                    struck_out(what)
                    del registrations[number]
            publish(NOW + step * MINUTE)
            head = Session.objects.get(stream=stream, closed_at=None).sequence
            sets += [listed(stream)] * (head - first - len(sets) + 1)
        for file in File.objects.filter(session__stream=stream, width__gt=1).exclude(sha256=""):
            start, end = (file.from_sequence or 0) - first, file.to_sequence - first
            if start < 0:
                continue
            with feed.place_of(files.feed_file(file)).open("rb") as opened:
                operations = list(EditionReader(opened, DELTA_LIMITS))
            strict, digest = dict(sets[start]), SetDigest(digest_of(sets[start].values()).state)
            apply(operations, strict)
            for operation in operations:
                operation.apply_to(digest)
            assert strict == sets[end] and digest.hexdigest() == file.digest
            for middle in range(start + 1, end):
                entries = dict(sets[middle])
                cover(operations, entries)
                assert entries == sets[end]


# An address that no other entry has: one holder to an address.
unused = itertools.count(1)


def an_operator_of(feed: Repository) -> Operator:
    from tests.builders.publishing import an_operator

    operator = Operator.objects.filter(slug="sample-fibre").first() or an_operator()
    publish()
    return operator


def listed(stream: Stream) -> dict[str, Any]:
    rows = Listing.objects.filter(stream=stream, until_sequence=None).select_related("change")
    return {row.change.snapshot["id"]: rules.entry_of(row.change.snapshot) for row in rows}


def wide(feed: Repository, operator: Operator) -> list[Any]:
    found = [file for file in live_files_of(feed, operator) if file.kind is Kind.DELTA]
    return sorted(
        (file for file in found if file.to_sequence - (file.from_sequence or 0) > 1),
        key=lambda file: (file.from_sequence, file.to_sequence),
    )


class TestCatchingUp:
    def test_takes_a_few_fetches_from_any_edition(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "LIVE_NARROW", 8)
        monkeypatch.setattr(rules, "MERGED_BY", 4)
        publish()
        readers, count = [], fewer(70, 30)
        for number in range(count):
            entered(address(number))
            publish()
            if number % 9 == 0:
                reader = follower.another(f"at-{number}")
                reader.sync()
                readers.append(reader)
        published_each(2, first=200)
        for reader in readers:
            reader.read.clear()
            reader.sync()
            assert len(reader.entries) == count + 2 and len(reader.read) <= 8
            assert all(file.kind is Kind.DELTA for file in reader.read)

    def test_names_a_bounded_number_of_files(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "LIVE_NARROW", 4)
        monkeypatch.setattr(rules, "LIVE_WIDE", 3)
        monkeypatch.setattr(rules, "MERGED_BY", 3)
        publish()
        published_each(30)
        found = live_files_of(feed, follower.operator)
        assert len(found) <= 4 + 3 * 3 + 2
        assert {file.path for file in found if file.kind is Kind.SNAPSHOT}
        follower.sync()
        assert len(follower.entries) == 30

    def test_of_a_long_backlog_goes_by_wide_deltas(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "CHANGES_IN_AN_EDITION", 1)
        publish()
        follower.sync()
        entered(*[address(number) for number in range(40)])
        publish()
        follower.sync()
        assert len(follower.entries) == 40 and len(follower.read) <= 1 + 2 + 8


class TestSnapshots:
    def test_are_of_the_edition_that_was_the_last_when_they_were_due(
        self, feed: Repository, follower: Follower
    ) -> None:
        publish()
        published_each(3)
        entered(address(50))
        publish(NOW + HOUR)
        published_each(2, first=60)
        actions.refresh_timestamp(now=NOW + HOUR)
        newcomer = follower.another("newcomer")
        newcomer.sync()
        assert [file.to_sequence for file in newcomer.read] == [4, 5, 6]
        follower.sync()
        assert follower.entries == newcomer.entries

    def test_are_kept_two_at_a_time(self, feed: Repository, operator: Operator) -> None:
        publish()
        for hour in range(1, 6):
            entered(address(hour))
            publish(NOW + hour * HOUR)
        actions.refresh_timestamp(now=NOW + 6 * HOUR)
        snapshots = [file for file in live_files_of(feed, operator) if file.kind is Kind.SNAPSHOT]
        assert sorted(file.to_sequence for file in snapshots) == [4, 5]


class TestMakeFolder:
    def test_looks_at_nothing_above_one_that_is_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        place = folder.make_folder(tmp_path / "a" / "b" / "c")
        looked: list[Path] = []
        monkeypatch.setattr(Path, "exists", lambda path: looked.append(path) or True)
        assert folder.make_folder(place) == place and looked == []
