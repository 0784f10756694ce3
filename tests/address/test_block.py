"""Blocks: what is taken, what is refused, and what the refusal suggests."""

import ipaddress
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import (
    AddressError,
    AddressFault,
    Block,
    check_width,
    contains,
    format_block,
    overlap,
    parse_block,
)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    if draw(st.booleans()):
        width, length = 32, draw(st.integers(0, 32))
        make: type[ipaddress.IPv4Network] | type[ipaddress.IPv6Network] = ipaddress.IPv4Network
    else:
        width, length = 128, draw(st.integers(0, 128))
        make = ipaddress.IPv6Network
    number = draw(st.integers(0, 2**width - 1)) >> (width - length) << (width - length)
    block = make((number, length))
    if isinstance(block, ipaddress.IPv6Network) and block.network_address.ipv4_mapped is not None:
        return ipaddress.IPv6Network((number >> 49 << 49, min(length, 79)))
    return block


URDU = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def refused(text: str) -> AddressError:
    with pytest.raises(AddressError) as caught:
        parse_block(text)
    return caught.value


class TestParseBlock:
    @given(blocks())
    def test_reads_back_what_was_formatted(self, block: Block) -> None:
        assert parse_block(format_block(block)) == block
        assert parse_block(str(block)) == block

    @given(blocks(), st.sampled_from([URDU, ARABIC]), st.sampled_from(["", " ", "\u200e", "\u061c", "\u2066", "\n"]))
    def test_takes_urdu_and_arabic_digits_and_pasted_marks(
        self, block: Block, digits: dict[int, str], mark: str
    ) -> None:
        assert parse_block(mark + format_block(block).translate(digits) + mark) == block

    @given(st.one_of(st.text(max_size=400), st.text(alphabet="0123456789abcdef.:/-[]%, ۔۲htps", max_size=60)))
    def test_either_answers_or_raises_its_own_error_whose_suggestion_parses(self, text: str) -> None:
        try:
            block = parse_block(text)
        except AddressError as error:
            block = None if error.suggestion is None else parse_block(error.suggestion)
        assert block is None or parse_block(format_block(block)) == block

    @pytest.mark.parametrize(
        ("text", "block"),
        [
            ("203.0.113.24", "203.0.113.24/32"),
            (" 203.0.113.0 / 28 ", "203.0.113.0/28"),
            ("۲۰۳۔۰۔۱۱۳۔۲۴", "203.0.113.24/32"),
            ("２０３.0.113.24", "203.0.113.24/32"),
            ("203.0.113.24.", "203.0.113.24/32"),
            ("[2001:DB8::1]", "2001:db8::1/128"),
            ("2001:0db8:0000::/48", "2001:db8::/48"),
        ],
    )
    def test_takes_what_people_type(self, text: str, block: str) -> None:
        assert str(parse_block(text)) == block

    @pytest.mark.parametrize(
        ("text", "reason", "suggestion"),
        [
            ("", "empty", None),
            ("203.0.113.1310", "out_of_range", "203.0.113.131"),
            ("203.0.1131.1310", "out_of_range", None),
            ("203.0.113.l4", "letter", "203.0.113.14"),
            ("2O3.0.113.24", "letter", "203.0.113.24"),
            ("0xCB.0x00.0x71.0x18", "hexadecimal", "203.0.113.24"),
            ("0xcb007118", "hexadecimal", "203.0.113.24"),
            ("203.0.113.2\u2074", "no_digit", "203.0.113.24"),
            ("203.0.113.\u2461", "no_digit", "203.0.113.2"),
            ("\u202e8.7.6.5", "turned_around", None),
            ("203.0.113.0/028", "leading_zeros", "203.0.113.0/28"),
            (" \u200f ", "empty", None),
            ("1" * 301, "too_long", None),
            ("203.0.113.5/28", "host_bits", "203.0.113.0/28"),
            ("2001:db8::1/64", "host_bits", "2001:db8::/64"),
            ("203.0.113.0/255.255.255.0", "netmask", "203.0.113.0/24"),
            ("203.0.113.9/255.255.255.255", "netmask", "203.0.113.9"),
            ("203.0.113.9/255.0.255.0", "netmask", None),
            ("203.0.113.24:51820", "port", "203.0.113.24"),
            ("[2001:db8::1]:443", "port", "2001:db8::1"),
            ("https://203.0.113.24:8443/login?x=1", "url", "203.0.113.24"),
            ("https://me@[2001:db8::1]/", "url", "2001:db8::1"),
            ("https://vpn.example/", "url", None),
            ("vpn.example", "host_name", None),
            ("vpn.example:1194", "host_name", None),
            ("::ffff:203.0.113.9", "mapped", "203.0.113.9"),
            ("::ffff:203.0.113.0/120", "mapped", "203.0.113.0/24"),
            ("203.0.113.007", "leading_zeros", "203.0.113.7"),
            ("203.0.113.010/32", "leading_zeros", "203.0.113.10"),
            ("203.0.113", "incomplete", None),
            ("203", "incomplete", None),
            ("203.0.113.256", "out_of_range", None),
            ("203.0.113.24/33", "prefix_length", None),
            ("2001:db8::/129", "prefix_length", None),
            ("203.0.113.24/x", "prefix_length", None),
            ("203.0.113.0-203.0.113.15", "range", "203.0.113.0/28"),
            ("203.0.113.1 - 203.0.113.9", "range", None),
            ("203.0.113.1, 203.0.113.2", "several", "203.0.113.1"),
            ("203.0.113.1 203.0.113.2", "several", "203.0.113.1"),
            ("203.0.113.1، 203.0.113.2", "several", "203.0.113.1"),
            ("2001:db8::1%eth0", "scope", "2001:db8::1"),
            ("2001:db8::1::2", "malformed", None),
            ("my address", "several", None),
            ("abc", "malformed", None),
            ("[2001:db8::1", "malformed", None),
        ],
    )
    def test_refuses_with_a_reason_and_a_suggestion(self, text: str, reason: str, suggestion: str | None) -> None:
        error = refused(text)
        assert (error.reason, error.suggestion) == (AddressFault(reason), suggestion)

    def test_says_which_port_stuck_on_the_address(self) -> None:
        assert refused("203.0.113.24:51820").port == 51820

    def test_says_the_limit_of_a_prefix_length(self) -> None:
        assert refused("203.0.113.24/33").limit == 32
        assert refused("2001:db8::/200").limit == 128

    def test_never_reads_another_script_as_a_different_address(self) -> None:
        assert unicodedata.decimal("२") == 2
        assert refused("२०३.0.113.24").reason is AddressFault.MALFORMED


class TestCheckWidth:
    def test_refuses_one_bit_beyond_the_limit_and_takes_the_limit(self) -> None:
        check_width(parse_block("203.0.113.0/28"), shortest_v4=28, shortest_v6=56)
        check_width(parse_block("2001:db8::/56"), shortest_v4=28, shortest_v6=56)
        for text, limit in [("203.0.113.0/27", 28), ("2001:db8::/55", 56)]:
            with pytest.raises(AddressError) as caught:
                check_width(parse_block(text), shortest_v4=28, shortest_v6=56)
            assert (caught.value.reason, caught.value.limit) == (AddressFault.TOO_WIDE, limit)


class TestOverlap:
    @given(blocks(), blocks())
    def test_agrees_with_the_standard_library(self, one: Block, other: Block) -> None:
        expected = one.version == other.version and one.overlaps(other)
        assert overlap(one, other) is expected
        assert overlap(other, one) is expected

    @given(blocks(), st.integers(0, 8))
    def test_holds_for_a_block_and_what_it_contains(self, block: Block, shorter: int) -> None:
        outer = block.supernet(new_prefix=max(0, block.prefixlen - shorter))
        assert overlap(outer, block)
        assert contains(outer, block)
        assert contains(block, outer) is (outer == block)
