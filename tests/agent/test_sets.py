"""What sets hold, and how rows are shaped for devices: properties, over a space small enough for overlaps."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from rahdari.agent.entries import EntryRow
from rahdari.agent.renderers.renderer import End
from rahdari.agent.renderers.shaping import aggregated, aggregated_ends, ends, prefixes, regions
from rahdari.agent.sets import INTERVAL_SETS, KINDS, SET_NAMES, Element, Intervals, element_of
from tests.agent.renderers import TERM, a_row, in_order

networks = st.one_of(
    st.tuples(st.integers(0, 63), st.integers(26, 32)).map(
        lambda pair: str(ipaddress.ip_network((f"192.0.2.{pair[0]}", pair[1]), strict=False))
    ),
    st.tuples(st.integers(0, 63), st.integers(122, 128)).map(
        lambda pair: str(ipaddress.ip_network((f"2001:db8::{pair[0]:x}", pair[1]), strict=False))
    ),
)
kinds = st.sampled_from([("any", None), ("udp", None), ("udp", 51820), ("tcp", 443), ("esp", None), ("gre", None)])
rows = st.lists(st.builds(lambda prefix, kind: a_row(prefix, *kind), networks, kinds), max_size=30).map(in_order)


def addresses(prefix: str) -> set[str]:
    return {str(one) for one in ipaddress.ip_network(prefix)}


def covered(elements: set[Element]) -> set[tuple[str, str]]:
    found = set()
    for _, text in elements:
        address, _, rest = text.partition(" . ")
        found |= {(one, rest) for one in addresses(address)}
    return found


def merged_elements(elements: list[Element]) -> set[Element]:
    intervals = Intervals(one for one in elements if one.set_name in INTERVAL_SETS)
    hosts = {one for one in elements if one.set_name not in INTERVAL_SETS}
    return hosts | {Element(name, text) for name in INTERVAL_SETS for text in intervals.merged(name)}


class TestSets:
    @given(rows)
    def test_cover_exactly_what_the_entries_cover(self, given: list[EntryRow]) -> None:
        elements = [element_of(row.prefix, row.protocol, row.port) for row in given]
        assert covered(merged_elements(elements)) == covered(set(elements))

    @given(rows)
    def test_hold_no_element_inside_another(self, given: list[EntryRow]) -> None:
        found = merged_elements([element_of(row.prefix, row.protocol, row.port) for row in given])
        for one in found:
            assert one.set_name in SET_NAMES
            for other in found:
                same = one.set_name == other.set_name and one.text.partition(" ")[2] == other.text.partition(" ")[2]
                first, second = (ipaddress.ip_network(each.text.partition(" ")[0]) for each in (one, other))
                assert one == other or not same or not first.overlaps(second)

    def test_hold_each_part_of_a_service_with_the_number_of_its_protocol(self) -> None:
        parts = [("udp", 500), ("udp", 4500), ("esp", None), ("tcp", 1723), ("gre", None)]
        found = {element_of("203.0.113.40/32", protocol, port) for protocol, port in parts}
        assert found == {
            Element("host_ports4", "203.0.113.40 . 17 . 500"),
            Element("host_ports4", "203.0.113.40 . 17 . 4500"),
            Element("host_protocols4", "203.0.113.40 . 50"),
            Element("host_ports4", "203.0.113.40 . 6 . 1723"),
            Element("host_protocols4", "203.0.113.40 . 47"),
        }

    def test_have_three_kinds_for_hosts_and_three_for_prefixes(self) -> None:
        assert len(SET_NAMES) == 2 * len(KINDS) == 2 * len(INTERVAL_SETS)
        assert element_of("192.0.2.1/32", "any", None) == ("hosts4", "192.0.2.1")
        assert element_of("2001:db8::/48", "udp", None) == ("net_protocols6", "2001:db8::/48 . 17")
        assert element_of("2001:db8::1/128", "tcp", 443) == ("host_ports6", "2001:db8::1 . 6 . 443")
        names = [element_of("192.0.2.1/32", *part).name for part in (("any", None), ("esp", None), ("udp", 51820))]
        assert names == ["192.0.2.1", "192.0.2.1 esp", "192.0.2.1 udp 51820"]


class TestIntervals:
    @given(rows, rows)
    def test_say_what_a_change_brings_and_what_it_takes(self, before: list[EntryRow], after: list[EntryRow]) -> None:
        """Applied to what stands, the changes lead to what stands then."""
        old, new = (
            {
                one
                for one in (element_of(row.prefix, row.protocol, row.port) for row in given)
                if one.set_name in INTERVAL_SETS
            }
            for given in (before, after)
        )
        intervals = Intervals(old)
        stands = {name: intervals.merged(name) for name in SET_NAMES}
        for name, (added, removed) in intervals.change(added=new - old, removed=old - new).items():
            assert added.isdisjoint(stands[name])
            assert removed <= stands[name]
            stands[name] = stands[name] - removed | added
        assert stands == {name: Intervals(new).merged(name) for name in SET_NAMES}


class TestAggregated:
    @given(rows)
    def test_is_exact_and_the_fewest(self, given: list[EntryRow]) -> None:
        found = list(aggregated(prefixes(given)))
        wanted = []
        for version in (4, 6):
            parsed = [ipaddress.ip_network(row.prefix) for row in given]
            wanted += list(ipaddress.collapse_addresses(one for one in parsed if one.version == version))  # type: ignore[type-var]
        assert found == [str(network) for network in wanted]

    @given(rows.flatmap(lambda given: st.tuples(st.just(given), st.lists(st.integers(1, 9), min_size=30, max_size=30))))
    def test_keeps_each_address_at_least_until_its_end(self, both: tuple[list[EntryRow], list[int]]) -> None:
        given = [row._replace(not_after=f"2027-11-0{day}T00:00:00Z") for row, day in zip(*both, strict=False)]
        merged = list(aggregated_ends(ends(given)))
        assert [end.prefix for end in merged] == list(aggregated(prefixes(given)))
        for row in given:
            parts = [end for end in merged if addresses(row.prefix) <= addresses(end.prefix)]
            assert [end for end in parts if end.not_after >= row.not_after] == parts
            assert len(parts) == 1

    def test_of_what_has_no_end_has_none(self) -> None:
        kept = a_row("192.0.2.1/32")._replace(kept_stale=True)
        assert list(ends([a_row("192.0.2.0/32"), kept])) == [End("192.0.2.0/32", TERM[1]), End("192.0.2.1/32", "")]
        assert list(aggregated_ends(ends([a_row("192.0.2.0/32"), kept]))) == [End("192.0.2.0/31", "")]


class TestRegions:
    @given(rows)
    def test_do_not_overlap_and_say_all_that_covers_an_address(self, given: list[EntryRow]) -> None:
        found: dict[str, tuple[tuple[str, int], ...]] = {}
        for first, length, version, endpoints in regions(given):
            prefix = str(
                ipaddress.ip_network((ipaddress.ip_address(first.to_bytes(4 if version == 4 else 16)), length))
            )
            assert found.keys().isdisjoint(addresses(prefix))
            found |= dict.fromkeys(addresses(prefix), endpoints)
        wanted: dict[str, set[tuple[str, int]]] = {}
        for row in given:
            for one in addresses(row.prefix):
                wanted.setdefault(one, set()).add((row.protocol, row.port or 0))
        assert found == {one: tuple(sorted(endpoints)) for one, endpoints in wanted.items()}
