"""The ten rules of an agent, each drawn from a fault of a program that distributes lists (docs/feed.md).

Rule 9 and the devices' side of rule 10 stand with the devices.
"""

import datetime as dt
import gzip
import secrets
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rahdari.agent import catching_up, state
from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.cli import main
from rahdari.feed import ROLES, FeedEntry, Header, Kind, Limits, Op, Operation, SetDigest
from tests.agent.feeds import DAY, Publisher, Stand, an_entry, listed, names, now, sync, written

STATIC, DYNAMIC, CANARY = ROLES


def some(count: int, net: int = 0, **other: Any) -> list[FeedEntry]:
    return [an_entry(f"10.{net}.{n >> 8}.{n & 255}/32", id=f"{net:02x}{n:030x}", **other) for n in range(count)]


def held(configuration: Configuration, role: str = STATIC) -> tuple[int, str, int] | None:
    """Sequence, digest as counted over what is stored, and number of entries."""
    with open_state(configuration.state) as opened:
        position = opened.position(role)
        if position is None:
            return None
        digest = SetDigest()
        digest.add_all(entry.canonical for entry in opened.entries(role))
        assert digest.hexdigest() == position.digest == position.set_digest.hexdigest()
        assert opened.count(role) == position.entries
        return position.sequence, position.digest, position.entries


class TestRule1StateVersionAndDigestInOneTransaction:
    """StayRTR committed its ETag before the body was accepted, and lost the update (#172)."""

    def test_nothing_of_an_edition_is_kept_when_its_last_step_fails(
        self, publisher: Publisher, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publisher.publish(*some(3))
        assert sync(configuration).exit is Exit.OK
        before = held(configuration)
        publisher.publish(*some(3, net=1), remove=some(3)[:1])

        def fails(*arguments: object, **named: object) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        with monkeypatch.context() as patch:
            patch.setattr(state.AgentState, "set_position", fails)
            assert sync(configuration).exit is Exit.STATE
        assert held(configuration) == before
        assert sync(configuration).exit is Exit.OK
        assert held(configuration) == (publisher.sequence, publisher.digest(), 5)

    def test_the_edition_is_asked_for_again_when_its_body_was_refused(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(*some(1))
        assert sync(configuration).exit is Exit.OK
        publisher.publish(*some(1, net=1))
        stand.spoil = lambda path, answer: (200, b"cut") if "/targets/" in path else answer
        assert sync(configuration).exit is Exit.UNTRUSTED
        stand.spoil = lambda path, answer: answer
        assert sync(configuration).exit is Exit.OK
        assert held(configuration) == (2, publisher.digest(), 2)

    def test_roles_do_not_wait_for_each_other(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(*some(2))
        publisher.publish(*some(2, net=1), kind="dynamic")
        assert sync(configuration).exit is Exit.OK
        publisher.publish(*some(2, net=2))
        publisher.publish(*some(2, net=3), kind="dynamic", snapshot=False)
        publisher.streams[DYNAMIC].files = []
        publisher.sign()
        outcome = sync(configuration)
        assert names(outcome) == ["NoWay"]
        assert "dynamic" in outcome.faults[0].what
        assert held(configuration) == (2, publisher.digest(), 4)
        assert held(configuration, DYNAMIC) is not None and held(configuration, DYNAMIC)[0] == 1  # type: ignore[index]


class TestRule2AfterASnapshotTheNextDeltaIsTheNextOne:
    """IRRd took the index's head for the snapshot's version, and skipped about 1,030 deltas (#1087)."""

    def test_deltas_between_snapshot_and_head_are_taken(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        for net in range(1, 5):
            publisher.publish(*some(2, net=net), snapshot=False)
        outcome = sync(configuration)
        assert (outcome.exit, outcome.files) == (Exit.OK, 3 + 4)
        assert held(configuration) == (5, publisher.digest(), 10)

    def test_a_snapshot_alone_never_stands_for_the_head(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        publisher.publish(*some(2, net=1), snapshot=False)
        publisher.publish(*some(2, net=2), snapshot=False)
        # The delta after the snapshot is gone: what is left leads from 2 to 3.
        publisher.files = [file for file in publisher.files if file.from_sequence != 1]
        publisher.sign()
        assert names(sync(configuration)) == ["NoWay"]
        assert held(configuration) is None


class TestRule3ARejectedDeltaStopsTheChain:
    """RIPE's client once chose to skip a delta that it could not read (whois PR 1715)."""

    def bad_then_good(self, publisher: Publisher) -> None:
        publisher.publish(*some(2, net=1), snapshot=False)
        good = publisher.files[-1]
        assert good.from_sequence == 1
        publisher.files = [file for file in publisher.files if file != good]
        header = Header(Kind.DELTA, publisher.session, 1, 2, good.digest_after, good.digest_after, 0)
        publisher.add_file(header, [])
        publisher.publish(*some(2, net=2), snapshot=False)
        publisher.files = [file for file in publisher.files if file.kind is Kind.DELTA]
        publisher.sign()

    def test_nothing_after_it_is_taken(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(*some(2))
        assert sync(configuration).exit is Exit.OK
        before = held(configuration)
        self.bad_then_good(publisher)
        for _ in range(2):
            assert names(sync(configuration)) == ["EditionRejected"]
            assert held(configuration) == before

    def test_a_snapshot_mends_it_and_that_is_reported(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(*some(2))
        assert sync(configuration).exit is Exit.OK
        self.bad_then_good(publisher)
        publisher.add_snapshot()
        publisher.sign()
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["ReloadedFromSnapshot"])
        assert held(configuration) == (3, publisher.digest(), 6)

    def test_a_delta_that_is_not_there_is_gone_around_by_signed_files(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        assert sync(configuration).exit is Exit.OK
        publisher.publish(*some(2, net=1))
        stand.spoil = lambda path, answer: (404, b"") if ".delta-1-2-" in path else answer
        assert (sync(configuration).exit, held(configuration)) == (Exit.OK, (2, publisher.digest(), 4))
        publisher.publish(*some(2, net=2), snapshot=False)
        stand.spoil = lambda path, answer: (404, b"") if "/targets/" in path else answer
        assert names(sync(configuration)) == ["UnexpectedAnswer"]
        assert held(configuration) == (2, publisher.sequence and held(configuration)[1], 4)  # type: ignore[index]


class TestRule4TheDigestIsHeldAfterEachDelta:
    def test_a_wrong_delta_in_the_middle_is_found_though_the_end_fits(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        one, two = some(2)
        publisher.publish(an_entry("192.0.2.1/32"))
        assert sync(configuration).exit is Exit.OK
        before = held(configuration)
        start, whole = publisher.digest(), SetDigest()
        for entry in (*publisher.entries.values(), one):
            whole.add(entry.canonical)
        middle = whole.hexdigest()
        whole.add(two.canonical)
        # Edition 2 claims to hold `one` and holds `two`, edition 3 the other way round: only the end is right.
        publisher.files = []
        publisher.add_file(Header(Kind.DELTA, publisher.session, 1, 2, start, middle, 1), [Operation(Op.ADD, two)])
        end = whole.hexdigest()
        publisher.add_file(Header(Kind.DELTA, publisher.session, 2, 3, middle, end, 1), [Operation(Op.ADD, one)])
        publisher.entries.update({one.id: one, two.id: two})
        publisher.sequence = 3
        publisher.sign()
        assert names(sync(configuration)) == ["EditionRejected"]
        assert held(configuration) == before
        publisher.add_snapshot()
        publisher.sign()
        assert names(sync(configuration)) == ["ReloadedFromSnapshot"]
        assert held(configuration) == (3, end, 3)

    def test_a_covering_delta_is_held_against_its_digest_too(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        assert sync(configuration).exit is Exit.OK
        before = held(configuration)
        publisher.publish(*some(2, net=1), snapshot=False)
        publisher.files = []
        # It should tell all that changed since edition 0, and leaves out one entry that came after edition 1.
        header = Header(Kind.DELTA, publisher.session, 0, 2, SetDigest().hexdigest(), publisher.digest(), 3)
        publisher.add_file(header, [Operation(Op.ADD, entry) for entry in list(publisher.entries.values())[:3]])
        publisher.sign()
        assert names(sync(configuration)) == ["EditionRejected"]
        assert held(configuration) == before


class TestRule5ASessionChangesForwardOnly:
    """rpki-prover followed two publishers in turn, session by session (#241)."""

    def change(self, publisher: Publisher, session: str, sequence: int) -> None:
        publisher.session, publisher.sequence, publisher.files = session, sequence, []
        publisher.add_snapshot()
        publisher.sign()

    def test_a_new_session_needs_a_sequence_above_the_one_held(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        publisher.publish(*some(2, net=1))
        assert sync(configuration).exit is Exit.OK
        before = held(configuration)
        new = secrets.token_hex(16)
        for sequence in (0, 1, 2):
            self.change(publisher, new, sequence)
            assert names(sync(configuration)) == ["WentBack"]
            assert held(configuration) == before
        self.change(publisher, new, 3)
        assert sync(configuration).exit is Exit.OK
        assert held(configuration) == (3, publisher.digest(), 4)

    def test_a_session_that_was_left_never_comes_back(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(*some(2))
        old = publisher.session
        assert sync(configuration).exit is Exit.OK
        self.change(publisher, secrets.token_hex(16), 2)
        assert sync(configuration).exit is Exit.OK
        self.change(publisher, old, 9)
        assert names(sync(configuration)) == ["OldSession"]
        assert held(configuration) == (2, publisher.digest(), 2)

    def test_roles_have_sessions_of_their_own(self, publisher: Publisher, configuration: Configuration) -> None:
        publisher.publish(*some(2))
        publisher.publish(*some(2, net=1), kind="dynamic")
        assert sync(configuration).exit is Exit.OK
        self.change(publisher, publisher.streams[DYNAMIC].session, 2)
        publisher.streams[DYNAMIC].session = secrets.token_hex(16)
        publisher.publish(*some(1, net=2), kind="dynamic")
        publisher.streams[DYNAMIC].files = publisher.streams[DYNAMIC].files[-1:]
        publisher.sign()
        assert sync(configuration).exit is Exit.OK
        assert held(configuration, DYNAMIC) == (2, publisher.digest("dynamic"), 3)

    def test_a_new_session_that_changes_nothing_changes_nothing_at_the_targets(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(*some(30))
        at = now()
        assert sync(configuration).exit is Exit.OK
        with open_state(configuration.state) as opened:
            mark = opened.mark(now=at, kept_after=at)
        self.change(publisher, secrets.token_hex(16), 2)
        assert sync(configuration).exit is Exit.OK
        with open_state(configuration.state) as opened:
            assert list(opened.changes_since(mark, now=at, kept_after=at) or []) == []


class TestRule6ExpiredMetadata:
    def test_nothing_new_is_accepted_and_what_is_held_stays_enforced(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        assert sync(configuration).exit is Exit.OK
        publisher.lifetime = -dt.timedelta(seconds=1)
        publisher.publish(*some(1, net=1))
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["Expired"])
        assert len(listed(configuration)) == 2

    def test_ends_are_honoured_at_once_while_fresh_and_after_the_grace_when_stale(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        at = now()
        soon, later = (
            an_entry("192.0.2.1/32", not_after=at + DAY / 48),
            an_entry("192.0.2.2/32", not_after=at + DAY / 8),
        )
        publisher.publish(soon, later)
        assert sync(configuration, at=at).exit is Exit.OK
        stand.spoil = lambda path, answer: (503, b"")
        # Fresh for an hour: the end after 30 minutes is honoured.
        assert "Stale" not in names(sync(configuration, at=at + DAY / 32))
        assert listed(configuration) == ["192.0.2.2/32"]
        # Stale: the end after 3 hours is not, for 72 hours.
        assert "Stale" in names(outcome := sync(configuration, at=at + DAY))
        assert (listed(configuration), outcome.applied.kept_stale) == (["192.0.2.2/32"], 1)
        sync(configuration, at=at + 4 * DAY)
        assert listed(configuration) == []

    @pytest.mark.parametrize("wrong", [-DAY, DAY])
    def test_a_clock_wrong_by_a_day_cuts_nobody_off(
        self, publisher: Publisher, stand: Stand, configuration: Configuration, wrong: dt.timedelta
    ) -> None:
        at = now()
        begun = an_entry("192.0.2.1/32", not_before=at - dt.timedelta(minutes=5))
        ending = an_entry("192.0.2.2/32", not_after=at + dt.timedelta(hours=5))
        publisher.publish(begun, ending)
        assert sync(configuration, at=at).exit is Exit.OK
        stand.spoil = lambda path, answer: (503, b"")
        # Back: what had begun has begun. Ahead: the feed looks stale, and ends wait for the time of grace.
        outcome = sync(configuration, at=at + wrong)
        assert outcome.exit is Exit.ALARM
        assert listed(configuration) == ["192.0.2.1/32", "192.0.2.2/32"]
        stand.spoil = lambda path, answer: answer
        assert names(sync(configuration, at=now())) == []
        assert listed(configuration) == ["192.0.2.1/32", "192.0.2.2/32"]

    @pytest.mark.parametrize("days", [398, 800])
    def test_a_clock_years_ahead_cuts_nobody_off(
        self,
        publisher: Publisher,
        stand: Stand,
        configuration: Configuration,
        days: int,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        ahead, at = days * DAY, now()
        publisher.publish(an_entry("192.0.2.1/32", not_after=at + 365 * DAY))
        assert sync(configuration, at=at).exit is Exit.OK
        # The answers carry the time at which they are made; the metadata are none that this clock takes.
        publisher.lifetime = -dt.timedelta(seconds=1)
        publisher.sign()
        stand.lag = -ahead
        outcome = sync(configuration, at=at + ahead)
        assert set(names(outcome)) == {"Expired", "ClockWrong"}
        wrong = next(fault for fault in outcome.faults if fault.name == "ClockWrong")
        assert wrong.what == f"The clock of this machine is wrong: it is {days} days ahead of the server's."
        assert (listed(configuration), outcome.applied.loaded) == (["192.0.2.1/32"], 1)
        monkeypatch.setattr("rahdari.agent.commands.status.now", lambda: at + ahead)
        for words in (["check", "192.0.2.1"], ["status"]):
            code = main(["agent", *words, "--config", str(written(configuration))])
            said = capsys.readouterr().out
            assert (code, "192.0.2.1 is registered" in said or "1 of 1 entries count now" in said) == (
                int(words == ["status"]),
                True,
            )
        # The next process, which the server does not tell the time, goes by what the one before had heard.
        stand.close()
        assert "NotReached" in names(sync(configuration, at=at + ahead + DAY))
        assert listed(configuration) == ["192.0.2.1/32"]

    def test_with_a_clock_ahead_the_time_of_grace_is_counted_by_the_servers(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        at, ahead = now(), 800 * DAY
        ending, lasting = an_entry("192.0.2.1/32", not_after=at + DAY / 8), an_entry("192.0.2.2/32")
        publisher.publish(ending, lasting)
        assert sync(configuration, at=at).exit is Exit.OK
        publisher.lifetime = -dt.timedelta(seconds=1)
        publisher.sign()
        stand.lag = -ahead
        for passed, count in ((DAY, 2), (4 * DAY, 1)):
            sync(configuration, at=at + ahead + passed)
            assert len(listed(configuration)) == count
        # Right again, and the feed as well: nothing of the wrong time is left.
        publisher.lifetime, stand.lag = dt.timedelta(hours=1), dt.timedelta()
        publisher.sign()
        assert sync(configuration).exit is Exit.OK
        assert len(listed(configuration)) == 2


class TestRule8LimitsAndDuplicates:
    """Duplicates reset the sessions of StayRTR's routers (#93)."""

    def test_a_bomb_a_long_line_and_too_many_entries_are_refused(
        self, publisher: Publisher, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        publisher.publish(*some(2))
        assert sync(configuration).exit is Exit.OK
        before = held(configuration)
        for body in (gzip.compress(b"0" * 20_000_000), gzip.compress(b'{"count":1' * 2_000)):
            header = Header(Kind.DELTA, publisher.session, 1, 2, publisher.digest(), publisher.digest(), 1)
            publisher.sequence, publisher.files = 2, []
            publisher.add_file(header, [], body=body)
            publisher.sign()
            assert names(sync(configuration)) == ["EditionRejected"]
            assert held(configuration) == before
        publisher.sequence, publisher.files = 1, []
        publisher.publish(*some(30, net=1))
        monkeypatch.setattr(catching_up, "DELTA_LIMITS", Limits(compressed=10**6, decompressed=10**6, entries=29))
        monkeypatch.setattr(catching_up, "SNAPSHOT_LIMITS", Limits(compressed=10**6, decompressed=10**6, entries=29))
        assert names(sync(configuration)) == ["EditionRejected"]
        assert held(configuration) == before

    def test_one_address_in_two_entries_and_two_roles_is_one_for_targets_that_take_points(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        twice = [an_entry("192.0.2.1/32"), an_entry("192.0.2.1/32")]
        publisher.publish(*twice)
        publisher.publish(an_entry("192.0.2.1/32"), kind="dynamic")
        at = now()
        with open_state(configuration.state) as opened:
            mark = opened.mark(now=at, kept_after=at)
        assert sync(configuration, at=at).exit is Exit.OK
        with open_state(configuration.state) as opened:
            assert opened.changes_since(mark, now=at, kept_after=at) is None
            mark = opened.mark(now=at, kept_after=at)
            rows = list(opened.in_force_rows(now=at, kept_after=at))
            assert [row.prefix for row in rows] == ["192.0.2.1/32"] * 3
        publisher.publish(remove=twice[:1], snapshot=False)
        assert sync(configuration, at=now()).exit is Exit.OK
        with open_state(configuration.state) as opened:
            (point,) = opened.changes_since(mark, now=at, kept_after=at) or ()
            # One of them is gone, and the address still stands.
            assert opened.stands([point], now=at, kept_after=at) == {point}


class TestRule10ReceiptsFollowWhatIsInForce:
    """The transaction's side: marker and receipt are written together, and only after the target was read back."""

    def test_no_receipt_before_the_target_has_taken_it(
        self, tmp_path: Path, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        publisher.publish(*some(2))
        place = configuration.targets[0].path  # type: ignore[union-attr]
        place.mkdir()
        assert sync(configuration).exit is Exit.NOT_APPLIED
        assert all(not target["ok"] for receipt in stand.receipts for target in receipt["targets"])
        place.rmdir()
        stand.receipts.clear()
        assert sync(configuration).exit is Exit.OK
        assert {target["ok"] for receipt in stand.told(publisher.session) for target in receipt["targets"]} == {True}
        assert stand.told(publisher.session)[-1]["digest"] == publisher.digest()
