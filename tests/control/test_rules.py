import datetime as dt
import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rahdari.control import rules
from rahdari.vault import links

BLOCK = ipaddress.ip_network("203.0.113.24/32")
tokens = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=links.LENGTH, max_size=links.LENGTH)
addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@st.composite
def blocks(draw: st.DrawFn) -> rules.Block:
    # A mapped IPv6 address is no block: address.parse_block refuses it.
    address = draw(addresses.filter(lambda each: getattr(each, "ipv4_mapped", None) is None))
    length = draw(st.integers(address.max_prefixlen - 12, address.max_prefixlen))
    return ipaddress.ip_network((address, length), strict=False)


class TestCovers:
    @given(blocks(), st.data())
    def test_is_true_for_every_address_of_the_block(self, block: rules.Block, data: st.DataObject) -> None:
        step = data.draw(st.integers(0, block.num_addresses - 1))
        assert rules.covers(block, block.network_address + step)

    @given(blocks(), addresses)
    def test_is_false_for_every_other(self, block: rules.Block, address: rules.Address) -> None:
        assert rules.covers(block, address) == (
            address.version == block.version and block.network_address <= address <= block.broadcast_address
        ) or getattr(address, "ipv4_mapped", None)

    @given(st.ip_addresses(v=4))
    def test_takes_an_ipv4_address_in_ipv6_clothes_for_what_it_is(self, address: ipaddress.IPv4Address) -> None:
        mapped = ipaddress.ip_address(f"::ffff:{address}")
        assert rules.covers(ipaddress.ip_network(address), mapped)
        assert rules.plain_address(mapped) == address

    def test_tells_another_family_from_another_network(self) -> None:
        assert rules.why_not(BLOCK, ipaddress.ip_address("198.51.100.7")) == rules.ELSEWHERE
        assert rules.why_not(BLOCK, ipaddress.ip_address("2001:db8::7")) == rules.OTHER_FAMILY
        assert rules.why_not(BLOCK, ipaddress.ip_address("::ffff:198.51.100.7")) == rules.ELSEWHERE


# What opens links unattended, on whatever network: scanners, previews, and the libraries that web services fetch with.
FETCHERS = [
    "",
    "python-requests/2.32.5",
    "Go-http-client/1.1",
    "okhttp/4.12.0",
    "Java/21.0.1",
    "BarracudaCentral",
    "curl/7.29 Mimecast",
    "libcurl-agent/1.0",
    "Wget/1.25.0 (linux-gnu) scanner",
    "WhatsApp/2.23.20.0",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "TelegramBot (like TwitterBot)",
]


class TestOpening:
    @pytest.mark.parametrize(
        "agent", ["curl/8.14.1", "curl/7.29.0", "curl/8.5.0-DEV", "Wget/1.25.0", "Wget/1.20.3 (linux-gnu)", "Wget"]
    )
    def test_proves_by_curl_and_wget(self, agent: str) -> None:
        assert rules.proves_by_opening({"User-Agent": agent})

    @pytest.mark.parametrize("agent", [*FETCHERS, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"])
    def test_proves_nothing_by_anything_else(self, agent: str) -> None:
        assert not rules.proves_by_opening({"User-Agent": agent})

    @given(st.text())
    def test_proves_nothing_under_any_other_name(self, agent: str) -> None:
        assume(not agent.strip().startswith(("curl/", "Wget")))
        assert not rules.proves_by_opening({"User-Agent": agent})

    @pytest.mark.parametrize("header", ["Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Purpose"])
    def test_proves_nothing_by_a_browser_in_disguise(self, header: str) -> None:
        assert not rules.proves_by_opening({"User-Agent": "curl/8.14.1", header: "none"})
        assert not rules.is_program({"User-Agent": "curl/8.14.1", header: "none"})

    @pytest.mark.parametrize("site", [None, "none", "same-origin"])
    def test_by_somebody_is_told_to_the_applicant(self, site: str | None) -> None:
        assert rules.is_visit({"Sec-Fetch-Site": site} if site else {})

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "document"},
            {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"},
            {"Sec-Fetch-Dest": "empty"},
            {"Sec-Purpose": "prefetch;prerender"},
            {"Purpose": "prefetch"},
        ],
    )
    def test_by_another_page_or_ahead_of_time_is_not(self, headers: dict[str, str]) -> None:
        assert not rules.is_visit(headers)


class TestToken:
    @given(blocks())
    def test_is_looked_for_at_one_address_inside_the_block(self, block: rules.Block) -> None:
        asked = rules.address_to_ask(block)
        assert asked in block
        assert block.num_addresses <= 2 or asked != block.network_address

    def test_is_looked_for_less_and_less_often(self) -> None:
        waits = [rules.next_interval(looks) for looks in range(1, 200)]
        assert waits == sorted(waits)
        assert waits[0] == dt.timedelta(seconds=20)
        assert waits[-1] == rules.LONGEST_INTERVAL

    def test_is_looked_for_a_bounded_number_of_times_in_seven_days(self) -> None:
        passed, looks = dt.timedelta(0), 0
        while passed < dt.timedelta(days=7):
            looks += 1
            passed += rules.next_interval(looks)
        assert looks < rules.MOST_ATTEMPTS / 2
