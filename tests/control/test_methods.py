"""What fits an endpoint, what is read from what people paste, and what counts: pure."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.address import Part, Protocol, parse_parts, vpn
from rahdari.control import methods, rules
from rahdari.control.models import Method
from rahdari.probe import wireguard
from tests.probe.certificates import an_identity

V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
WEIGHTS = st.integers(0, 5)


class TestFitting:
    @given(st.sampled_from(["udp", "tcp", "esp", "gre", "any"]), st.none() | st.integers(1, 65535))
    def test_names_each_way_once_and_only_ways_with_a_page(self, protocol: str, port: int | None) -> None:
        part = Part(Protocol(protocol), port if Protocol(protocol).has_ports else None)
        found = methods.fitting("other", [part])
        assert len(set(found)) == len(found) <= 3
        assert set(found) <= set(methods.LOOKED_AT)

    @given(st.sampled_from(methods.LOOKED_AT), st.sampled_from(["udp", "tcp", "esp", "any"]), st.integers(1, 65535))
    def test_always_has_a_port_to_begin_with(self, method: Method, protocol: str, port: int) -> None:
        part = Part(Protocol(protocol), port if Protocol(protocol).has_ports else None)
        assert 1 <= methods.usual_port(method, [part]) <= 65535

    @given(st.sampled_from(sorted(vpn.VPN_SERVICES)))
    def test_knows_every_service(self, runs: str) -> None:
        parts = vpn.parts_of(runs)
        assert set(methods.fitting(runs, parts)) <= set(methods.LOOKED_AT)
        assert {methods.usual_port(method, parts) for method in methods.fitting(runs, parts)} <= set(
            vpn.ports_of(parts)
        )

    def test_begins_with_the_registered_port_where_it_can_be_that_programs(self) -> None:
        assert methods.usual_port(Method.WIREGUARD, parse_parts("udp 4242")) == 4242
        assert methods.usual_port(Method.WIREGUARD, parse_parts("tcp 443")) == 51820
        assert methods.usual_port(Method.OPENVPN, parse_parts("tcp 443")) == 443
        assert methods.usual_port(Method.IKEV2, parse_parts("udp 4500")) == 500
        assert methods.usual_port(Method.SSTP, parse_parts("any")) == 443


class TestFingerprint:
    def test_of_a_certificate_in_any_form_is_the_same(self, tmp_path: Path) -> None:
        server = an_identity(tmp_path, "vpn.sample.example")
        pem = server.certificate.read_text()
        other = an_identity(tmp_path, "authority.sample.example").certificate.read_text()
        colons = server.fingerprint.upper()
        for given_form in (pem, f"Bag Attributes\n{pem}\n{other}", server.der, colons, f"SHA256 Fingerprint={colons}"):
            assert methods.fingerprint_of(given_form) == server.fingerprint

    def test_of_a_private_key_is_refused_as_one(self, tmp_path: Path) -> None:
        with pytest.raises(methods.NoCertificate) as refused:
            methods.fingerprint_of(an_identity(tmp_path, "x.example").key.read_text())
        assert refused.value.reason == "private_key"

    @given(st.text(max_size=80) | st.binary(max_size=80))
    def test_of_anything_else_is_refused_and_nothing_breaks(self, text: str | bytes) -> None:
        with pytest.raises(methods.NoCertificate):
            methods.fingerprint_of(text)

    def test_of_a_broken_certificate_is_refused(self) -> None:
        for text in (
            "-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----",
            b"0\x82",
        ):
            with pytest.raises(methods.NoCertificate):
                methods.fingerprint_of(text)


class TestPublicKey:
    def test_is_found_in_the_line_around_it(self) -> None:
        key = wireguard.new_key()[1]
        for text in (key, f"  {key}\n", f"PublicKey = {key}", f"  public key: {key}\n  private key: (hidden)"):
            assert methods.public_key_of(text) == key

    def test_is_the_one_that_is_named_so(self) -> None:
        private, public = wireguard.new_key()
        text = f"[Interface]\nPrivateKey = {private}\n[Peer]\nPublicKey = {public}"
        assert methods.public_key_of(text) == public
        assert methods.names_a_private_key(text)

    @given(st.text(max_size=100))
    def test_is_none_in_anything_else(self, text: str) -> None:
        found = methods.public_key_of(text)
        assert found is None or (len(found) == 44 and found in text)


class TestWhatCounts:
    ADDRESS, RANGE = ipaddress.ip_network("203.0.113.24/32"), ipaddress.ip_network("203.0.113.24/29")

    def part(self, method: str, weight: int, at: str = "203.0.113.24") -> rules.Part:
        return rules.Part(method, ipaddress.ip_address(at), weight)

    def test_for_an_address_is_each_way_once(self) -> None:
        parts = [self.part("dns", 1), self.part("dns", 1), self.part("http", 2)]
        assert rules.comes_to(self.ADDRESS, parts) == 3

    def test_for_a_range_is_each_address_once_whatever_the_ways(self) -> None:
        same = [self.part("link", 1), self.part("wireguard", 1)]
        assert rules.comes_to(self.RANGE, same) == 1
        assert rules.comes_to(self.RANGE, [*same, self.part("link", 1, "203.0.113.30")]) == 2

    def test_for_ipv6_is_each_64_once(self) -> None:
        wide = ipaddress.ip_network("2001:db8:24::/56")
        near = [self.part("link", 1, "2001:db8:24:1::1"), self.part("link", 1, "2001:db8:24:1::2")]
        assert rules.comes_to(wide, near) == 1
        assert rules.comes_to(wide, [*near, self.part("link", 1, "2001:db8:24:2::1")]) == 2

    @pytest.mark.parametrize(
        ("block", "is_range"),
        [
            ("203.0.113.24/32", False),
            ("203.0.113.24/31", True),
            ("2001:db8::1/128", False),
            ("2001:db8:24:1::/64", False),
            ("2001:db8:24::/56", True),
        ],
    )
    def test_takes_one_line_as_one_address(self, block: str, is_range: bool) -> None:
        assert rules.is_range(ipaddress.ip_network(block)) is is_range

    @given(st.lists(st.tuples(st.sampled_from(["link", "http", "dns"]), V4, WEIGHTS)), st.booleans())
    def test_is_never_less_for_more_and_never_more_than_the_sum(
        self, found: list[tuple[str, ipaddress.IPv4Address, int]], is_range: bool
    ) -> None:
        block = self.RANGE if is_range else self.ADDRESS
        parts = [rules.Part(*each) for each in found]
        total = rules.comes_to(block, parts)
        assert total <= sum(part.weight for part in parts)
        assert all(rules.comes_to(block, parts[:end]) <= total for end in range(len(parts)))
        assert rules.comes_to(block, parts + parts) == total
