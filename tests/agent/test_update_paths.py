import secrets
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.update_paths import way_by_deltas, way_from_snapshot, weight
from rahdari.feed import ROLES, FeedFile, Kind
from rahdari.feed.repository import delta_path, snapshot_path

SESSION = "5e" * 16


def delta(start: int, end: int, length: int = 1_000, session: str = SESSION) -> FeedFile:
    path = delta_path(ROLES[0], session, start, end, secrets.token_hex(16))
    return FeedFile(path, Kind.DELTA, session, start, end, "d1" * 32, "a0" * 32, length)


def snapshot(at: int, length: int = 100_000, session: str = SESSION) -> FeedFile:
    path = snapshot_path(ROLES[0], session, at, secrets.token_hex(16))
    return FeedFile(path, Kind.SNAPSHOT, session, None, at, "d1" * 32, "a0" * 32, length)


def published(head: int, bytes_each: int = 50) -> list[FeedFile]:
    """What a publisher keeps: the last 32 of width 1, the last 24 of each wider level."""
    files = [delta(n - 1, n, 300) for n in range(max(1, head - 31), head + 1)]
    width = 16
    while width <= head:
        ends = range(width, head + 1, width)
        files += [delta(end - width, end, width * bytes_each) for end in ends[-24:]]
        width *= 16
    return files


spans = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda pair: delta(pair[0], pair[0] + pair[1]))


class TestByDeltas:
    @given(st.lists(spans, max_size=20), st.integers(0, 40), st.integers(1, 40))
    def test_never_leaves_a_gap(self, files: list[FeedFile], start: int, further: int) -> None:
        end = start + further
        way = way_by_deltas(files, session=SESSION, start=start, end=end)
        at = start
        for file in way:
            assert file.from_sequence is not None
            assert file.from_sequence <= at < file.to_sequence <= end
            at = file.to_sequence
        assert at == end or not way

    @given(st.lists(spans, max_size=12), st.integers(0, 40), st.integers(1, 40))
    def test_is_the_lightest(self, files: list[FeedFile], start: int, further: int) -> None:
        end = start + further

        def lightest(at: int) -> int | None:
            if at == end:
                return 0
            onward = [
                (weight([file]), lightest(file.to_sequence))
                for file in files
                if (file.from_sequence or 0) <= at < file.to_sequence <= end
            ]
            return min((here + rest for here, rest in onward if rest is not None), default=None)

        way = way_by_deltas(files, session=SESSION, start=start, end=end)
        assert (weight(way) if way else None) == lightest(start)

    def test_reaches_any_version_in_a_few_files(self) -> None:
        head = 131_071
        files = published(head)
        assert len(files) < 150
        for missed in (1, 31, 32, 33, 100, 1_000, 10_000, 50_000, 100_000):
            way = way_by_deltas(files, session=SESSION, start=head - missed, end=head)
            assert way, missed
            # At most fifteen of each width, also from here: the head has the digit 15 in every place.
            assert len(way) <= 15 * 5
            assert [
                (a.to_sequence, b.from_sequence) for a, b in pairwise(way) if (b.from_sequence or 0) > a.to_sequence
            ] == []

    def test_takes_the_narrow_step_when_that_is_all_that_is_missed(self) -> None:
        files = published(4_096)
        (step,) = way_by_deltas(files, session=SESSION, start=4_095, end=4_096)
        assert (step.from_sequence, step.to_sequence) == (4_095, 4_096)

    def test_takes_nothing_of_another_session(self) -> None:
        assert way_by_deltas([delta(0, 5, session="0a" * 16)], session=SESSION, start=0, end=5) == []


class TestFromSnapshot:
    def test_ends_at_the_head_or_is_none(self) -> None:
        files = [snapshot(3), snapshot(9), delta(2, 6), delta(6, 8)]
        assert way_from_snapshot(files, session=SESSION, end=8)[0].to_sequence == 3
        assert way_from_snapshot(files, session=SESSION, end=9) == [files[1]]
        assert way_from_snapshot(files, session=SESSION, end=10) == []
        assert way_from_snapshot([snapshot(8, session="0a" * 16)], session=SESSION, end=8) == []

    def test_prefers_the_newer_of_two_that_weigh_the_same(self) -> None:
        files = [snapshot(3), snapshot(4), delta(3, 5), delta(4, 5)]
        assert [file.to_sequence for file in way_from_snapshot(files, session=SESSION, end=5)] == [4, 5]
