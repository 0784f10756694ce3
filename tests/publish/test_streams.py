"""Who gets an entry: by its networks, to both while it moves, never taken away before the other has it."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from django.db import connection

from rahdari.address import directory, parse_block
from rahdari.address.directory import Origin
from rahdari.feed import Operation
from rahdari.publish import actions, editions, files, queries, rules, streams
from rahdari.publish.envelope import Repository
from rahdari.publish.models import Delegation, Edition, File, Listing, Operator, Session, Stream
from rahdari.register import actions as register
from rahdari.register.models import Change, Entry
from tests.builders.publishing import (
    NOW,
    Follower,
    address,
    an_operator,
    entered,
    live_files_of,
    moved,
    publish,
    struck_out,
)

from .receipts import received

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)
HOUR = 60 * MINUTE
OVERLAP = rules.OVERLAP


@pytest.fixture(autouse=True)
def no_directory():  # type: ignore[no-untyped-def]
    """Entries are of the network they are entered with."""
    yield
    directory.configure(None)


def announced(*origins: tuple[int, str]) -> None:
    directory.configure(None, [Origin(asn, f"Sample {asn}", parse_block(prefix)) for asn, prefix in origins])


def stream_of(operator: Operator, role: str = "feed-static") -> Stream:
    return Stream.objects.get(followings__operator=operator, followings__left_at=None, role=role)


def holds(operator: Operator) -> set[str]:
    """What an operator's stream lists now."""
    rows = Listing.objects.filter(stream=stream_of(operator), until_sequence=None)
    return {str(row.change.snapshot["prefix"]) for row in rows.select_related("change")}


class TestEntitlement:
    def test_an_access_operator_gets_the_entries_of_its_networks_and_a_gateway_all(
        self, feed: Repository, follower: Follower
    ) -> None:
        second = an_operator("second", asns=[64501, 64502])
        gateway = an_operator("gateway", gateway=True)
        for number, asn in enumerate((64500, 64501, 64502, 64999, None), start=1):
            entered(address(number), asn=asn)
        publish()
        for operator, numbers in ((follower.operator, {1}), (second, {2, 3}), (gateway, {1, 2, 3, 4, 5})):
            reader = follower.another(operator.slug, operator=operator)
            reader.sync()
            assert reader.prefixes == {address(number) for number in numbers}

    def test_operators_of_equal_rights_share_a_stream_and_its_files(self, feed: Repository) -> None:
        first, second = an_operator("first", asns=[64501, 64500]), an_operator("second", asns=[64500, 64501, 64500])
        publish()
        entered(address(1))
        publish()
        assert stream_of(first) == stream_of(second)
        assert live_files_of(feed, first) == live_files_of(feed, second)
        one, two = (feed.of(operator.repository) for operator in (first, second))
        assert one.metadata != two.metadata
        role = next(name for name in one.metadata.glob("2.feed-static.json"))
        assert role.samefile(two.metadata / role.name)
        published = one.published(), two.published()
        assert published[0] is not None and published[1] is not None and published[0].roles == published[1].roles

    def test_a_prefix_with_two_origins_is_listed_to_both(self, feed: Repository) -> None:
        announced((64500, "10.0.0.0/24"), (64501, "10.0.0.0/24"))
        first, second = an_operator("first", asns=[64500]), an_operator("second", asns=[64501])
        entered(address(1), asn=64500)
        publish()
        assert holds(first) == holds(second) == {address(1)}

    def test_an_operator_without_networks_gets_an_empty_feed(self, feed: Repository, follower: Follower) -> None:
        nobody = an_operator("nobody", asns=[])
        entered(address(1), asn=None)
        publish()
        reader = follower.another("nobody", operator=nobody)
        assert reader.sync().entries == 0


class TestMoving:
    """An entry of one operator's network comes into another's."""

    @pytest.fixture
    def both(self, feed: Repository, operator: Operator) -> tuple[Operator, Operator]:
        other = an_operator("other", asns=[64501])
        publish()
        return operator, other

    def test_the_new_operator_has_it_at_once_and_the_old_one_keeps_it(self, both: tuple[Operator, Operator]) -> None:
        old, new = both
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64501)
        publish()
        assert holds(old) == holds(new) == {address(2)}

    def test_it_leaves_when_the_overlap_is_over_and_the_new_one_has_acknowledged(
        self, both: tuple[Operator, Operator]
    ) -> None:
        old, new = both
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64501)
        publish(NOW + MINUTE)
        # The overlap is over, and the new operator has said nothing.
        assert publish(NOW + 2 * OVERLAP) == 0
        assert holds(old) == {address(2)}
        received(new)
        assert publish(NOW + OVERLAP) == 0
        assert publish(NOW + OVERLAP + MINUTE) == 1
        assert holds(old) == set() and holds(new) == {address(2)}

    def test_a_receipt_of_an_earlier_edition_is_no_acknowledgement(self, both: tuple[Operator, Operator]) -> None:
        old, new = both
        registration = entered(address(1))
        publish()
        received(new)
        moved(registration, address(2), asn=64501)
        publish()
        assert publish(NOW + 2 * OVERLAP) == 0
        assert holds(old) == {address(2)}

    def test_every_operator_of_the_new_network_is_waited_for_and_none_that_was_stopped(
        self, both: tuple[Operator, Operator]
    ) -> None:
        old, new = both
        second = an_operator("second", asns=[64501])
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64501)
        publish()
        received(new)
        assert publish(NOW + 2 * OVERLAP) == 0
        actions.stop_operator(operator=second, actor="officer:1", now=NOW)
        assert publish(NOW + 2 * OVERLAP) == 1
        assert holds(old) == set()

    def test_where_the_new_network_has_no_operator_the_overlap_alone_counts(self, both: tuple[Operator, ...]) -> None:
        old, _ = both
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64999)
        publish()
        assert holds(old) == {address(2)}
        publish(NOW + OVERLAP)
        assert holds(old) == set()

    def test_what_changes_meanwhile_is_told_to_both(self, both: tuple[Operator, Operator]) -> None:
        old, new = both
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64501)
        publish()
        moved(registration, address(3), asn=64501)
        publish(NOW + HOUR)
        assert holds(old) == holds(new) == {address(3)}
        # And the overlap is counted from the move.
        received(new)
        publish(NOW + OVERLAP)
        assert holds(old) == set()

    def test_expiry_ends_it_anyway(self, both: tuple[Operator, Operator]) -> None:
        old, new = both
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64501)
        publish()
        struck_out(registration)
        publish()
        assert holds(old) == holds(new) == set()

    def test_one_that_comes_back_stays(self, both: tuple[Operator, Operator]) -> None:
        old, new = both
        registration = entered(address(1))
        publish()
        moved(registration, address(2), asn=64501)
        publish()
        received(new)
        moved(registration, address(3), asn=64500)
        publish(NOW + MINUTE)
        publish(NOW + OVERLAP)
        assert holds(old) == {address(3)}
        # The other way round it is the old one that has to acknowledge.
        received(old)
        publish(NOW + OVERLAP + MINUTE)
        assert (holds(old), holds(new)) == ({address(3)}, set())


class TestRelist:
    def test_follows_the_directory_by_the_same_rule(self, feed: Repository) -> None:
        announced((64500, "10.0.0.0/24"))
        first, second = an_operator("first", asns=[64500]), an_operator("second", asns=[64501])
        gateway = an_operator("gateway", gateway=True)
        entered(address(1), address(2), asn=64500)
        publish()
        sequence = Session.objects.get(stream=stream_of(gateway), closed_at=None).sequence
        announced((64500, "10.0.0.0/24"), (64501, "10.0.0.2/32"))
        assert actions.relist(now=NOW) == 1
        publish()
        assert (holds(first), holds(second)) == ({address(1), address(2)}, {address(2)})
        received(second)
        publish(NOW + OVERLAP)
        assert (holds(first), holds(second)) == ({address(1)}, {address(2)})
        # What an entry says did not change: a gateway is told nothing.
        assert Session.objects.get(stream=stream_of(gateway), closed_at=None).sequence == sequence
        assert list(Change.objects.order_by("id").values_list("act", flat=True)) == ["enter", "enter", "reroute"]

    def test_goes_through_all_entries_in_parts(self, feed: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(register, "ENTRIES_AT_A_TIME", 2)
        assert actions.relist(now=NOW) == 0
        entered(*[address(number) for number in range(7)], asn=64500)
        announced((64501, "10.0.0.0/24"))
        found = [register.follow_directory(now=NOW, at_most=4) for _ in range(3)]
        assert found == [4, 3, 0]
        assert {tuple(entry.asns) for entry in Entry.objects.all()} == {(64501,)}


class TestNewOperator:
    @pytest.mark.parametrize(
        ("taken", "looked_through"),
        [(3, 2), *(pytest.param(*each, marks=pytest.mark.whole) for each in ((3, 20_000), (1, 4), (2_000, 1)))],
    )
    def test_of_rights_that_nobody_had_finds_what_is_registered_in_its_first_snapshot(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch, taken: int, looked_through: int
    ) -> None:
        monkeypatch.setattr(rules, "ENTRIES_AT_A_TIME", taken)
        monkeypatch.setattr(rules, "LISTINGS_AT_A_TIME", looked_through)
        registration = entered(address(0), asn=64501)
        entered(*[address(number) for number in range(1, 10)], asn=64501)
        entered(address(100), asn=64500)
        publish()
        moved(registration, address(50), asn=64501)
        gone = entered(address(60), asn=64501)
        publish()
        struck_out(gone)
        publish()
        operator = an_operator("other", asns=[64501])
        publish()
        reader = follower.another("other", operator=operator)
        head = reader.sync()
        assert (head.sequence, head.entries) == (0, 10)
        assert reader.prefixes == {address(50), *(address(number) for number in range(1, 10))}
        entered(address(70), asn=64501)
        publish()
        assert reader.sync().entries == 11

    @pytest.mark.parametrize(("taken", "looked_through"), [(2, 20_000), (20_000, 2)])
    def test_what_is_cut_while_its_stream_is_filled_is_in_it_once(
        self, feed: Repository, operator: Operator, monkeypatch: pytest.MonkeyPatch, taken: int, looked_through: int
    ) -> None:
        monkeypatch.setattr(rules, "ENTRIES_AT_A_TIME", taken)
        monkeypatch.setattr(rules, "LISTINGS_AT_A_TIME", looked_through)
        registrations = [entered(address(number), asn=64501) for number in range(8)]
        publish()
        other = an_operator("other", asns=[64501])
        looked, steps = queries.something_to_cut, iter(range(100))

        def meanwhile(*, now: dt.datetime) -> bool:
            if Stream.objects.exclude(filled_to=None).exists():
                step = next(steps)
                if step == 1:
                    moved(registrations[0], address(100), asn=64501)  # filled already
                    struck_out(registrations[1])
                    moved(registrations[6], address(106), asn=64501)  # not yet
                    struck_out(registrations[7])
                    entered(address(200), asn=64501)
                    moved(registrations[2], address(102), asn=64500)  # goes away
            return looked(now=now)

        monkeypatch.setattr(queries, "something_to_cut", meanwhile)
        publish()
        monkeypatch.undo()
        publish()
        # The one that went away was there when it did, or never came: either is right.
        assert holds(other) - {address(102)} == {address(number) for number in (100, 3, 4, 5, 106, 200)}
        session = Session.objects.get(stream=stream_of(other), closed_at=None)
        assert session.entries == len(holds(other))

    def test_does_not_wait_for_a_snapshot_that_is_being_written_when_all_is_there(
        self, feed: Repository, follower: Follower, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rules, "ENTRIES_AT_A_TIME", 2)
        entered(*[address(number) for number in range(9)])
        publish()
        snapshot = files._snapshot
        come: list[Operator] = []
        passed: list[str] = []

        def half_written(stream: Stream, end: Edition, meanwhile: Callable[[], None]) -> Iterator[Operation]:
            """Between two parts of the first snapshot that has more than one, somebody comes."""

            def somebody_comes() -> None:
                if not come:
                    passed.append("half written")
                    come.append(an_operator("second", asns=[64500]))
                meanwhile()

            yield from snapshot(stream, end, somebody_comes)
            passed.append("read")

        monkeypatch.setattr(files, "_snapshot", half_written)
        entered(address(100))
        actions.publish_editions(now=NOW + HOUR, checkpoint=passed.append)
        of_it = passed[passed.index("half written") :]
        assert of_it.index("joined") < of_it.index("read")
        assert follower.another("second", operator=come[0]).sync().entries == 10

    def test_of_rights_that_another_has_begins_where_that_one_is(self, feed: Repository, follower: Follower) -> None:
        publish()
        for number in range(3):
            entered(address(number))
            publish()
        second = an_operator("second", asns=[64500])
        publish()
        reader = follower.another("second", operator=second)
        assert reader.sync().sequence == 3 and len(reader.entries) == 3

    def test_that_is_the_first_gateway_gets_a_snapshot_of_everything(
        self, feed: Repository, follower: Follower
    ) -> None:
        for number in range(3):
            entered(address(number), asn=64999)
            publish()
        gateway = an_operator("gateway", gateway=True)
        publish()
        reader = follower.another("gateway", operator=gateway)
        assert reader.sync().entries == 3
        entered(address(9), asn=None)
        publish()
        assert reader.sync().entries == 4


class TestChangeRights:
    def test_leads_to_the_other_streams_once_they_are_ready(self, feed: Repository, follower: Follower) -> None:
        entered(address(1), asn=64500)
        entered(address(2), asn=64501)
        for number in range(10, 15):
            publish()
            entered(address(number), asn=64500)
        publish()
        before = follower.sync()
        operator = actions.change_rights(
            operator=follower.operator, asns=[64501, 64500], gateway=False, actor="officer:1", now=NOW
        )
        assert operator.asns == [64500, 64501]
        publish()
        after = follower.sync()
        assert after.session != before.session and after.sequence > before.sequence
        assert len(follower.entries) == 7
        entered(address(20), asn=64501)
        publish()
        assert follower.sync().entries == 8

    def test_to_a_stream_that_is_far_behind_opens_another_session_of_it(
        self, feed: Repository, follower: Follower
    ) -> None:
        second = an_operator("second", asns=[64501])
        publish()
        other = follower.another("second", operator=second)
        other.sync()
        for number in range(4):
            entered(address(number))
            publish()
        before = follower.sync()
        actions.change_rights(operator=follower.operator, asns=[64501], gateway=False, actor="officer:1", now=NOW)
        publish()
        head = follower.sync()
        assert head.sequence > before.sequence and head.entries == 0
        assert other.sync().session == head.session
        assert stream_of(second) == stream_of(follower.operator)

    def test_lets_the_left_files_be_fetched_until_they_are_erased(self, feed: Repository, operator: Operator) -> None:
        entered(address(1))
        publish()
        left = Session.objects.get(stream=stream_of(operator), closed_at=None).pk
        actions.change_rights(operator=operator, asns=[64501], gateway=False, actor="officer:1", now=NOW)
        publish()
        assert left in queries.sessions_by_operator(now=NOW + 23 * HOUR)[operator.pk]
        assert left not in queries.sessions_by_operator(now=NOW + 25 * HOUR)[operator.pk]
        actions.refresh_timestamp(now=NOW + 25 * HOUR)
        assert not any(path.parent.name == left for path in feed.targets.rglob("*.gz"))

    def test_retires_a_stream_that_nobody_follows_any_more(self, feed: Repository, operator: Operator) -> None:
        entered(address(1))
        publish()
        left = stream_of(operator)
        actions.change_rights(operator=operator, asns=[64501], gateway=False, actor="officer:1", now=NOW)
        publish()
        left.refresh_from_db()
        assert left.retired_at == NOW
        entered(address(2))
        publish()
        assert Session.objects.get(stream=left).sequence == 0 or not Listing.objects.filter(
            stream=left, change__snapshot__prefix=address(2)
        )
        actions.refresh_timestamp(now=NOW + rules.TIMESTAMP_EVERY)
        assert not Listing.objects.filter(stream=left).exists()
        # The same rights again begin afresh.
        again = an_operator("again", asns=[64500])
        publish()
        assert holds(again) == {address(1), address(2)}

    def test_to_the_rights_it_has_changes_nothing(self, feed: Repository, operator: Operator) -> None:
        publish()
        before = feed.of(operator.repository).published()
        actions.change_rights(operator=operator, asns=[64500], gateway=False, actor="officer:1", now=NOW)
        publish()
        assert feed.of(operator.repository).published() == before


class TestStopOperator:
    def test_ends_its_repository(self, feed: Repository, operator: Operator) -> None:
        publish()
        assert feed.of(operator.repository).path.exists()
        actions.stop_operator(operator=operator, actor="officer:1", now=NOW)
        publish()
        assert not feed.of(operator.repository).path.exists()
        assert not Delegation.objects.filter(left_at=None).exists()


class TestSnapshotsOfStreams:
    def test_are_written_hourly_where_something_changed(self, feed: Repository, operator: Operator) -> None:
        an_operator("other", asns=[64501])
        publish()

        def snapshots(asns: list[int]) -> list[int]:
            found = File.objects.filter(session__stream__asns=asns, session__stream__role="feed-static", width=0)
            return list(found.order_by("pk").values_list("to_sequence", flat=True))

        entered(address(1))
        publish(NOW + 30 * MINUTE)
        assert snapshots([64500]) == [0]
        entered(address(2))
        publish(NOW + HOUR)
        entered(address(3))
        publish(NOW + HOUR + MINUTE)
        assert (snapshots([64500]), snapshots([64501])) == ([0, 2], [0])


class TestCostWithManyOperators:
    def test_a_change_signs_for_its_operators_with_the_same_number_of_queries(self, feed: Repository) -> None:
        gateways = [an_operator(f"gateway-{number}", gateway=True) for number in range(3)]
        publish()

        def cost(number: int) -> int:
            entered(address(number))
            counting = Counting()
            with connection.execute_wrapper(counting):
                publish()
            return counting.queries

        cost(1)
        few = cost(2)
        gateways += [an_operator(f"more-{number}", gateway=True) for number in range(9)]
        publish()
        cost(3)
        assert cost(4) == few
        assert editions and streams
        assert len({feed.of(each.repository).published() is not None for each in gateways}) == 1


class Counting:
    queries = 0

    def __call__(self, execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        self.queries += 1
        return execute(sql, params, many, context)
