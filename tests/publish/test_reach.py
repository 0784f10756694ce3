"""Over random registers: what a registration's page says of operators is what their agents really have.

Entries of known, unknown and nobody's networks come, end and are named; operators and gateways come. After each
publishing every operator's own files are read as an agent reads them, and held against `standing_of`.
"""

import ipaddress
import random
from pathlib import Path

import pytest

from rahdari.address import vpn
from rahdari.publish import queries
from rahdari.publish.envelope import Repository
from rahdari.register import actions as register
from rahdari.register import address_changes
from rahdari.register import queries as entries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import new_endpoint
from tests.builders.publishing import NOW, Follower, address, an_operator, entered, publish, served
from tests.needs import fewer

from .receipts import a_receipt, received

pytestmark = pytest.mark.django_db
NETWORKS = (64500, 64501, 64502, None)


def _prepare(dice: random.Random, gateway: bool) -> list[object]:
    operators: list[object] = [an_operator("one", asns=(64500,)), an_operator("two", asns=(64500, 64501))]
    return [*operators, an_operator("edge", asns=(), gateway=True)] if gateway else operators


def _act(dice: random.Random, held: list[Registration], number: int) -> None:
    living = list(entries.active_entries())
    # As on the case page: an operator is named for what reaches nobody.
    nowhere = list(queries.unreached_entries(entries.active_entries()))
    match dice.choice(("enter", "enter", "enter", "name", "end")):
        case "name" if nowhere:
            address_changes.name_network(
                entry=dice.choice(nowhere), asn=dice.choice(NETWORKS[:3]), actor="officer:1", now=NOW
            )
        case "end" if living:
            register.strike_out(registration=dice.choice(living).registration, code="X1", actor="person:1", now=NOW)
        case _:
            prefixes = [address(number * 4 + each) for each in range(dice.randint(1, 3))]
            held.append(entered(*prefixes, asn=dice.choice(NETWORKS)))


@pytest.mark.parametrize("seed", range(fewer(4, 2)))
def test_pages_and_agents_agree(feed: Repository, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    operators = _prepare(dice, gateway=seed % 2 == 1)
    held: list[Registration] = []
    root = (feed.metadata / "1.root.json").read_bytes()
    with served(feed.path) as url:
        agents = {each.slug: Follower(url, each, tmp_path / each.slug, root) for each in operators}  # type: ignore[attr-defined]
        for step in range(3):
            for number in range(5):
                _act(dice, held, step * 5 + number)
            publish()
            has: dict[str, set[str]] = {}
            for slug, agent in agents.items():
                agent.sync()
                has[slug] = set(agent.entries)
                received(agent.operator, a_receipt(agent.operator))
            for registration in held:
                living = [each for each in entries.entries_of(registration) if each.ended_at is None]
                said = queries.standing_of(living)
                nobodys = [each for each in living if not any(each.feed_id in theirs for theirs in has.values())]
                assert said.unreached == len(nobodys)
                those = {slug for slug, theirs in has.items() if any(each.feed_id in theirs for each in living)}
                assert said.operators_total == len(those)
                if living:
                    assert len(said.in_force) == len(those)
                    assert said.is_everywhere == (not nobodys)
            found = set(queries.unreached_entries(entries.active_entries()))
            assert found == {
                each for each in entries.active_entries() if not any(each.feed_id in theirs for theirs in has.values())
            }


def test_naming_the_network_sends_an_entry_to_its_operator(feed: Repository) -> None:
    operator = an_operator("one", asns=(64500,))
    entry = entered("198.51.100.9/32", asn=None).entries.get()
    publish()
    assert queries.standing_of([entry]).unreached == 1
    address_changes.name_network(entry=entry, asn=64500, actor="officer:1", now=NOW)
    publish()
    entry = Entry.objects.get(pk=entry.pk)
    received(operator, a_receipt(operator))
    assert queries.standing_of([entry]).is_everywhere
    changes = entry.changes.count()
    address_changes.name_network(entry=entry, asn=64500, actor="officer:1", now=NOW)
    assert entry.changes.count() == changes


def test_what_the_directory_learns_goes_before_what_was_named(feed: Repository) -> None:
    from rahdari.address import directory

    entry = entered("198.51.100.9/32", asn=None).entries.get()
    address_changes.name_network(entry=entry, asn=64500, actor="officer:1", now=NOW)
    directory.configure(None, [directory.Origin(64501, "Sample", ipaddress.ip_network("198.51.100.0/24"))])
    try:
        register.follow_directory(now=NOW)
    finally:
        directory.configure(None)
    assert Entry.objects.get(pk=entry.pk).asns == [64501]


def test_an_address_with_several_parts_is_one_and_in_force_with_the_last_of_them(feed: Repository) -> None:
    operator = an_operator("one", asns=(64500,))
    registration = entered("198.51.100.9/32", asn=None)
    gateway = new_endpoint("endpoint:1", ipaddress.ip_network("198.51.100.10"), vpn.parts_of("ikev2"), None)
    lead = address_changes.add_entry(registration=registration, new=gateway, actor="rule:1", now=NOW)
    assert queries.standing_of(registration.entries.all()).unreached == 2, "two addresses, of four entries"
    for entry in (registration.entries.get(port=51820), lead):
        address_changes.name_network(entry=entry, asn=64500, actor="officer:1", now=NOW)
    publish()
    received(operator, a_receipt(operator))
    assert queries.standing_of(registration.entries.all()).is_everywhere
    register.amend_entry(
        entry=lead, block=gateway.block, parts=vpn.parts_of("l2tp"), asn=64500, actor="person:1", now=NOW
    )
    assert not queries.standing_of(registration.entries.all()).is_everywhere, "UDP 1701 is with nobody yet"
    publish()
    received(operator, a_receipt(operator))
    assert queries.standing_of(registration.entries.all()).is_everywhere
