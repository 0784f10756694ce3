"""Special-use ranges, against the registry rows and the standard library's own table."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import SPECIAL_RANGES, SpecialName, is_global, parse_block, special_use


class TestSpecialUse:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "this_network"),
            ("10.1.2.3", "private"),
            ("100.64.0.1", "shared"),
            ("100.127.255.255", "shared"),
            ("127.0.0.1", "loopback"),
            ("169.254.1.1", "link_local"),
            ("172.31.255.255", "private"),
            ("192.0.0.1", "protocol"),
            ("192.0.0.9", "anycast_service"),
            ("192.0.0.171", "nat64"),
            ("192.0.2.1", "documentation"),
            ("192.88.99.1", "six_to_four"),
            ("192.168.1.1", "private"),
            ("198.18.0.1", "benchmarking"),
            ("198.51.100.1", "documentation"),
            ("203.0.113.1", "documentation"),
            ("224.0.0.1", "multicast"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("::2", "reserved"),
            ("64:ff9b::c000:221", "nat64"),
            ("64:ff9b:1::1", "nat64"),
            ("100::1", "discard"),
            ("2001::1", "teredo"),
            ("2001:2::1", "benchmarking"),
            ("2001:20::1", "identifier"),
            ("2001:db8::1", "documentation"),
            ("2002:cb00:7101::1", "six_to_four"),
            ("3fff::1", "documentation"),
            ("5f00::1", "segment_routing"),
            ("4000::1", "reserved"),
            ("fc00::1", "unique_local"),
            ("fd12::1", "unique_local"),
            ("fe80::1", "link_local"),
            ("fec0::1", "site_local"),
            ("ff02::1", "multicast"),
        ],
    )
    def test_names_the_range(self, text: str, name: str) -> None:
        use = special_use(parse_block(text))
        assert use is not None
        assert use.name is SpecialName(name)

    @pytest.mark.parametrize(
        "text",
        ["9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
         "223.255.255.255",
         "39.32.0.1", "2400:adc0::1", "2001:200::1", "3ffd::1", "2003::1"],
    )  # fmt: skip
    def test_leaves_ordinary_addresses_alone(self, text: str) -> None:
        assert special_use(parse_block(text)) is None

    def test_is_found_when_a_wide_block_only_touches_a_range(self) -> None:
        use = special_use(parse_block("100.0.0.0/9"))
        assert use is not None
        assert use.name is SpecialName.SHARED

    def test_is_lifted_only_for_blocks_wholly_in_an_allowed_range(self) -> None:
        block, wider = parse_block("203.0.113.0/28"), parse_block("203.0.112.0/23")
        assert special_use(block) is not None
        assert special_use(block, allowed=["203.0.113.0/24"]) is None
        assert special_use(wider, allowed=["203.0.113.0/24"]) is not None
        assert special_use(parse_block("2001:db8::1"), allowed=["203.0.113.0/24"]) is not None

    @given(st.one_of(st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address), st.ip_addresses(v=6)))
    def test_covers_everything_the_standard_library_calls_not_global(
        self, address: ipaddress.IPv4Address | ipaddress.IPv6Address
    ) -> None:
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not is_global(address)

    def test_has_a_source_for_each_range_and_no_range_twice(self) -> None:
        assert all(use.source.startswith("RFC ") for use in SPECIAL_RANGES)
        assert len({use.block for use in SPECIAL_RANGES}) == len(SPECIAL_RANGES)
