import ipaddress

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from rahdari.web import visitor

PROXY = ["192.0.2.0/24", "2001:db8:f::/48"]
OUTSIDE = st.ip_addresses().filter(
    lambda found: (
        not any(found in ipaddress.ip_network(text) for text in PROXY)
        and not (found.version == 6 and found.ipv4_mapped)
    )
)


class TestFromChain:
    @given(connection=OUTSIDE, forwarded=st.text(max_size=60))
    def test_believes_no_header_that_comes_straight_from_a_visitor(
        self, connection: visitor.Address, forwarded: str
    ) -> None:
        assert visitor.from_chain(str(connection), forwarded, PROXY) == connection
        assert visitor.from_chain(str(connection), forwarded, []) == connection

    @given(client=OUTSIDE, invented=st.lists(OUTSIDE, max_size=4))
    def test_takes_what_the_trusted_proxy_saw_whatever_the_client_wrote(
        self, client: visitor.Address, invented: list[visitor.Address]
    ) -> None:
        header = ", ".join(map(str, [*invented, client]))
        assert visitor.from_chain("192.0.2.10", header, PROXY) == client
        assert visitor.from_chain("192.0.2.10", f"{header}, 2001:db8:f::2", PROXY) == client

    @given(st.text(alphabet="0123456789abcdef.:, []%/xyz", max_size=40))
    def test_always_answers_with_one_address(self, header: str) -> None:
        assert isinstance(
            visitor.from_chain("192.0.2.10", header, PROXY), ipaddress.IPv4Address | ipaddress.IPv6Address
        )

    @pytest.mark.parametrize(
        "header", ["unknown", "203.0.113.24:4711", "203.0.113.24, , ", "203.0.113.24, _hidden", "<script>", ","]
    )
    def test_falls_back_on_the_connection_when_the_header_is_malformed(self, header: str) -> None:
        assert str(visitor.from_chain("192.0.2.10", header, PROXY)) == "192.0.2.10"

    def test_looks_no_further_than_the_client(self) -> None:
        # What stands left of the first untrusted address may be anything: it is never read.
        assert str(visitor.from_chain("192.0.2.10", "nonsense, 203.0.113.24", PROXY)) == "203.0.113.24"

    def test_unwraps_an_ipv4_visitor_on_a_dual_stack_socket(self) -> None:
        assert str(visitor.from_chain("::ffff:203.0.113.24", "", PROXY)) == "203.0.113.24"
        assert str(visitor.from_chain("::ffff:192.0.2.10", "::ffff:203.0.113.24", PROXY)) == "203.0.113.24"

    def test_is_nowhere_without_a_connection_address(self) -> None:
        assert visitor.from_chain("", "203.0.113.24", PROXY) == visitor.NOWHERE


class TestHousehold:
    def test_is_one_ipv4_address_or_one_ipv6_subscriber(self, settings) -> None:  # type: ignore[no-untyped-def]
        settings.TRUSTED_PROXIES = []
        factory = RequestFactory()
        assert visitor.household(factory.get("/", REMOTE_ADDR="203.0.113.24")) == "203.0.113.24"
        first = visitor.household(factory.get("/", REMOTE_ADDR="2001:db8:1:2::1"))
        assert first == visitor.household(factory.get("/", REMOTE_ADDR="2001:db8:1:2:ffff::9")) == "2001:db8:1:2::/64"
