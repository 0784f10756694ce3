"""What runs at an address: each service whole, however it is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import MOST_PARTS, EndpointError, EndpointFault, Part, Protocol, format_parts, parse_parts, vpn
from rahdari.address.vpn import VPN_SERVICES

IPSEC = "udp 500, udp 4500, esp"
KEYS = st.sampled_from(sorted(VPN_SERVICES))


class TestPartsOf:
    @pytest.mark.parametrize(
        ("key", "parts"),
        [
            ("wireguard", "udp 51820"),
            ("openvpn_udp", "udp 1194"),
            ("openvpn_tcp", "tcp 443"),
            ("ikev2", IPSEC),
            ("ikev2_nat", IPSEC),
            ("l2tp", "udp 500, udp 1701, udp 4500, esp"),
            ("sstp", "tcp 443"),
            ("anyconnect", "tcp 443, udp 443"),
            ("pptp", "tcp 1723, gre"),
            ("gre", "gre"),
            ("any", "any"),
        ],
    )
    def test_are_all_that_the_service_needs(self, key: str, parts: str) -> None:
        assert format_parts(vpn.parts_of(key)) == parts

    @pytest.mark.parametrize(
        ("key", "ports", "parts"),
        [
            ("wireguard", [51821, 51820], "udp 51820, udp 51821"),
            ("anyconnect", [8443], "tcp 8443, udp 8443"),
            ("ikev2", [500], IPSEC),
            ("ikev2", [4500, 500], IPSEC),
            ("l2tp", [1701], "udp 500, udp 1701, udp 4500, esp"),
        ],
    )
    def test_are_at_the_ports_that_were_given(self, key: str, ports: list[int], parts: str) -> None:
        assert format_parts(vpn.parts_of(key, ports=ports)) == parts

    @pytest.mark.parametrize(
        ("key", "ports", "reason"),
        [
            ("ikev2", [5000], "ports_are_fixed"),
            ("pptp", [443], "ports_are_fixed"),
            ("gre", [47], "port_without_protocol"),
            ("any", [443], "port_without_protocol"),
            ("anyconnect", range(1, MOST_PARTS), "too_many"),
            ("other", [], "protocol_unknown"),
        ],
    )
    def test_are_not_what_cannot_be(self, key: str, ports: list[int], reason: str) -> None:
        with pytest.raises(EndpointError) as caught:
            vpn.parts_of(key, ports=ports)
        assert caught.value.reason is EndpointFault(reason)

    @pytest.mark.parametrize("port", [500, 4500])
    def test_of_another_protocol_are_the_whole_where_one_part_says_which(self, port: int) -> None:
        assert format_parts(vpn.parts_of("other", protocol=Protocol.UDP, ports=[port])) == IPSEC
        assert format_parts(vpn.parts_of("other", protocol=Protocol.UDP, ports=[5000])) == "udp 5000"
        assert format_parts(vpn.parts_of("other", protocol=Protocol.UDP)) == "udp"

    def test_of_wireguard_at_the_port_of_another_are_its_own(self) -> None:
        assert format_parts(vpn.parts_of("wireguard", ports=[4500])) == "udp 4500"


class TestCompleted:
    @given(st.lists(KEYS, min_size=1, max_size=3))
    def test_adds_nothing_to_what_is_whole(self, keys: list[str]) -> None:
        parts = [part for key in keys for part in vpn.parts_of(key)]
        assert vpn.completed(vpn.completed(parts)) == vpn.completed(parts)

    @given(KEYS)
    def test_makes_the_whole_of_every_sign(self, key: str) -> None:
        service = VPN_SERVICES[key]
        for sign in service.signs:
            assert set(service.parts) <= set(vpn.completed([sign]))


class TestInAForm:
    @given(KEYS, st.sets(st.integers(1, 65_535), max_size=5))
    def test_what_was_asked_for_is_asked_for_again(self, key: str, ports: set[int]) -> None:
        service = VPN_SERVICES[key]
        parts = vpn.parts_of(key, ports=ports if service.at_own_ports else ())
        again, _protocol, text = vpn.asked_as(key, parts)
        given_ports = [int(each) for each in text.replace("-", ",").split(",")] if text and "-" not in text else None
        assert again == key
        assert (text == "") == (parts == service.parts)
        assert given_ports is None or sorted(given_ports) == list(vpn.ports_of(parts))

    @given(KEYS)
    def test_a_service_is_known_by_its_parts(self, key: str) -> None:
        parts = vpn.parts_of(key)
        assert vpn.parts_of(vpn.service_with(parts)) == parts

    def test_ports_of_their_own_are_another_protocol_unless_two_go_together(self) -> None:
        assert vpn.service_with([Part(Protocol.UDP, 51821)]) == "other"
        assert vpn.service_with(parse_parts("tcp 8443, udp 8443")) == "anyconnect"
        assert vpn.asked_as("other", [Part(Protocol.UDP, 51821)]) == ("other", "udp", "51821")


class TestInWords:
    @pytest.mark.parametrize(
        ("parts", "words"),
        [
            (IPSEC, "IKEv2 UDP 500, 4500 + ESP"),
            ("udp 51820", "WireGuard UDP 51820"),
            ("udp 51821", "UDP 51821"),
            ("tcp 443", "TCP 443"),
            ("tcp 443, udp 443", "AnyConnect TCP 443 + UDP 443"),
            ("udp 1194, udp 1200, udp 1201, udp 1202", "UDP 1194, 1200-1202"),
            ("gre", "GRE"),
            ("any", ""),
        ],
    )
    def test_names_the_service_where_only_one_fits(self, parts: str, words: str) -> None:
        assert vpn.in_words(parse_parts(parts)) == words

    def test_names_the_one_that_was_chosen(self) -> None:
        assert vpn.in_words(parse_parts("tcp 443"), "sstp") == "SSTP TCP 443"
        assert vpn.in_columns(parse_parts(IPSEC)) == ("udp + esp", "500, 4500")
