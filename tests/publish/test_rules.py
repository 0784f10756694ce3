"""Pure rules: what a change says in the feed, how an operator stands."""

import datetime as dt

import pytest

from rahdari.proof import InvalidEntry, Op
from rahdari.publish import rules
from rahdari.publish.rules import LagState, NotPublishable, ReceiptStanding

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


class TestOperationOf:
    def test_follows_from_what_was_said_before_and_what_is_said_now(self) -> None:
        moved = {**SAID, "prefix": "203.0.113.99/32"}
        assert rules.operation_of({}, SAID).op is Op.ADD
        assert rules.operation_of(SAID, {}).op is Op.REMOVE
        replaced = rules.operation_of(SAID, moved)
        assert replaced.op is Op.REPLACE and replaced.was == rules.entry_of(SAID)

    def test_is_refused_when_nothing_ends(self) -> None:
        with pytest.raises(NotPublishable):
            rules.operation_of({}, {})


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
        assert rules.lag_state(latest=ReceiptStanding.GOOD, lag=limit) is LagState.IN_STEP
        assert rules.lag_state(latest=ReceiptStanding.GOOD, lag=limit + SECOND) is LagState.BEHIND

    def test_is_in_step_once_it_lacks_nothing_however_late_it_came(self) -> None:
        late = rules.LAG_ALLOWED + 60 * SECOND
        assert rules.lag_state(latest=ReceiptStanding.GOOD, lag=late, lacks=False) is LagState.IN_STEP
        assert rules.lag_state(latest=ReceiptStanding.DRIFT, lag=late, lacks=False) is LagState.DRIFT

    def test_says_what_the_last_receipt_says_when_that_is_not_good(self) -> None:
        assert rules.lag_state(latest=ReceiptStanding.DRIFT, lag=SECOND) is LagState.DRIFT
        assert rules.lag_state(latest=ReceiptStanding.DRIFT, lag=None) is LagState.DRIFT
        assert rules.lag_state(latest=ReceiptStanding.INCOMPLETE, lag=SECOND) is LagState.INCOMPLETE

    def test_is_never_without_a_receipt(self) -> None:
        assert rules.lag_state(latest=None, lag=None) is LagState.NEVER


class TestLiveFiles:
    def test_from_the_last_snapshot_a_delta_always_leads_on(self) -> None:
        """A new agent takes the newest snapshot, at most SNAPSHOT_EVERY - 1 editions old, and needs what follows it."""
        for head in range(300):
            for newest_snapshot in range(head + 1):
                assert rules.oldest_live_delta(head=head, newest_snapshot=newest_snapshot) <= newest_snapshot + 1

    def test_are_about_a_hundred_at_most(self) -> None:
        assert rules.LIVE_DELTAS + rules.LIVE_SNAPSHOTS <= 100
        for head in range(300):
            newest_snapshot = head - head % rules.SNAPSHOT_EVERY
            oldest = rules.oldest_live_delta(head=head, newest_snapshot=newest_snapshot)
            assert head - oldest + 1 == rules.LIVE_DELTAS
