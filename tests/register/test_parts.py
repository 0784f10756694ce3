"""A service at an address: several entries of the feed that come, move and end as one."""

import datetime as dt
import ipaddress
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari.address import Part, format_parts, parse_parts, vpn
from rahdari.register import actions, address_changes, changes, queries, sharing
from rahdari.register.models import Change, Entry, Registration
from rahdari.register.rules import NewEntry, new_endpoint

from .test_register import NOW, OTHER, YEAR, entered

BLOCK = ipaddress.ip_network("203.0.113.24/32")
DAY = dt.timedelta(days=1)
IPSEC, L2TP = vpn.parts_of("ikev2"), vpn.parts_of("l2tp")
ACT: dict[str, Any] = {"actor": "person:1", "now": NOW}


def an_endpoint(parts: tuple[Part, ...] = IPSEC, **given: Any) -> NewEntry:
    return new_endpoint(f"endpoint:{uuid.uuid4()}", BLOCK, parts, 64500, **given)


def registered(parts: tuple[Part, ...] = IPSEC, **given: Any) -> Entry:
    return address_changes.add_entry(registration=entered(), new=an_endpoint(parts, **given), **ACT)


def listed(registration: Registration) -> dict[str, str]:
    """What operators have of it: the parts at each address."""
    living = queries.entries_of(registration).filter(ended_at__isnull=True)
    return {str(lead.block): format_parts(parts) for lead, parts in queries.endpoints_among(living).items()}


@pytest.mark.django_db
class TestAnEndpoint:
    def test_is_an_entry_of_the_feed_for_each_part_and_one_address(self) -> None:
        lead = registered()
        entries = list(lead.registration.entries.order_by("id"))
        assert sorted(str(entry.part) for entry in entries) == ["esp", "udp 4500", "udp 500"]
        assert len({entry.feed_id for entry in entries}) == 3
        assert {entry.subject for entry in entries} == {lead.origin}, "its proof is that of the address"
        assert Change.objects.filter(act="enter").count() == 3
        held = queries.active_blocks_of(holder=lead.holder, categories=[lead.registration.category])
        assert held == {BLOCK: {lead.registration.id}}, "one address, however many its parts"

    def test_entered_twice_is_entered_once(self) -> None:
        registration, new = entered(), an_endpoint()
        assert address_changes.add_entry(registration=registration, new=new, **ACT) == address_changes.add_entry(
            registration=registration, new=new, **ACT
        )
        assert Entry.objects.count() == 3

    def test_is_not_entered_in_part_when_something_is_in_the_way(self) -> None:
        registered(parse_parts("udp 4500"))
        with pytest.raises(changes.BlockAlreadyEntered):
            address_changes.add_entry(registration=Registration.objects.get(), new=an_endpoint(), **ACT)
        assert Entry.objects.count() == 1

    def test_moves_leaves_and_ends_as_one(self) -> None:
        lead = registered(kind="dynamic", until=NOW + DAY)
        there = ipaddress.ip_network("203.0.113.77/32")
        facts: dict[str, Any] = {"asn": 64500, "until": NOW + 2 * DAY, "overlap_until": NOW + DAY / 2}
        new = address_changes.move_entry(entry=lead, block=there, origin="dyndns:2", **facts, **ACT)
        assert listed(lead.registration) == dict.fromkeys((str(BLOCK), str(there)), format_parts(IPSEC))
        assert address_changes.end_entries_due(now=NOW + DAY) == 3
        address_changes.extend_entry(entry=new, until=NOW + 3 * DAY, now=NOW + DAY)
        assert address_changes.end_entries_due(now=NOW + 2.5 * DAY) == 0
        address_changes.retire_entry(entry=new, until=NOW + 2.6 * DAY, actor="person:1", now=NOW + 2.5 * DAY)
        [leaves] = set(Entry.objects.filter(ended_at=None).values_list("valid_until", flat=True))
        assert NOW + 2.6 * DAY <= leaves < NOW + 2.7 * DAY
        address_changes.end_entry(entry=new, why="yield", now=NOW + 2.55 * DAY)
        assert listed(lead.registration) == {}

    def test_that_lapsed_comes_back_whole(self) -> None:
        lead = registered(kind="dynamic", until=NOW + DAY)
        assert address_changes.end_entries_due(now=NOW + DAY) == 3
        there = ipaddress.ip_network("203.0.113.77/32")
        facts: dict[str, Any] = {"asn": 64500, "until": NOW + 3 * DAY, "overlap_until": NOW + 2 * DAY}
        address_changes.move_entry(
            entry=lead, block=there, origin="dyndns:2", **facts, actor="host:1", now=NOW + 2 * DAY
        )
        assert listed(lead.registration) == {str(there): format_parts(IPSEC)}


PART = st.sampled_from([Part(part.protocol, part.port) for part in parse_parts("udp 500, udp 4500, tcp 443, esp, gre")])
SETS = st.sets(PART, min_size=1).map(lambda parts: parse_parts(format_parts(parts)))


@pytest.mark.django_db
class TestAnotherThingRuns:
    @settings(max_examples=25)
    @given(SETS, SETS)
    def test_at_once(self, before: tuple[Part, ...], after: tuple[Part, ...]) -> None:
        with transaction.atomic():
            lead = registered(before)
            now_lead = actions.amend_entry(entry=lead, block=BLOCK, parts=after, asn=64500, **ACT)
            assert listed(lead.registration) == {str(BLOCK): format_parts(after)}
            assert queries.parts_at(now_lead) == after
            same = actions.amend_entry(entry=now_lead, block=BLOCK, parts=after, asn=64500, **ACT)
            assert same == now_lead and now_lead.part_of is None
            transaction.set_rollback(True)

    @settings(max_examples=25)
    @given(SETS, SETS)
    def test_with_what_it_was_listed_for_a_while(self, before: tuple[Part, ...], after: tuple[Part, ...]) -> None:
        with transaction.atomic():
            lead = registered(before)
            kept = address_changes.change_parts(entry=lead, parts=after, leaves_at=NOW + DAY, **ACT)
            assert listed(lead.registration) == {str(BLOCK): format_parts(parse_parts(format_parts({*before, *after})))}
            assert address_changes.end_entries_due(now=NOW + DAY) == len(set(before) - set(after))
            assert listed(lead.registration) == {str(BLOCK): format_parts(after)}
            assert queries.parts_at(kept) == after
            transaction.set_rollback(True)

    def test_takes_in_what_stood_alone_at_the_same_address(self) -> None:
        lead = registered(parse_parts("udp 500"))
        registration = lead.registration
        address_changes.add_entry(registration=registration, new=an_endpoint(parse_parts("udp 4500, udp 9")), **ACT)
        address_changes.change_parts(entry=lead, parts=IPSEC, leaves_at=NOW + DAY, **ACT)
        living = queries.entries_of(registration).filter(ended_at__isnull=True)
        found = {format_parts(parts) for parts in queries.endpoints_among(living).values()}
        assert found == {format_parts(IPSEC), "udp 9"}

    def test_and_the_feed_hears_of_a_change_where_one_part_takes_the_place_of_one(self) -> None:
        lead = registered(parse_parts("udp 1194"))
        actions.amend_entry(entry=lead, block=BLOCK, parts=parse_parts("udp 51820"), asn=64500, **ACT)
        assert [change.act for change in Change.objects.order_by("id")] == ["enter", "amend"]
        actions.amend_entry(entry=lead, block=BLOCK, parts=IPSEC, asn=64500, **ACT)
        assert listed(lead.registration) == {str(BLOCK): format_parts(IPSEC)}

    def test_comes_and_goes_and_comes_again(self) -> None:
        lead = registered()
        for parts in (L2TP, IPSEC, parse_parts("udp 51820"), IPSEC):
            lead = actions.amend_entry(entry=lead, block=BLOCK, parts=parts, asn=64500, **ACT)
        assert listed(lead.registration) == {str(BLOCK): format_parts(IPSEC)}


@pytest.mark.django_db
class TestTheDatabase:
    def test_holds_a_part_to_the_address_and_the_registration_of_its_endpoint(self) -> None:
        lead, other = registered(), entered("198.51.100.7/32", holder=OTHER).entries.get()
        part = lead.parts.first()
        assert part is not None
        for wrong in ({"part_of": other}, {"part_of": part}, {"block": "203.0.113.25/32"}):
            with pytest.raises(IntegrityError, match="does not fit"), transaction.atomic():
                Entry.objects.filter(pk=part.pk).update(**wrong)

    def test_shares_each_part_with_those_who_have_it(self) -> None:
        lead = registered()
        letting = {"block": BLOCK, "newcomer": OTHER, "agreed": [lead.holder], "origin": "sharing:1", **ACT}
        sharing.let_in(**letting)
        second = entered("198.51.100.7/32", holder=OTHER)
        theirs = address_changes.add_entry(registration=second, new=an_endpoint(L2TP), **ACT)
        carried = {str(entry.part): entry.carrier is not None for entry in [theirs, *theirs.parts.all()]}
        assert carried == {"udp 500": True, "udp 4500": True, "esp": True, "udp 1701": False}
        assert YEAR
