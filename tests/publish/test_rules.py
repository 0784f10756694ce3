"""Pure rules: what a change says in the feed, how an operator stands."""

import datetime as dt
import itertools
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.feed import InvalidEntry, Op
from rahdari.publish import rules
from rahdari.publish.rules import Course, LagState, Net, NotPublishable, ReceiptStanding

AT = dt.datetime(2026, 11, 10, 9, 31, 7, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
SAID = {
    "id": "0" * 32,
    "prefix": "203.0.113.24/32",
    "protocol": "udp",
    "port": 51820,
    "not_before": "2026-11-10T09:31:07Z",
    "not_after": "2027-11-10T09:31:07Z",
}


class TestEntryOf:
    @pytest.mark.parametrize("more", ["holder", "reference", "name", "asn", "category"])
    def test_refuses_every_field_that_an_entry_does_not_have(self, more: str) -> None:
        rules.entry_of(SAID)
        with pytest.raises(NotPublishable):
            rules.entry_of({**SAID, more: "x"})

    def test_refuses_a_value_that_is_none_of_the_format(self) -> None:
        with pytest.raises(InvalidEntry):
            rules.entry_of({**SAID, "protocol": "Sample Freelancer 31"})


class TestOperationsOf:
    def test_follow_from_what_was_said_before_and_what_is_said_now(self) -> None:
        moved = {**SAID, "prefix": "203.0.113.99/32"}
        (added,) = rules.operations_of(Net(None, SAID))
        (removed,) = rules.operations_of(Net(SAID, None))
        (replaced,) = rules.operations_of(Net(SAID, moved))
        assert (added.op, removed.op) == (Op.ADD, Op.REMOVE)
        assert replaced.op is Op.REPLACE and replaced.was == rules.entry_of(SAID)

    def test_say_how_an_entry_stands_that_came_and_went_or_changed_back(self) -> None:
        """For whoever stands in the middle; whoever follows from the beginning ends where it began."""
        came, went = rules.operations_of(Net(None, None, SAID))
        assert (came.op, went.op, came.entry) == (Op.ADD, Op.REMOVE, went.entry)
        (back,) = rules.operations_of(Net(SAID, SAID))
        assert back.op is Op.REPLACE and back.was == back.entry

    def test_are_refused_of_what_was_never_listed(self) -> None:
        with pytest.raises(NotPublishable):
            rules.operations_of(Net(None, None))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, int, int | None]]:
    """Rows of one entry in one stream as (change, begun, ended): one after the other, perhaps with gaps."""
    rows, at = [], draw(st.integers(1, 6))
    for change in range(1, draw(st.integers(1, 6)) + 1):
        ended = draw(st.none() | st.integers(at, at + 5))
        rows.append((change, at, ended))
        if ended is None:
            break
        at = draw(st.integers(ended, ended + 3))
    return rows


class TestTheCourseOfAnEntry:
    @given(histories(), st.integers(0, 20), st.integers(0, 20), st.randoms())
    def test_says_how_it_stood_at_both_ends(
        self, rows: list[tuple[int, int, int | None]], one: int, other: int, order: Random
    ) -> None:
        start, end = sorted((one, other))
        touched = [
            (change, begun, ended)
            for change, begun, ended in rows
            if start < begun <= end or (begun <= start and ended is not None and start < ended <= end)
        ]
        order.shuffle(touched)
        course = Course()
        for change, begun, ended in touched:
            course = course.with_row(change, begun, ended, start=start, end=end)

        def at(sequence: int) -> int | None:
            held = [
                change for change, begun, ended in rows if begun <= sequence and (ended is None or ended > sequence)
            ]
            return held[0] if held else None

        if not touched:
            return
        assert (course.before, course.after) == (at(start), at(end))
        began = [change for change, begun, _ in rows if start < begun <= end]
        assert course.between == max(began, default=None)
        said = {change: {"id": str(change)} for change in course.told}
        net = course.net(said)
        assert [one and one["id"] for one in (net.before, net.after)] == [
            None if change is None else str(change) for change in (at(start), at(end))
        ]


class TestSpans:
    @given(st.lists(st.integers(1, 9_000), max_size=30), st.integers(0, 1_000_000))
    def test_cover_all_editions_once_and_are_small_where_these_are(self, changes: list[int], start: int) -> None:
        found = list(rules.spans(zip(itertools.count(start + 1), changes), start=start))
        edges = [start, *(high for _, high in found)]
        assert found == list(itertools.pairwise(edges)) and edges[-1] == start + len(changes)
        for low, high in found:
            within = changes[low - start : high - start]
            assert len(within) == 1 or sum(within) <= rules.ENTRIES_AT_A_TIME


class TestMergedWidths:
    def test_are_the_powers_of_sixteen_that_divide(self) -> None:
        assert list(rules.merged_widths(15, first=0)) == []
        assert list(rules.merged_widths(16, first=0)) == [16]
        assert list(rules.merged_widths(4096, first=0)) == [16, 256, 4096]
        assert list(rules.merged_widths(4096, first=4000)) == [16]

    @given(st.integers(1, 10**6), st.integers(0, 10**6))
    def test_never_reach_before_the_session(self, sequence: int, first: int) -> None:
        for width in rules.merged_widths(sequence, first=first):
            assert sequence % width == 0 and sequence - width >= first


def live_number(width: int) -> int:
    """How many files of this width the metadata name."""
    if width == 0:
        return rules.LIVE_SNAPSHOTS
    return rules.LIVE_NARROW if width == 1 else rules.LIVE_WIDE


def live_deltas(head: int) -> list[tuple[int, int]]:
    """What is named when `head` is the last edition, of every width."""
    found = [(to - 1, to) for to in range(max(1, head - live_number(1) + 1), head + 1)]
    width = rules.MERGED_BY
    while width <= head:
        last = head // width
        found += [(width * (to - 1), width * to) for to in range(max(1, last - live_number(width) + 1), last + 1)]
        width *= rules.MERGED_BY
    return found


class TestReaches:
    @given(st.integers(0, 60_000), st.integers(0, 60_000))
    def test_any_edition_is_a_few_fetches_from_the_head(self, one: int, other: int) -> None:
        start, head = min(one, other), max(one, other)
        fetches = rules.reaches(live_deltas(head), start=start, end=head)
        # At each width at most fifteen, and one that covers the way in from the middle.
        assert fetches is not None and fetches <= 16 * 4

    @given(st.integers(5_000, 60_000))
    def test_what_was_missed_by_thousands_is_caught_up_in_few(self, head: int) -> None:
        counts = [rules.reaches(live_deltas(head), start=head - missed, end=head) for missed in (1, 100, 1000, 4999)]
        assert counts[0] == 1
        assert all(count is not None and count <= 46 for count in counts)

    def test_is_nothing_when_there_is_a_gap(self) -> None:
        assert rules.reaches([(0, 1), (2, 3)], start=0, end=3) is None
        assert rules.reaches([(0, 2), (1, 3)], start=0, end=3) == 2
        assert rules.reaches([], start=3, end=3) == 0


class TestSnapshotIsDue:
    def asked(self, **other: object) -> bool:
        given: dict[str, object] = {
            "sequence": 9,
            "last": 5,
            "last_at": AT,
            "reachable": True,
            "narrow_bytes": 0,
            "last_bytes": 10,
            "now": AT + rules.SNAPSHOT_EVERY,
        }
        return rules.snapshot_is_due(**{**given, **other})  # type: ignore[arg-type]

    def test_hourly_when_something_changed(self) -> None:
        assert self.asked()
        assert not self.asked(now=AT + rules.SNAPSHOT_EVERY - SECOND)
        assert not self.asked(sequence=5)

    def test_at_once_where_agents_could_not_begin(self) -> None:
        assert self.asked(last=None, now=AT)
        assert self.asked(reachable=False, now=AT)

    def test_when_the_deltas_beside_it_have_become_more_than_itself(self) -> None:
        assert self.asked(narrow_bytes=2**21, now=AT)
        assert not self.asked(narrow_bytes=2**21, last_bytes=2**22, now=AT)


class TestIsEntitled:
    def test_by_everything_or_by_a_network_in_common(self) -> None:
        assert rules.is_entitled(everything=True, theirs=[], asns=[])
        assert rules.is_entitled(everything=False, theirs=[1, 2], asns=[2, 3])
        assert not rules.is_entitled(everything=False, theirs=[1, 2], asns=[3])
        assert not rules.is_entitled(everything=False, theirs=[1, 2], asns=[])


class TestReceiptStanding:
    def test_is_drift_before_anything_else(self) -> None:
        standing = rules.receipt_standing
        assert standing(digest="a", published_digest="a", all_targets_ok=True) is ReceiptStanding.GOOD
        assert standing(digest="a", published_digest="a", all_targets_ok=False) is ReceiptStanding.INCOMPLETE
        assert standing(digest="a", published_digest="b", all_targets_ok=True) is ReceiptStanding.DRIFT
        assert standing(digest="a", published_digest=None, all_targets_ok=False) is ReceiptStanding.DRIFT


class TestInForceAt:
    @pytest.mark.parametrize(("applied", "expected"), [(-5, 0), (0, 0), (2, 2), (4, 4), (9, 4)])
    def test_lies_between_publication_and_receipt_whatever_the_clock_there_says(
        self, applied: int, expected: int
    ) -> None:
        at = rules.in_force_at(published_at=AT, applied_at=AT + applied * SECOND, received_at=AT + 4 * SECOND)
        assert at == AT + expected * SECOND


class TestLagState:
    def test_is_in_step_up_to_the_limit(self) -> None:
        limit = rules.LAG_ALLOWED
        assert rules.lag_state(latest=ReceiptStanding.GOOD, lag=limit) is LagState.IN_SYNC
        assert rules.lag_state(latest=ReceiptStanding.GOOD, lag=limit + SECOND) is LagState.BEHIND

    def test_is_in_step_once_it_lacks_nothing_however_late_it_came(self) -> None:
        late = rules.LAG_ALLOWED + 60 * SECOND
        assert rules.lag_state(latest=ReceiptStanding.GOOD, lag=late, lacks=False) is LagState.IN_SYNC
        assert rules.lag_state(latest=ReceiptStanding.DRIFT, lag=late, lacks=False) is LagState.DRIFT

    def test_says_what_the_last_receipt_says_when_that_is_not_good(self) -> None:
        assert rules.lag_state(latest=ReceiptStanding.DRIFT, lag=SECOND) is LagState.DRIFT
        assert rules.lag_state(latest=ReceiptStanding.DRIFT, lag=None) is LagState.DRIFT
        assert rules.lag_state(latest=ReceiptStanding.INCOMPLETE, lag=SECOND) is LagState.INCOMPLETE

    def test_is_never_without_a_receipt(self) -> None:
        assert rules.lag_state(latest=None, lag=None) is LagState.NEVER


class TestLiveFiles:
    def test_are_about_a_hundred(self) -> None:
        widths = (1, 16, 256, 4096)
        assert sum(live_number(width) for width in (0, *widths)) == 32 + 3 * 24 + 2
