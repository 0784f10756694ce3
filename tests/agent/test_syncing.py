import datetime as dt
import time

import pytest

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.feed import Header, Kind, Op, Operation
from tests.agent.feeds import DAY, Publisher, Stand, an_entry, listed, names, now, running, sync


class TestSync:
    def test_takes_the_snapshot_then_each_delta_and_applies_both(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        first = an_entry("192.0.2.1/32", "udp", 51820)
        publisher.publish(first)
        outcome = sync(configuration)
        assert (outcome.exit, outcome.faults) == (Exit.OK, ())
        assert listed(configuration) == ["192.0.2.1/32"]
        stand.asked.clear()
        publisher.publish(an_entry("198.51.100.0/24"), an_entry("2001:db8::/48"), snapshot=False)
        publisher.publish(remove=[first], snapshot=False)
        outcome = sync(configuration)
        assert outcome.files == 2
        assert [path for path in stand.asked if "snap-" in path] == []
        assert listed(configuration) == ["198.51.100.0/24", "2001:db8::/48"]
        assert outcome.position
        assert outcome.position.digest == publisher.digest()

    def test_asks_for_little_when_nothing_is_new(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        sync(configuration)
        stand.asked.clear()
        outcome = sync(configuration)
        assert stand.asked == ["/feed/metadata/2.root.json", "/feed/metadata/timestamp.json"]
        assert (outcome.exit, outcome.applied.targets) == (Exit.OK, ())

    def test_takes_a_pushed_timestamp_for_what_it_is(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        sync(configuration)
        publisher.publish(an_entry("192.0.2.1/32"))
        pushed = (publisher.folder / "metadata" / "timestamp.json").read_bytes()
        stand.asked.clear()
        outcome = sync(configuration, timestamp=pushed)
        assert outcome.exit is Exit.OK
        assert "/feed/metadata/timestamp.json" not in stand.asked
        assert listed(configuration) == ["192.0.2.1/32"]
        forged = pushed.replace(b'"version":', b'"version":9')
        assert forged != pushed
        for nothing in (forged, b"nonsense", b"x" * 100_000):
            stand.asked.clear()
            outcome = sync(configuration, timestamp=nothing)
            # Whoever pushed it, the server itself is asked, and that is well.
            assert (outcome.exit, outcome.faults) == (Exit.OK, ())
            assert "is not signed as it must be" in outcome.refused_push
            assert "/feed/metadata/timestamp.json" in stand.asked

    def test_replaces_amended_entries(self, publisher: Publisher, configuration: Configuration) -> None:
        entry = an_entry("192.0.2.1/32")
        publisher.publish(entry)
        sync(configuration)
        publisher.publish(an_entry("192.0.2.2/32", id=entry.id), snapshot=False)
        assert sync(configuration).exit is Exit.OK
        assert listed(configuration) == ["192.0.2.2/32"]

    def test_keeps_fields_that_it_does_not_know(self, publisher: Publisher, configuration: Configuration) -> None:
        entry = an_entry("192.0.2.1/32", colour="green", more={"a": [1, 2]})
        publisher.publish(entry)
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=[entry], snapshot=False)
        assert sync(configuration).exit is Exit.OK
        assert listed(configuration) == []

    def test_takes_an_empty_delta(self, publisher: Publisher, configuration: Configuration) -> None:
        sync(configuration)
        publisher.publish(snapshot=False)
        outcome = sync(configuration)
        assert outcome.exit is Exit.OK
        assert outcome.position
        assert outcome.position.sequence == 1

    def test_goes_by_snapshot_when_the_deltas_no_longer_reach(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        sync(configuration)
        for number in range(1, 9):
            publisher.publish(an_entry(f"192.0.2.{number}/32"), snapshot=number == 6, keep=4)
        outcome = sync(configuration)
        assert (outcome.exit, outcome.files) == (Exit.OK, 3)
        assert len(listed(configuration)) == 8

    def test_takes_the_widest_delta(self, publisher: Publisher, configuration: Configuration) -> None:
        sync(configuration)
        before = publisher.digest()
        entries = [an_entry(f"192.0.2.{number}/32") for number in range(1, 4)]
        for entry in entries:
            publisher.publish(entry, snapshot=False)
        header = Header(Kind.DELTA, publisher.session, 0, 3, before, publisher.digest(), 3)
        publisher.add_file(header, [Operation(Op.ADD, entry) for entry in entries])
        publisher.sign()
        outcome = sync(configuration)
        assert (outcome.exit, outcome.files) == (Exit.OK, 1)

    def test_honours_the_terms_of_entries_at_once_while_the_feed_is_fresh(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        start, end = now() + dt.timedelta(minutes=20), now() + dt.timedelta(minutes=30)
        publisher.publish(an_entry("192.0.2.1/32", not_before=start), an_entry("192.0.2.2/32", not_after=end))
        sync(configuration)
        assert listed(configuration) == ["192.0.2.2/32"]
        sync(configuration, at=start + dt.timedelta(seconds=1))
        assert listed(configuration) == ["192.0.2.1/32", "192.0.2.2/32"]
        sync(configuration, at=end)
        assert listed(configuration) == ["192.0.2.1/32"]


class TestStaleFeed:
    def test_keeps_what_it_has_flags_what_ended_and_alarms(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        ends_fresh = an_entry("192.0.2.1/32", not_after=now() + dt.timedelta(minutes=30))
        ends_stale = an_entry("192.0.2.2/32", not_after=now() + dt.timedelta(hours=2))
        lasts = an_entry("192.0.2.3/32")
        publisher.publish(ends_fresh, ends_stale, lasts)
        assert sync(configuration).exit is Exit.OK
        stand.spoil = lambda path, answer: (503, b"")
        fresh = sync(configuration, at=now() + dt.timedelta(minutes=10))
        assert (fresh.exit, names(fresh)) == (Exit.NO_NETWORK, ["UnexpectedAnswer"])
        old = sync(configuration, at=now() + dt.timedelta(minutes=40))
        assert (old.exit, names(old)) == (Exit.ALARM, ["UnexpectedAnswer", "SignatureOld"])
        assert listed(configuration) == ["192.0.2.2/32", "192.0.2.3/32"]
        stale = sync(configuration, at=now() + dt.timedelta(hours=3))
        assert (stale.exit, names(stale)) == (Exit.ALARM, ["UnexpectedAnswer", "Stale"])
        # What ended while the feed was fresh does not come back; what ended since is kept, and flagged.
        assert listed(configuration) == ["192.0.2.2/32", "192.0.2.3/32"]
        assert (stale.applied.loaded, stale.applied.kept_stale) == (2, 1)
        after_grace = sync(configuration, at=now() + dt.timedelta(hours=75))
        assert listed(configuration) == ["192.0.2.3/32"]
        assert after_grace.exit is Exit.ALARM

    def test_accepts_nothing_new_when_signatures_have_run_out(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        sync(configuration)
        publisher.lifetime = dt.timedelta(seconds=-1)
        publisher.publish(an_entry("192.0.2.2/32"))
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["Expired"])
        assert listed(configuration) == ["192.0.2.1/32"]
        publisher.lifetime = dt.timedelta(hours=1)
        publisher.stamp()
        assert sync(configuration).exit is Exit.OK
        assert listed(configuration) == ["192.0.2.1/32", "192.0.2.2/32"]

    def test_knows_how_far_the_clock_is_ahead_also_when_it_is_set_while_the_server_is_away(
        self, stand: Stand, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with running(configuration) as agent:
            assert agent.server.clock_lead is None
            agent.sync(now=now())
            assert agent.server.clock_lead == agent.clock_lead == dt.timedelta()
            runs = time.clock_gettime
            # As if the clock had gone 800 days further than this machine has run since.
            monkeypatch.setattr(time, "clock_gettime", lambda which: runs(which) - 800 * 86_400)
            assert agent.clock_lead.days == 800
            assert agent.server.clock_hint() == "800 days ahead of the server's"
            monkeypatch.undo()
            # Nobody signs what a server says of the time: no number of days is too many, and none is below zero.
            for lag, days in ((-dt.timedelta(days=300_000), 36_600), (DAY, 0)):
                stand.lag = lag
                agent.sync(now=now())
                assert agent.clock_lead.days == days

    def test_says_so_when_the_clock_is_what_is_wrong(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        sync(configuration)
        publisher.lifetime = dt.timedelta(seconds=-1)
        publisher.stamp()
        stand.lag = -DAY
        outcome = sync(configuration)
        assert "Expired" in names(outcome)
        assert any("clock is 24 hours ahead of the server's: set it" in fault.mend for fault in outcome.faults)
        stand.lag = dt.timedelta()
        publisher.lifetime = dt.timedelta(hours=1)
        publisher.stamp()
        # A clock that lags is told also while everything verifies.
        assert names(sync(configuration, at=now() - DAY)) == ["ClockWrong"]
        assert names(sync(configuration)) == []
        stand.spoil = lambda path, answer: (503, b"")
        assert "ClockWrong" in names(sync(configuration, at=now() - DAY))


class TestReceipt:
    def test_is_given_once_for_each_edition(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(an_entry("192.0.2.1/32"))
        sync(configuration)
        sync(configuration)
        assert {receipt["session"] for receipt in stand.receipts} == {
            stream.session for stream in publisher.streams.values()
        }
        (receipt,) = stand.told(publisher.session)
        assert (receipt["session"], receipt["sequence"], receipt["digest"]) == (
            publisher.session,
            publisher.sequence,
            publisher.digest(),
        )
        assert receipt["targets"] == [{"name": "entries.json", "kind": "json", "loaded": 1, "ok": True}]

    def test_is_kept_while_the_server_does_not_take_it(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        for status in (503, 401, 405, 429):
            stand.receipt_status = status
            outcome = sync(configuration)
            assert (outcome.exit, names(outcome)) == (Exit.OK, ["ReceiptNotTaken"])
        publisher.publish(an_entry("192.0.2.1/32"))
        sync(configuration)
        assert stand.receipts == []
        stand.receipt_status = 200
        assert names(sync(configuration)) == []
        assert [receipt["sequence"] for receipt in stand.told(publisher.session)] == [0, 1]

    def test_is_dropped_when_it_will_never_be_taken(self, stand: Stand, configuration: Configuration) -> None:
        stand.receipt_status = 422
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.OK, ["ReceiptRefused"])
        with open_state(configuration.state) as state:
            assert state.receipts() == []
