"""Programs of others that speak RDAP, against the real process."""

import ipaddress
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
import whodap
import whoisit
import whoisit.errors
from ipwhois.rdap import _RDAPEntity, _RDAPNetwork
from whoisit.bootstrap import BaseBootstrap

from tests.lookup.feeds import TOKEN, Feed, an_entry
from tests.lookup.process import asking, looking_up
from tests.lookup.test_process import lasting, now

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("rdap")
    feed = Feed(folder / "data")
    entries = [
        an_entry("203.0.113.0/28", "udp", 1194, id="1" * 32, **lasting("")),
        an_entry("2001:db8:1::7/128", "tcp", 443, id="2" * 32, **lasting("")),
    ]
    feed.let_in("sample-one", feed.streams(entries))
    feed.publish(now=now())
    settings = {"RAHDARI_LOOKUP_AUTHORITY": "Sample Authority", "RAHDARI_CONTACT": "help@authority.example"}
    with looking_up(feed.data, folder / "log", **settings) as (_, port):
        yield f"http://127.0.0.1:{port}/rdap/"


class TestWhoisit:
    """Finding a server by itself it refuses addresses for documentation, so it is told which one to ask."""

    @pytest.fixture
    def session(self, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
        monkeypatch.setitem(BaseBootstrap.RIR_RDAP_ENDPOINTS, "sample", url)
        served = {"ipv4": "203.0.113.0/24", "ipv6": "2001:db8::/32", "asn": "64496-64511", "dns": "example"}
        known: dict[str, Any] = {name: {"services": [[[what], [url]]]} for name, what in served.items()}
        # The form of its own: a contact stands before the names.
        known |= {"object": {"services": [[["help@authority.example"], ["SAMPLE"], [url]]]}}
        whoisit.load_bootstrap_data(known | {"timestamp": int(now().timestamp())}, allow_insecure=True, from_json=False)
        with requests.Session() as session:
            session.headers.update(BEARER)
            yield session
        whoisit.clear_bootstrapping()

    def test_reads_a_network(self, session: requests.Session) -> None:
        found = whoisit.ip("203.0.113.7", rir="sample", session=session)
        assert found["handle"] == "1" * 32
        assert found["network"] == ipaddress.ip_network("203.0.113.0/28")
        assert (found["ip_version"], found["status"]) == (4, ["active"])
        assert found["registration_date"] < now() < found["expiration_date"]
        [authority] = found["entities"]["registrar"]
        assert (authority["name"], authority["email"]) == ("Sample Authority", "help@authority.example")
        assert whoisit.ip("2001:db8:1::7", rir="sample", session=session)["network"] == ipaddress.ip_network(
            "2001:db8:1::7/128"
        )

    def test_reads_errors(self, session: requests.Session) -> None:
        with pytest.raises(whoisit.errors.ResourceDoesNotExist):
            whoisit.ip("203.0.113.99", rir="sample", session=session)
        with requests.Session() as unknown, pytest.raises(whoisit.errors.ResourceAccessDeniedError):
            whoisit.ip("203.0.113.7", rir="sample", session=unknown)


class TestWhodap:
    def test_reads_a_network(self, url: str) -> None:
        with httpx2.Client(headers=BEARER) as http:
            four = whodap.IPv4Client(http)
            four.iana_ipv4_server_map = {ipaddress.IPv4Network("203.0.113.0/24"): url}
            found = four.lookup("203.0.113.7")
            assert (found.handle, str(found.startAddress), str(found.endAddress)) == (
                "1" * 32,
                "203.0.113.0",
                "203.0.113.15",
            )
            assert found.rdapConformance == ["rdap_level_0", "cidr0", "redacted", "rahdari0"]
            assert found.rahdari0_entries[0].port == 1194
            six = whodap.IPv6Client(http)
            six.iana_ipv6_server_map = {ipaddress.IPv6Network("2001:db8::/32"): url}
            assert str(six.lookup("2001:db8:1::7").endAddress) == "2001:db8:1::7"
            with pytest.raises(whodap.errors.NotFoundError):
                four.lookup("203.0.113.99")


class TestIpwhois:
    """Its reader of answers: asking itself it refuses addresses for documentation."""

    def test_reads_a_network_and_an_entity(self, url: str) -> None:
        port = int(url.split(":")[2].split("/")[0])
        with asking(port, "/rdap/ip/203.0.113.7", **BEARER) as answer:
            network = _RDAPNetwork(json.load(answer))
        network.parse()
        assert network.vars["handle"] == "1" * 32
        assert network.vars["cidr"] == "203.0.113.0/28"
        assert network.vars["ip_version"] == "v4"
        assert network.vars["status"] == ["active"]
        assert {event["action"] for event in network.vars["events"]} == {
            "registration",
            "expiration",
            "last update of RDAP database",
        }
        with asking(port, "/rdap/entity/AUTHORITY", **BEARER) as answer:
            entity = _RDAPEntity(json.load(answer))
        entity.parse()
        assert entity.vars["contact"]["name"] == "Sample Authority"
        assert entity.vars["contact"]["kind"] == "org"


def test_the_answer_stands_on_its_own(url: str, tmp_path: Path) -> None:
    """Whoever has one knows where it is from."""
    port = int(url.split(":")[2].split("/")[0])
    with asking(port, "/rdap/ip/203.0.113.7", **BEARER) as answer:
        assert json.load(answer)["links"][0]["href"] == f"{url}ip/203.0.113.0/28"
