"""Rule 7 of the ten: many removals are held."""

import datetime as dt
import secrets
from typing import Any

import pytest

from rahdari.agent.configuration import Configuration
from rahdari.agent.faults import Exit
from rahdari.agent.folder import open_state
from rahdari.agent.removal_hold import release
from rahdari.agent.rules import removals_allowed
from rahdari.feed import BulkStatement
from rahdari.feed.entry import time_text
from tests.agent.feeds import DAY, Answer, Publisher, Stand, an_entry, listed, names, now, sync

from .test_ten_rules import CANARY, DYNAMIC, STATIC, held, some


class TestRule7ManyRemovalsAreHeld:
    def stated(self, publisher: Publisher, removals: int, start: int, end: int, **other: Any) -> None:
        said = {"role": STATIC, "session": publisher.session, "stated_at": time_text(now()), **other}
        publisher.state(BulkStatement(from_sequence=start, to_sequence=end, removals=removals, **said))
        publisher.sign()

    def test_of_more_than_five_in_a_hundred_and_more_than_twenty(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        publisher.publish(*some(1, net=1), remove=entries[:20])
        assert (sync(configuration).exit, len(listed(configuration))) == (Exit.OK, 81)
        publisher.publish(an_entry("192.0.2.1/32"), *some(2, net=2), remove=entries[20:41])
        outcome = sync(configuration)
        assert (outcome.exit, names(outcome)) == (Exit.ALARM, ["RemovalsHeld"])
        assert "21 removals of static entries" in outcome.faults[0].what
        # Additions apply, what was held stays enforced, and the digest is that of what is published.
        assert len(listed(configuration)) == 81 + 3
        assert held(configuration) == (3, publisher.digest(), 63)
        assert names(sync(configuration)) == ["RemovalsHeld"]

    def test_by_many_small_steps_as_by_a_large_one(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(60)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        for n in range(0, 30, 5):
            publisher.publish(remove=entries[n : n + 5], snapshot=False)
            sync(configuration)
        assert len(listed(configuration)) == 40
        # The next day it is another twenty.
        publisher.lifetime = 3 * DAY
        publisher.publish(remove=entries[30:35])
        sync(configuration, at=now() + dt.timedelta(hours=25))
        assert len(listed(configuration)) == 35 and held(configuration) == (8, publisher.digest(), 25)

    def test_also_when_they_come_as_replacements(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(100)
        publisher.publish(*entries)
        publisher.publish(*some(100, net=5), kind="dynamic")
        assert sync(configuration).exit is Exit.OK
        ended = [an_entry(e.prefix, id=e.id, not_after=now() + dt.timedelta(seconds=2)) for e in entries[:50]]
        moved = [an_entry(f"192.0.2.{n}/32", id=e.id) for n, e in enumerate(entries[50:])]
        publisher.publish(*ended, *moved)
        outcome = sync(configuration)
        assert "100 removals of static" in str(outcome.faults[0])
        assert set(listed(configuration)) >= {entry.prefix for entry in (*entries, *moved)}
        # Dynamic entries move by their nature.
        publisher.publish(
            *[an_entry(f"198.51.100.{n}/32", id=e.id) for n, e in enumerate(some(100, net=5))], kind="dynamic"
        )
        assert "dynamic" not in str(sync(configuration).faults[0])
        assert not any(prefix.startswith("10.5.") for prefix in listed(configuration))

    def test_when_a_snapshot_leaves_them_out(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        for entry in entries[:60]:
            del publisher.entries[entry.id]
        publisher.session, publisher.sequence, publisher.files = secrets.token_hex(16), 2, []
        publisher.add_snapshot()
        publisher.sign()
        assert names(sync(configuration)) == ["RemovalsHeld"]
        assert len(listed(configuration)) == 100
        assert held(configuration) == (2, publisher.digest(), 40)

    def test_but_not_those_that_end_by_themselves(self, publisher: Publisher, configuration: Configuration) -> None:
        ending = some(50, not_after=now() + dt.timedelta(minutes=5))
        publisher.publish(*ending, *some(50, net=1))
        publisher.lifetime = DAY
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=ending)
        outcome = sync(configuration, at=now() + dt.timedelta(minutes=6))
        assert (outcome.exit, len(listed(configuration))) == (Exit.OK, 50)
        # Held ones end when their time comes, like any other.
        more = some(40, net=2, not_after=now() + dt.timedelta(hours=2))
        publisher.publish(*more)
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=more)
        assert names(sync(configuration)) == ["RemovalsHeld"]
        assert names(sync(configuration, at=now() + dt.timedelta(hours=3))) == ["SignatureOld"]
        assert len(listed(configuration)) == 50

    def test_until_the_operator_releases_them(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=entries[:60])
        assert names(sync(configuration)) == ["RemovalsHeld"]
        with open_state(configuration.state) as opened:
            assert opened.held_counts(now=now()) == {STATIC: 60}
            assert release(state=opened, role=CANARY, now=now()) == 0
            assert release(state=opened, role=STATIC, now=now()) == 60
        assert (names(sync(configuration)), len(listed(configuration))) == ([], 40)

    def test_unless_a_statement_signed_offline_covers_them(
        self, publisher: Publisher, configuration: Configuration
    ) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        self.stated(publisher, 60, 1, 2)
        publisher.publish(remove=entries[:60])
        assert (sync(configuration).exit, len(listed(configuration))) == (Exit.OK, 40)

    def test_or_until_one_comes_later(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=entries[:60])
        assert names(sync(configuration)) == ["RemovalsHeld"]
        self.stated(publisher, 60, 1, 2)
        assert (sync(configuration).exit, len(listed(configuration))) == (Exit.OK, 40)

    @pytest.mark.parametrize(
        "other",
        [
            {"removals": 39},
            {"start": 2, "end": 3},
            {"session": "0a" * 16},
            {"role": DYNAMIC},
        ],
    )
    def test_but_not_by_a_statement_of_something_else(
        self, publisher: Publisher, configuration: Configuration, other: dict[str, Any]
    ) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        self.stated(publisher, **{"removals": 60, "start": 1, "end": 2, **other})
        publisher.publish(remove=entries[:60])
        assert names(sync(configuration)) == ["RemovalsHeld"]
        assert len(listed(configuration)) == 100

    def test_nor_by_one_that_was_used_up(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(150)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        self.stated(publisher, 60, 1, 50)
        publisher.publish(remove=entries[:60])
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=entries[60:120])
        assert names(sync(configuration)) == ["RemovalsHeld"]
        assert len(listed(configuration)) == 90

    def test_nor_by_one_that_cannot_be_read_or_is_not_signed(
        self, publisher: Publisher, stand: Stand, configuration: Configuration
    ) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        publisher.state(BulkStatement(STATIC, publisher.session, 1, 2, 60, time_text(now())), body=b"{}")
        publisher.state(BulkStatement(STATIC, publisher.session, 1, 2, 60, time_text(now())))
        publisher.publish(remove=entries[:60])

        def forged(path: str, answer: Answer) -> Answer:
            return (200, answer[1].replace(b'"removals":60', b'"removals":61')) if "/bulk/" in path else answer

        stand.spoil = forged
        assert "RemovalsHeld" in names(sync(configuration))
        assert len(listed(configuration)) == 100
        stand.spoil = lambda path, answer: answer
        assert names(sync(configuration)) == []

    def test_and_one_that_comes_back_is_held_no_more(self, publisher: Publisher, configuration: Configuration) -> None:
        entries = some(100)
        publisher.publish(*entries)
        assert sync(configuration).exit is Exit.OK
        publisher.publish(remove=entries[:60])
        assert names(sync(configuration)) == ["RemovalsHeld"]
        publisher.publish(*entries[:60], snapshot=False)
        assert names(sync(configuration)) == []
        assert len(listed(configuration)) == 100
        with open_state(configuration.state) as opened:
            assert opened.held_counts(now=now()) == {}

    def test_the_share_is_of_what_there_was(self) -> None:
        assert removals_allowed(of=100, within_window=0) == 20
        assert removals_allowed(of=1_000, within_window=0) == 50
        assert removals_allowed(of=960, within_window=40) == 10
        assert removals_allowed(of=10, within_window=30) == 0
