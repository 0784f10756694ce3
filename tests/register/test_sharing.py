"""One block under several holders: by consent only, exactly the block, and one line for one endpoint."""

import datetime as dt
import ipaddress
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from rahdari.address import parse_parts
from rahdari.register import actions, address_changes, changes, queries, sharing
from rahdari.register.models import Change, CoHolder, Entry, Registration, SharedBlock
from rahdari.register.rules import HOME, NewEntry

from .test_register import HOLDER, NOW, OTHER, YEAR, endpoint, entered

DAY = dt.timedelta(days=1)
THIRD = uuid.UUID("00000000-0000-4000-8000-000000000003")
GATEWAY = "203.0.113.24/32"
BLOCK = ipaddress.ip_network(GATEWAY)


def let_in(newcomer: uuid.UUID = OTHER, *agreed: uuid.UUID, block: str = GATEWAY, now: dt.datetime = NOW) -> CoHolder:
    return sharing.let_in(
        block=ipaddress.ip_network(block),
        newcomer=newcomer,
        agreed=agreed or (HOLDER,),
        origin=f"sharing:{uuid.uuid4()}",
        actor="person:1",
        now=now,
    )


def said() -> dict[str, Any]:
    """What the feed says last of each line that is there."""
    last = {change.entry_id: change.snapshot for change in Change.objects.order_by("id")}
    return {str(snapshot["id"]): snapshot for snapshot in last.values() if snapshot}


@pytest.mark.django_db
class TestLetIn:
    def test_two_holders_stand_behind_one_line_of_the_feed_which_says_nothing_of_it(self) -> None:
        first = entered(GATEWAY, until=NOW + 10 * DAY)
        with pytest.raises(changes.BlockAlreadyEntered):
            entered(GATEWAY, holder=OTHER)
        sharer = let_in()
        assert let_in() == sharer, "letting in twice changes nothing"
        second = entered(GATEWAY, holder=OTHER)
        line = first.entries.get()
        assert second.entries.get().line == line
        assert list(said()) == [line.feed_id]
        assert said()[line.feed_id] == {
            "id": line.feed_id,
            "prefix": GATEWAY,
            "protocol": "udp",
            "port": 51820,
            "not_before": "2026-11-10T00:00:00Z",
            "not_after": "2027-11-11T00:00:00Z",
        }
        assert [change.act for change in queries.history_of(first)] == ["enter"], "the first sees nothing of the second"
        assert [change.act for change in queries.history_of(second)] == ["enter"]

    def test_the_line_stays_under_its_id_until_the_last_one_has_gone(self) -> None:
        first, _ = entered(GATEWAY, until=NOW + 10 * DAY), let_in()
        second = entered(GATEWAY, holder=OTHER)
        line = first.entries.get()
        before = said()
        assert actions.expire_due(now=NOW + 10 * DAY) == 1
        assert said() == before, "nothing is seen of the first one's end"
        actions.strike_out(registration=second, code="X1", actor="person:2", now=NOW + 11 * DAY)
        assert said() == {}
        assert entered(GATEWAY, holder=THIRD).entries.get().line != line, "and the address is free again"

    def test_wants_everybody_s_consent_who_is_there_and_of_whoever_was_let_in(self) -> None:
        entered(GATEWAY)
        let_in()
        with pytest.raises(sharing.NotAllAgreed) as refused:
            let_in(THIRD, HOLDER)
        assert refused.value.missing == {OTHER}, "the second has entered nothing yet, and is asked all the same"
        assert let_in(THIRD, HOLDER, OTHER).holder == THIRD
        assert SharedBlock.objects.count() == 1

    def test_is_of_exactly_one_block_never_of_a_part_nor_of_a_changing_address(self) -> None:
        entered("203.0.113.0/28")
        with pytest.raises(sharing.NotShareable):
            let_in(block="203.0.113.7/32")
        with pytest.raises(sharing.NotShareable):
            let_in(block="198.51.100.7/32")
        other = entered("198.51.100.7/32", holder=THIRD)
        reported = NewEntry("host:1", BLOCK, "any", None, 64500, kind="dynamic", until=NOW + DAY)
        address_changes.add_entry(registration=other, new=reported, actor="person:1", now=NOW)
        with pytest.raises(sharing.NotShareable):
            let_in(OTHER, THIRD)

    def test_is_never_of_a_line_at_home(self) -> None:
        staff = entered("198.51.100.7/32")
        at_home = NewEntry(f"{HOME}1:0", BLOCK, "any", None, 64500)
        address_changes.add_entry(registration=staff, new=at_home, actor="person:1", now=NOW)
        assert not queries.may_be_shared(block=BLOCK)
        with pytest.raises(sharing.NotShareable):
            let_in()

    def test_another_port_of_the_block_is_a_line_of_its_own(self) -> None:
        first, _ = entered(GATEWAY), let_in()
        second = entered("198.51.100.7/32", holder=OTHER)
        own = address_changes.add_entry(
            registration=second, new=endpoint(GATEWAY, protocol="tcp", port=443), actor="person:2", now=NOW
        )
        assert own.line == own and own.feed_id in said() and first.entries.get().feed_id in said()

    def test_another_protocol_or_port_is_a_new_entry_beside_and_no_change_of_the_line(self) -> None:
        first, _ = entered(GATEWAY), let_in()
        second = entered(GATEWAY, holder=OTHER)
        given: dict[str, Any] = {
            "block": BLOCK,
            "parts": parse_parts("tcp 443"),
            "asn": 64500,
            "actor": "person:1",
            "now": NOW,
        }
        for registration in (first, second):
            with pytest.raises(changes.SharedWithOthers):
                actions.amend_entry(entry=registration.entries.get(), **given)
        actions.strike_out(registration=second, code="X1", actor="person:2", now=NOW)
        line = first.entries.get()
        assert actions.amend_entry(entry=line, **given).port == 443, "alone again, it is changed like any other"
        assert said()[line.feed_id]["port"] == 443


@pytest.mark.django_db
class TestLeaving:
    def world(self) -> tuple[Registration, Registration, CoHolder]:
        first, sharer = entered(GATEWAY), let_in()
        return first, entered(GATEWAY, holder=OTHER), sharer

    def notice(self, sharer: CoHolder) -> CoHolder:
        return sharing.leave(sharer=sharer, at=NOW + 30 * DAY, withdrawn_by=HOLDER, actor="person:1", now=NOW)

    def test_after_notice_ends_the_part_of_one_and_leaves_the_other(self) -> None:
        first, second, sharer = self.world()
        assert self.notice(sharer).leaves_at == NOW + 30 * DAY
        assert sharing.end_parts_due(now=NOW + 30 * DAY - dt.timedelta(seconds=1)) == 0
        before = said()
        assert sharing.end_parts_due(now=NOW + 30 * DAY) == 1
        assert said() == before
        assert [each.ended_at is None for each in (first.entries.get(), second.entries.get())] == [True, False]
        with pytest.raises(changes.BlockAlreadyEntered):
            entered(GATEWAY, holder=OTHER)

    def test_a_notice_may_be_taken_back(self) -> None:
        _, second, sharer = self.world()
        self.notice(sharer)
        sharing.stay(sharer=sharer, actor="person:1", now=NOW)
        assert sharing.end_parts_due(now=NOW + 31 * DAY) == 0
        assert second.entries.get().ended_at is None

    def test_a_notice_is_over_when_whoever_gave_it_has_gone(self) -> None:
        first, second, sharer = self.world()
        self.notice(sharer)
        actions.strike_out(registration=first, code="X1", actor="person:1", now=NOW + DAY)
        assert sharing.end_parts_due(now=NOW + 31 * DAY) == 0
        assert second.entries.get().ended_at is None and len(said()) == 1

    def test_whoever_is_alone_again_has_the_block_like_any_other(self) -> None:
        first, second, _ = self.world()
        before = said()
        actions.strike_out(registration=second, code="X1", actor="person:2", now=NOW)
        assert first.entries.get().shared is None and not CoHolder.objects.filter(ended_at=None).exists()
        assert list(said()) == list(before)
        assert entered("203.0.113.16/28").entries.count() == 1, "the range around it is nobody else's"

    def test_whoever_goes_on_with_the_line_of_another_keeps_its_id(self) -> None:
        first, second, _ = self.world()
        before = said()
        actions.strike_out(registration=first, code="X1", actor="person:1", now=NOW)
        assert said() == before and second.entries.get().shared is not None
        actions.renew(registration=second, valid_until=NOW + 2 * YEAR, actor="person:2", now=NOW)
        assert list(said()) == list(before)

    def test_whoever_has_left_is_let_in_anew_before_coming_back(self) -> None:
        _, second, _ = self.world()
        actions.strike_out(registration=second, code="X1", actor="person:2", now=NOW)
        with pytest.raises(changes.BlockAlreadyEntered):
            entered(GATEWAY, holder=OTHER)
        let_in()
        assert entered(GATEWAY, holder=OTHER).entries.get().ended_at is None


@pytest.mark.django_db
class TestTheDatabase:
    """What the code does not do, the database would not take."""

    def refused(self, act: Callable[[], object], error: type[DatabaseError], words: str) -> None:
        with pytest.raises(error, match=words), transaction.atomic():
            act()

    def an_entry(self, registration: Registration, **other: object) -> Entry:
        facts: dict[str, object] = {
            "registration": registration,
            "origin": f"endpoint:{uuid.uuid4()}",
            "holder": registration.holder,
            "block": BLOCK,
            "protocol": "udp",
            "port": 51820,
            "valid_from": NOW,
            "valid_until": NOW + YEAR,
        }
        return Entry.objects.create(**(facts | other))

    def test_refuses_an_overlap_without_consent_and_a_line_of_anything_else(self) -> None:
        first = entered(GATEWAY)
        second = entered("198.51.100.7/32", holder=OTHER)
        self.refused(lambda: self.an_entry(second), IntegrityError, "no_block_under_two_holders")
        shared = SharedBlock.objects.create(block=BLOCK, created_at=NOW)
        self.refused(lambda: self.an_entry(second, shared=shared), IntegrityError, "no sharer of its block")
        let_in()
        shared = CoHolder.objects.get(holder=OTHER).shared
        mine = {"shared": shared, "carrier": first.entries.get()}
        self.refused(lambda: self.an_entry(second), IntegrityError, "no_block_under_two_holders")
        self.refused(lambda: self.an_entry(second, shared=shared), IntegrityError, "an_endpoint_has_one_line")
        self.refused(lambda: self.an_entry(second, port=443, **mine), IntegrityError, "does not fit its line")
        self.refused(
            lambda: self.an_entry(second, shared=shared, block=ipaddress.ip_network("203.0.113.25/32")),
            IntegrityError,
            "does not fit the block",
        )
        self.refused(lambda: self.an_entry(second, kind="dynamic", **mine), IntegrityError, "does not fit the block")
        assert self.an_entry(second, **mine).ended_at is None

    def test_refuses_that_a_consent_ends_under_an_entry_comes_back_or_is_deleted(self) -> None:
        entered(GATEWAY)
        sharer = let_in()
        second = entered(GATEWAY, holder=OTHER)
        one = CoHolder.objects.filter(pk=sharer.pk)
        self.refused(lambda: one.update(ended_at=NOW), IntegrityError, "still has entries")
        self.refused(lambda: one.delete(), IntegrityError, "is not changed")
        self.refused(lambda: one.update(holder=THIRD), IntegrityError, "is not changed")
        actions.strike_out(registration=second, code="X1", actor="person:2", now=NOW)
        self.refused(lambda: one.update(ended_at=None), IntegrityError, "is not changed")
        self.refused(
            lambda: SharedBlock.objects.update(block=ipaddress.ip_network("203.0.113.25/32")), IntegrityError, "stays"
        )


def at_once(*acts: Callable[[], object]) -> list[object]:
    """All of them from threads of their own, begun together; what each came to."""
    together = threading.Barrier(len(acts))
    found: list[object] = [None] * len(acts)

    def work(place: int, act: Callable[[], object]) -> None:
        try:
            together.wait()
            found[place] = act()
        except Exception as error:
            found[place] = error
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=each) for each in enumerate(acts)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_two_newcomers_the_second_needs_the_first_one_s_consent_too(self) -> None:
        entered(GATEWAY)
        found = at_once(lambda: let_in(OTHER, HOLDER), lambda: let_in(THIRD, HOLDER))
        assert sorted(type(each).__name__ for each in found) == ["CoHolder", "NotAllAgreed"]

    def test_one_ends_while_another_comes_and_the_feed_says_what_is_there(self) -> None:
        first = entered(GATEWAY)
        let_in()
        found = at_once(
            lambda: actions.strike_out(registration=first, code="X1", actor="person:1", now=NOW),
            lambda: entered(GATEWAY, holder=OTHER),
        )
        assert all(isinstance(each, Registration) for each in found), found
        assert len(said()) == 1, "whichever was first, the second one's line is there"

    def test_two_holders_of_the_same_two_blocks_end_at_once_and_neither_waits_for_the_other(self) -> None:
        second_block = "203.0.113.25/32"
        first = entered(GATEWAY)
        other = entered(second_block, holder=OTHER)
        let_in(OTHER, HOLDER)
        let_in(HOLDER, OTHER, block=second_block)
        for registration, prefix in ((first, second_block), (other, GATEWAY)):
            address_changes.add_entry(registration=registration, new=endpoint(prefix), actor="person:1", now=NOW)
        found = at_once(
            lambda: actions.strike_out(registration=first, code="X1", actor="person:1", now=NOW),
            lambda: actions.strike_out(registration=other, code="X1", actor="person:2", now=NOW),
        )
        assert all(isinstance(each, Registration) for each in found), found
        assert said() == {} and not CoHolder.objects.filter(ended_at=None).exists()
