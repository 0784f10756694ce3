"""Endpoints: protocol and port go together or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import Endpoint, EndpointError, EndpointFault, Protocol, parse_block, parse_port, parse_protocol

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


class TestEndpoint:
    @pytest.mark.parametrize("protocol", [Protocol.ANY, Protocol.ESP, Protocol.GRE])
    def test_has_no_port_without_udp_or_tcp(self, protocol: Protocol) -> None:
        assert Endpoint(BLOCK, protocol).port is None
        with pytest.raises(EndpointError):
            Endpoint(BLOCK, protocol, 443)

    @pytest.mark.parametrize("port", [0, 65_536, -1])
    def test_has_a_port_in_range(self, port: int) -> None:
        with pytest.raises(EndpointError):
            Endpoint(BLOCK, Protocol.UDP, port)

    def test_says_what_it_is(self) -> None:
        assert str(Endpoint(BLOCK, Protocol.UDP, 51820)) == "203.0.113.24 udp 51820"
        assert str(Endpoint(parse_block("203.0.113.0/28"), Protocol.ANY)) == "203.0.113.0/28 any"

    def test_overlaps_where_a_packet_could_be_to_both(self) -> None:
        openvpn = Endpoint(BLOCK, Protocol.UDP, 1194)
        assert openvpn.overlaps(Endpoint(parse_block("203.0.113.0/24"), Protocol.UDP, 1194))
        assert openvpn.overlaps(Endpoint(BLOCK, Protocol.UDP))
        assert openvpn.overlaps(Endpoint(BLOCK, Protocol.ANY))
        assert not openvpn.overlaps(Endpoint(BLOCK, Protocol.TCP, 1194))
        assert not openvpn.overlaps(Endpoint(BLOCK, Protocol.UDP, 51820))
        assert not openvpn.overlaps(Endpoint(parse_block("203.0.113.25"), Protocol.UDP, 1194))
