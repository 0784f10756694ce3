"""Endpoints: protocol and port go together or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import (
    MOST_PARTS,
    Endpoint,
    EndpointError,
    EndpointFault,
    Part,
    Protocol,
    format_parts,
    format_ports,
    in_order,
    parse_block,
    parse_parts,
    parse_port,
    parse_ports,
    parse_protocol,
)

BLOCK = parse_block("203.0.113.24")


class TestParsePort:
    @given(st.integers(1, 65_535))
    def test_reads_every_port_in_either_digits(self, port: int) -> None:
        assert parse_port(str(port)) == port
        assert parse_port(f" {str(port).translate(str.maketrans('0123456789', '۰۱۲۳۴۵۶۷۸۹'))} ") == port

    @pytest.mark.parametrize(
        ("text", "reason"),
        [("", "port_empty"), ("0", "port_out_of_range"), ("65536", "port_out_of_range"),
         ("9" * 5000, "port_out_of_range"),
         ("-1", "port_malformed"), ("1194/udp", "port_malformed"), ("1,194", "port_malformed")],
    )  # fmt: skip
    def test_refuses_with_a_reason(self, text: str, reason: str) -> None:
        with pytest.raises(EndpointError) as caught:
            parse_port(text)
        assert caught.value.reason is EndpointFault(reason)


class TestParseProtocol:
    def test_reads_any_case_and_refuses_what_it_does_not_know(self) -> None:
        assert parse_protocol(" UDP ") is Protocol.UDP
        with pytest.raises(EndpointError) as caught:
            parse_protocol("sctp")
        assert caught.value.reason is EndpointFault.PROTOCOL_UNKNOWN


class TestParsePorts:
    @pytest.mark.parametrize(
        ("text", "ports"),
        [
            ("1194", (1194,)),
            ("1194, 1200-1203", (1194, 1200, 1201, 1202, 1203)),
            ("۱۱۹۴، ۱۲۰۰–۱۲۰۲", (1194, 1200, 1201, 1202)),
            ("443 80;80", (80, 443)),
            ("1200 - 1201", (1200, 1201)),
            ("1200:1201", (1200, 1201)),
        ],
    )  # fmt: skip
    def test_reads_several_and_ranges(self, text: str, ports: tuple[int, ...]) -> None:
        assert parse_ports(text) == ports

    @given(st.sets(st.integers(1, 65_535), min_size=1, max_size=MOST_PARTS))
    def test_reads_what_was_written(self, ports: set[int]) -> None:
        assert parse_ports(format_ports(ports)) == tuple(sorted(ports))

    @pytest.mark.parametrize(
        ("text", "reason", "suggestion"),
        [
            ("", "port_empty", None),
            (",", "port_malformed", None),
            ("all", "port_malformed", None),
            ("1194-", "port_malformed", None),
            ("\u202e49", "port_malformed", None),
            ("0", "port_out_of_range", None),
            ("1-70000", "port_out_of_range", None),
            ("1203-1200", "range_reversed", "1200-1203"),
            ("1-65535", "too_many", None),
            ("1-33", "too_many", None),
        ],
    )
    def test_refuses_with_a_reason(self, text: str, reason: str, suggestion: str | None) -> None:
        with pytest.raises(EndpointError) as caught:
            parse_ports(text)
        assert (caught.value.reason, caught.value.suggestion) == (EndpointFault(reason), suggestion)

    def test_takes_as_many_as_an_address_has_room_for(self) -> None:
        assert len(parse_ports(f"1-{MOST_PARTS}")) == MOST_PARTS


PARTS = st.builds(
    lambda protocol, port: Part(protocol, port if protocol.has_ports else None),
    st.sampled_from(Protocol),
    st.none() | st.integers(1, 65_535),
)


class TestParts:
    @pytest.mark.parametrize("protocol", [Protocol.ANY, Protocol.ESP, Protocol.GRE])
    def test_have_no_port_without_udp_or_tcp(self, protocol: Protocol) -> None:
        assert Part(protocol).port is None
        with pytest.raises(EndpointError):
            Part(protocol, 443)

    @pytest.mark.parametrize("port", [0, 65_536, -1])
    def test_have_a_port_in_range(self, port: int) -> None:
        with pytest.raises(EndpointError):
            Part(Protocol.UDP, port)

    @given(st.lists(PARTS, min_size=1, max_size=8))
    def test_stand_in_one_order_and_none_is_within_another(self, parts: list[Part]) -> None:
        ordered = in_order(parts)
        assert ordered == in_order(reversed(parts)) == parse_parts(format_parts(parts))
        assert not any(one.overlaps(other) for one in ordered for other in ordered if one != other)
        assert all(any(one.covers(part) for one in ordered) for part in parts)


class TestEndpoint:
    def test_says_what_it_is(self) -> None:
        assert str(an_endpoint("udp 51820")) == "203.0.113.24 udp 51820"
        assert str(an_endpoint("esp, udp 4500, udp 500")) == "203.0.113.24 udp 500, udp 4500, esp"
        assert str(Endpoint(parse_block("203.0.113.0/28"), parse_parts("any, esp"))) == "203.0.113.0/28 any"

    def test_overlaps_where_a_packet_could_be_to_both(self) -> None:
        openvpn = an_endpoint("udp 1194")
        assert openvpn.overlaps(an_endpoint("udp 1194", "203.0.113.0/24"))
        assert openvpn.overlaps(an_endpoint("udp"))
        assert openvpn.overlaps(an_endpoint("any"))
        assert not openvpn.overlaps(an_endpoint("tcp 1194"))
        assert not openvpn.overlaps(an_endpoint("udp 51820"))
        assert not openvpn.overlaps(an_endpoint("udp 1194", "203.0.113.25"))
        assert an_endpoint("udp 500, udp 4500, esp").overlaps(an_endpoint("udp 1701, udp 4500"))


def an_endpoint(parts: str, block: str = "203.0.113.24") -> Endpoint:
    return Endpoint(parse_block(block), parse_parts(parts))
