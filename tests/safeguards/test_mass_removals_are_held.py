"""Many entries do not leave the feed at once: they wait, and another person lets them go or not (ADR 0009)."""

import datetime as dt
import shutil
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.faults import Exit
from rahdari.journal import queries as journal
from rahdari.journal import seconding
from rahdari.publish import actions, ceremony, holds, queries, rules
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Listing, Operator, RemovalHold, Stream
from rahdari.register import actions as register
from rahdari.register.models import Registration
from tests.builders.publishing import NOW, Follower, address, an_operator, entered, moved, publish, struck_out
from tests.publish.agents import AgentSide, serving
from tests.publish.conftest import follower
from tests.publish.receipts import received

__all__ = ["follower"]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
OFFICER, SECOND_OFFICER = "officer:1", "officer:2"


@dataclass
class Built:
    """Forty registrations, published, and the data folder that they are published in."""

    data: Path
    many: list[Registration]


@pytest.fixture(scope="module", autouse=True)
def built(shared: None, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built") / "data"
    folder.mkdir()
    with override_settings(DATA=folder):
        ceremony.make_feed_keys(offline=folder / "keys" / "feed-offline", now=NOW)
        an_operator()
        many = [entered(address(number)) for number in range(40)]
        publish()
    return Built(folder, many)


@pytest.fixture
def feed(built: Built, tmp_path: Path, settings: Any, db: None) -> Repository:
    settings.DATA = shutil.copytree(built.data, tmp_path / "data")
    return Repository(settings.DATA)


@pytest.fixture
def operator(feed: Repository) -> Operator:
    return Operator.objects.get()


@pytest.fixture
def many(built: Built, feed: Repository) -> list[Registration]:
    return deepcopy(built.many)


def end(registrations: list[Registration], *, now: dt.datetime = NOW) -> None:
    for each in registrations:
        struck_out(each, now=now)


def the_hold() -> RemovalHold:
    return holds.open_holds().get()


def approve(now: dt.datetime = NOW, actor: str = SECOND_OFFICER) -> RemovalHold:
    return holds.approve_hold(hold=the_hold(), actor=actor, reason="The company has closed.", now=now)


class TestIsMass:
    @pytest.mark.parametrize(
        ("removals", "entries", "held"),
        [(20, 100, False), (21, 100, True), (21, 420, False), (22, 420, True), (50, 1000, False), (51, 1000, True)],
    )
    def test_takes_more_than_a_share_and_more_than_a_number(self, removals: int, entries: int, held: bool) -> None:
        assert holds.is_mass(removals=removals, entries=entries) is held

    @given(st.integers(0, 10**7), st.integers(0, 10**7))
    def test_is_what_no_allowance_covers(self, removals: int, entries: int) -> None:
        assert holds.is_mass(removals=removals, entries=entries) is (removals > holds.allowance(entries))


class TestHold:
    def test_few_go_at_once(self, many: list[Registration], follower: Follower) -> None:
        end(many[:20])
        publish()
        assert len(follower.sync().digest) == 64 and len(follower.entries) == 20 and not holds.open_holds()

    def test_many_wait_and_what_is_added_does_not(self, many: list[Registration], follower: Follower) -> None:
        end(many[:21])
        entered(address(100))
        moved(many[30], address(130))
        publish()
        follower.sync()
        assert {address(0), address(20), address(100), address(130)} <= follower.prefixes
        assert len(follower.entries) == 41
        hold = the_hold()
        assert (hold.removals, hold.entries, hold.state) == (21, 40, RemovalHold.State.WAITING)
        assert hold.due_at == NOW + 24 * HOUR and queries.holds_waiting() == 1
        assert [row.act for row in journal.about(f"hold:{hold.pk}")] == ["publish.removals_held"]

    def test_one_that_ends_meanwhile_goes_at_once(self, many: list[Registration], follower: Follower) -> None:
        end(many[:21])
        publish()
        end(many[21:22])
        publish()
        follower.sync()
        assert address(21) not in follower.prefixes and len(follower.entries) == 39
        assert the_hold().removals == 21

    def test_is_of_one_stream_and_holds_up_no_other(self, many: list[Registration], operator: Operator) -> None:
        large = an_operator("sample-mobile", asns=[64501])
        for number in range(1000, 1030):
            entered(address(number), asn=64501)
        publish()
        end(many[:25])
        ended = entered(address(2000), asn=64501)
        publish()
        end([ended])
        publish()
        assert [hold.stream.asns for hold in holds.open_holds()] == [operator.asns]
        assert large.asns == [64501]
        assert Listing.objects.filter(stream__asns=[64501], until_sequence=None).count() == 30

    def test_of_a_stream_that_nobody_follows_asks_nobody(self, many: list[Registration]) -> None:
        end(many[:30])
        publish()
        everything = Stream.objects.get(everything=True, role="feed-static")
        assert not everything.followed and not RemovalHold.objects.filter(stream=everything).exists()

    def test_registrations_that_expire_together_count_too(self, feed: Repository, operator: Operator) -> None:
        for number in range(100, 130):
            entered(address(number), until=NOW + HOUR)
        publish()
        register.expire_due(now=NOW + 2 * HOUR)
        publish(NOW + 2 * HOUR)
        assert the_hold().removals == 30
        assert holds.who_ended(the_hold()) == [("clock", 30)]

    def test_further_ones_that_are_many_join_it(self, many: list[Registration]) -> None:
        end(many[:21])
        publish()
        end(many[21:])
        publish()
        assert the_hold().removals == 21, "nineteen at once are few, and went"
        assert Listing.objects.filter(stream__asns=[64500], until_sequence=None).count() == 21


class TestApprove:
    def test_lets_them_go_when_the_waiting_period_is_over_and_not_before(
        self, many: list[Registration], follower: Follower
    ) -> None:
        end(many[:30])
        publish()
        approve(NOW + HOUR)
        publish(NOW + 23 * HOUR)
        assert len(follower.sync().digest) == 64 and len(follower.entries) == 40
        publish(NOW + 24 * HOUR)
        follower.sync()
        assert len(follower.entries) == 10 and not holds.open_holds()
        hold = RemovalHold.objects.get()
        assert hold.state == RemovalHold.State.ENDED and hold.released_from == hold.released_in == follower.sequence
        acts = [row.act for row in journal.about(f"hold:{hold.pk}")][::-1]
        assert acts == [
            "publish.removals_held",
            "publish.hold_approved",
            "publish.removals_released",
            "publish.hold_ended",
        ]

    def test_waits_for_a_person_when_the_period_is_over(self, many: list[Registration], follower: Follower) -> None:
        end(many[:30])
        publish()
        publish(NOW + 100 * HOUR)
        follower.sync()
        assert len(follower.entries) == 40
        approve(NOW + 101 * HOUR)
        publish(NOW + 101 * HOUR)
        follower.sync()
        assert len(follower.entries) == 10

    def test_is_another_persons_than_who_ended_them(self, many: list[Registration]) -> None:
        end(many[:30])
        publish()
        assert holds.who_ended(the_hold()) == [(OFFICER, 30)]
        with pytest.raises(seconding.NotSecond) as refused:
            approve(actor=OFFICER)
        assert refused.value.why == seconding.WhyNot.SAME and the_hold().state == RemovalHold.State.WAITING
        assert approve().approved_by == SECOND_OFFICER
        with pytest.raises(holds.HoldDecided):
            approve()

    def test_is_for_as_many_as_waited(self, many: list[Registration], follower: Follower) -> None:
        found = [*many, *(entered(address(number)) for number in range(100, 140))]
        publish()
        end(found[:25])
        publish()
        approve(NOW + HOUR)
        end(found[25:55], now=NOW + 2 * HOUR)
        publish(NOW + 2 * HOUR)
        hold = the_hold()
        assert (hold.state, hold.removals, hold.approved_by) == (RemovalHold.State.WAITING, 55, "")
        assert hold.due_at == NOW + 26 * HOUR, "the period begins anew"
        publish(NOW + 30 * HOUR)
        follower.sync()
        assert len(follower.entries) == 80

    def test_lets_very_many_go_in_several_editions(
        self, many: list[Registration], follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(holds, "AT_ONCE", 8)
        end(many[:30])
        publish()
        approve()
        publish(NOW + 25 * HOUR)
        follower.sync()
        hold = RemovalHold.objects.get()
        assert len(follower.entries) == 10 and hold.state == RemovalHold.State.ENDED
        assert hold.released_from is not None and hold.released_in == hold.released_from + 3

    def test_ends_by_itself_when_the_entries_are_listed_again(
        self, many: list[Registration], follower: Follower
    ) -> None:
        """Their networks changed, the others had them and the overlap was over; then they changed back."""
        other = an_operator("sample-mobile", asns=[64501])
        for number, each in enumerate(many[:30]):
            moved(each, address(number), asn=64501)
        publish()
        received(other)
        publish(NOW + rules.OVERLAP)
        assert the_hold().removals == 30
        for number, each in enumerate(many[:30]):
            moved(each, address(number), now=NOW + 25 * HOUR)
        publish(NOW + 25 * HOUR)
        follower.sync()
        assert len(follower.entries) == 40 and not holds.open_holds()


class TestCancel:
    def test_keeps_them_in_the_feed_until_their_own_term_ends(
        self, many: list[Registration], follower: Follower
    ) -> None:
        found = [entered(address(number), until=NOW + 100 * HOUR) for number in range(100, 130)]
        publish()
        end(found)
        publish()
        approve()
        holds.cancel_hold(hold=the_hold(), actor=SECOND_OFFICER, reason="It was the wrong list.", now=NOW + HOUR)
        publish(NOW + 50 * HOUR)
        follower.sync()
        assert len(follower.entries) == 70 and the_hold().state == RemovalHold.State.CANCELLED
        assert queries.holds_waiting() == 0
        publish(NOW + 124 * HOUR)  # the feed tells the day
        follower.sync()
        assert follower.prefixes == {address(number) for number in range(40)} and not holds.open_holds()

    def test_can_be_asked_again_by_one_and_approved_by_another(self, many: list[Registration]) -> None:
        end(many[:30])
        publish()
        holds.cancel_hold(hold=the_hold(), actor=SECOND_OFFICER, reason="No.", now=NOW)
        with pytest.raises(holds.HoldDecided):
            holds.cancel_hold(hold=the_hold(), actor=SECOND_OFFICER, reason="No.", now=NOW)
        with pytest.raises(holds.HoldDecided):
            approve()
        holds.reopen_hold(hold=the_hold(), actor="officer:3", reason="Yes.", now=NOW + HOUR)
        with pytest.raises(seconding.NotSecond):
            approve(actor="officer:3")
        assert approve().due_at == NOW + 25 * HOUR
        with pytest.raises(holds.HoldDecided):
            holds.reopen_hold(hold=the_hold(), actor="officer:3", reason="Yes.", now=NOW)


class TestBulkStatement:
    @pytest.fixture
    def agent(
        self, feed: Repository, operator: Operator, many: list[Registration], tmp_path: Path
    ) -> Iterator[AgentSide]:
        with serving(feed.path, operator) as url:
            side = AgentSide(tmp_path / "agent", url, feed.metadata / "1.root.json")
            assert side.sync().exit is Exit.OK
            yield side

    def let_go(self, many: list[Registration]) -> RemovalHold:
        end(many[:30])
        publish()
        approve()
        publish(NOW + 24 * HOUR)
        return RemovalHold.objects.get()

    def state(self, feed: Repository, hold: RemovalHold) -> None:
        draft = actions.draft_bulk_for(holds=[hold], now=NOW)
        ceremony.sign_here(draft=draft, folders=[feed.data / "keys" / "feed-offline"], passphrase=None)
        ceremony.take_up(draft=draft, now=NOW)

    def test_lets_agents_go_of_what_they_held_back(
        self, feed: Repository, many: list[Registration], agent: AgentSide
    ) -> None:
        hold = self.let_go(many)
        outcome = agent.sync()
        assert outcome.exit is Exit.ALARM and len(agent.prefixes) == 40, "the agent holds as well"
        self.state(feed, hold)
        outcome = agent.sync()
        assert outcome.exit is Exit.OK, outcome.faults
        assert len(agent.prefixes) == 10

    def test_signed_beforehand_lets_them_go_at_once(
        self, feed: Repository, many: list[Registration], agent: AgentSide
    ) -> None:
        end(many[:30])
        publish()
        self.state(feed, approve())
        publish(NOW + 24 * HOUR)
        assert agent.sync(at=NOW + 24 * HOUR).exit is Exit.OK and len(agent.prefixes) == 10

    def test_of_fewer_lets_none_go(self, feed: Repository, many: list[Registration], agent: AgentSide) -> None:
        hold = self.let_go(many)
        hold.removals = 3
        self.state(feed, hold)
        assert agent.sync().exit is Exit.ALARM and len(agent.prefixes) == 40

    def test_names_the_editions_that_took_them(self, many: list[Registration], feed: Repository) -> None:
        hold = self.let_go(many)
        (target,) = holds.statements_of([hold], now=NOW)
        said = target.statement
        assert (said.role, said.removals) == ("feed-static", 30)
        assert (said.from_sequence, said.to_sequence) == ((hold.released_from or 0) - 1, hold.released_in)

    def test_stays_with_those_that_were_signed_before(self, feed: Repository, many: list[Registration]) -> None:
        hold = self.let_go(many)
        self.state(feed, hold)
        self.state(feed, hold)
        targets = feed.offline_targets().signed
        assert len(feed.statements(targets)) == 2


class TestSettings:
    def test_give_the_waiting_period(self, many: list[Registration], settings: Any) -> None:
        settings.HOLD_HOURS = 2
        end(many[:30])
        publish()
        assert the_hold().due_at == NOW + 2 * HOUR
