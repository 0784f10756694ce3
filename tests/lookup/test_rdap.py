"""RDAP as the RFCs have it: 7480 (HTTP), 9082 (questions), 9083 (answers), 9537 (redaction), and cidr0."""

import datetime as dt
import ipaddress
import re
from pathlib import Path
from typing import Any

import pytest

from rahdari.lookup.app import Lookup
from rahdari.lookup.rdap import Server
from tests.lookup.feeds import DAY, HOUR, NOW, Answer, Feed, an_entry, ask, opened

SERVER = Server("https://feed.example", "Sample Authority", "help@authority.example", "https://authority.example/docs")
# RFC 9083: 10.2.1 (notices), 10.2.2 (status), 10.2.3 (events), 10.2.4 (roles): the values that are used here.
STATUS, ROLES = {"active"}, {"registrar"}
EVENTS = {"registration", "expiration", "last update of RDAP database"}


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    return Feed(tmp_path)


@pytest.fixture
def lookup(feed: Feed) -> Lookup:
    entries = [
        an_entry("203.0.113.7/32", "udp", 1194, id="1" * 32),
        an_entry("203.0.113.7/32", "esp", id="2" * 32, not_before=NOW - 2 * DAY, not_after=NOW + 40 * DAY),
        an_entry("203.0.113.0/28", id="3" * 32),
        an_entry("2001:db8:1::/48", "tcp", 443, id="4" * 32),
    ]
    feed.let_in("sample-one", feed.streams(entries))
    feed.publish()
    return opened(feed, server=SERVER)


def check_object(value: dict[str, Any]) -> None:
    """What RFC 9083 demands of any answer, and of whatever stands in it."""
    conformance = value["rdapConformance"]
    assert conformance[0] == "rdap_level_0"
    assert len(set(conformance)) == len(conformance)
    for name in value:
        prefix, mark, _ = name.partition("_")
        assert not mark or prefix in conformance
    for notice in value["notices"]:
        assert isinstance(notice["title"], str)
        assert notice["description"]
        assert all(isinstance(line, str) for line in notice["description"])
        for link in notice.get("links", []):
            check_link(link)
    if "redacted" in value:
        assert "redacted" in conformance
        assert value["redacted"]
        for redaction in value["redacted"]:
            check_redaction(redaction)


def check_link(link: dict[str, str]) -> None:
    assert {"value", "rel", "href"} <= link.keys() <= {"value", "rel", "href", "type", "title", "media", "hreflang"}
    assert all(link[name].startswith("https://") for name in ("value", "href"))


def check_redaction(redaction: dict[str, Any]) -> None:
    """RFC 9537, 4.2: a removal tells the path before it, and no path after it."""
    assert redaction.keys() == {"name", "prePath", "pathLang", "method", "reason"}
    assert list(redaction["name"]) == ["description"]
    assert redaction["method"] == "removal"
    assert redaction["pathLang"] == "jsonpath"
    assert redaction["prePath"].startswith("$.")
    assert list(redaction["reason"]) == ["description"]


def check_entity(entity: dict[str, Any]) -> None:
    assert entity["objectClassName"] == "entity"
    assert set(entity["roles"]) <= ROLES
    kind, card = entity["vcardArray"]
    assert kind == "vcard"
    assert card[0] == ["version", {}, "text", "4.0"]
    # RFC 7095: name, parameters, type, value; and `fn` is there.
    assert all(len(row) == 4 and isinstance(row[1], dict) for row in card)
    assert [row for row in card if row[0] == "fn"]
    for link in entity["links"]:
        check_link(link)


def check_network(value: dict[str, Any]) -> None:
    check_object(value)
    assert value["objectClassName"] == "ip network"
    assert re.fullmatch("[0-9a-f]{32}", value["handle"])
    start, end = (ipaddress.ip_address(value[name]) for name in ("startAddress", "endAddress"))
    assert value["ipVersion"] == f"v{start.version}" == f"v{end.version}"
    assert set(value["status"]) <= STATUS
    [prefix] = value["cidr0_cidrs"]
    named = ipaddress.ip_network(f"{prefix[f'v{start.version}prefix']}/{prefix['length']}")
    assert (named[0], named[-1]) == (start, end)
    assert prefix.keys() == {f"v{start.version}prefix", "length"}
    assert {event["eventAction"] for event in value["events"]} == EVENTS
    for event in value["events"]:
        # RFC 3339.
        assert dt.datetime.fromisoformat(event["eventDate"]).tzinfo is not None
        assert event.keys() == {"eventAction", "eventDate"}
    [itself] = [link for link in value["links"] if link["rel"] == "self"]
    assert itself["type"] == "application/rdap+json"
    assert itself["href"] == itself["value"]
    check_link(itself)
    for entity in value["entities"]:
        check_entity(entity)
    for entry in value["rahdari0_entries"]:
        assert entry.keys() == {"id", "protocol", "port", "notBefore", "notAfter", "keptStale"}


def check_error(answer: Answer, status: int) -> dict[str, Any]:
    """RFC 9083, 6."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/rdap+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    value = dict(answer.json())
    check_object(value)
    assert value["errorCode"] == status
    assert isinstance(value["title"], str)
    assert all(isinstance(line, str) for line in value["description"])
    assert "objectClassName" not in value
    return value


class TestNetwork:
    @pytest.mark.parametrize(
        ("asked", "start", "end"),
        [
            ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
            ("203.0.113.7/32", "203.0.113.7", "203.0.113.7"),
            ("203.0.113.8", "203.0.113.0", "203.0.113.15"),
            ("203.0.113.8/29", "203.0.113.0", "203.0.113.15"),
            ("203.0.113.0/28", "203.0.113.0", "203.0.113.15"),
            ("2001:db8:1::5", "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"),
            ("2001:DB8:1:0::/64", "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"),
        ],
    )
    def test_is_the_smallest_that_holds_all_that_was_asked(
        self, lookup: Lookup, asked: str, start: str, end: str
    ) -> None:
        answer = ask(lookup, f"/rdap/ip/{asked}")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/rdap+json")
        check_network(answer.json())
        assert (answer.json()["startAddress"], answer.json()["endAddress"]) == (start, end)

    def test_tells_of_every_entry_on_it_and_of_no_holder(self, lookup: Lookup) -> None:
        found = ask(lookup, "/rdap/ip/203.0.113.7").json()
        # The one that began first gives the handle.
        assert found["handle"] == "2" * 32
        assert [(entry["protocol"], entry["port"]) for entry in found["rahdari0_entries"]] == [
            ("esp", None),
            ("udp", 1194),
        ]
        events = {event["eventAction"]: event["eventDate"] for event in found["events"]}
        assert events["registration"] == "2026-11-23T12:00:00Z"
        assert events["expiration"] == "2027-01-04T12:00:00Z"
        assert events["last update of RDAP database"] == "2026-11-25T12:00:00Z"
        [entity] = found["entities"]
        assert (entity["handle"], entity["roles"]) == ("AUTHORITY", ["registrar"])
        assert "registrant" in found["redacted"][0]["prePath"]
        assert found["links"][0]["href"] == "https://feed.example/rdap/ip/203.0.113.7"
        wider = ask(lookup, "/rdap/ip/203.0.113.8").json()
        assert wider["links"][0]["href"] == "https://feed.example/rdap/ip/203.0.113.0/28"

    def test_says_what_is_kept_though_it_ended(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams([an_entry("203.0.113.7/32", not_after=NOW + 2 * HOUR)]))
        feed.publish(lasts=HOUR)
        [entry] = ask(opened(feed, now=NOW + 3 * HOUR), "/rdap/ip/203.0.113.7").json()["rahdari0_entries"]
        assert entry["keptStale"] is True

    def test_says_what_it_was_taken_from(self, lookup: Lookup) -> None:
        headers = ask(lookup, "/rdap/ip/203.0.113.7").headers
        assert headers["rahdari-edition"] == "static=0 dynamic=0 canary=0"
        assert (headers["access-control-allow-origin"], headers["cache-control"]) == ("*", "no-store")

    def test_that_is_not_there_is_a_404(self, lookup: Lookup) -> None:
        for asked in ("203.0.113.16", "203.0.112.0/20", "::1", "2001:db8::/32"):
            check_error(ask(lookup, f"/rdap/ip/{asked}"), 404)

    @pytest.mark.parametrize(
        "asked", ["", "nonsense", "203.0.113.7/33", "203.0.113.7/24", "203.0.113.0-203.0.113.7", "::ffff:203.0.113.7"]
    )
    def test_that_is_none_is_a_400(self, lookup: Lookup, asked: str) -> None:
        check_error(ask(lookup, f"/rdap/ip/{asked}"), 400)


class TestEntity:
    def test_is_the_authority_and_nobody_else(self, lookup: Lookup) -> None:
        answer = ask(lookup, "/rdap/entity/AUTHORITY")
        assert answer.status == 200
        check_object(answer.json())
        check_entity(answer.json())
        assert ["fn", {}, "text", "Sample Authority"] in answer.json()["vcardArray"][1]
        assert ["email", {}, "text", "help@authority.example"] in answer.json()["vcardArray"][1]
        for handle in ("1" * 32, "", "sample-one", "Sample Freelancer 31"):
            check_error(ask(lookup, f"/rdap/entity/{handle}"), 404)


class TestServer:
    def test_helps_anybody(self, lookup: Lookup) -> None:
        answer = ask(lookup, "/rdap/help", token=None)
        assert answer.status == 200
        check_object(answer.json())
        assert answer.json()["rdapConformance"] == ["rdap_level_0", "cidr0", "redacted", "rahdari0"]

    @pytest.mark.parametrize("asked", ["domain/sample.example", "autnum/64496", "nameserver/ns.example", "ips?name=x"])
    def test_says_which_classes_it_does_not_have(self, lookup: Lookup, asked: str) -> None:
        check_error(ask(lookup, f"/rdap/{asked}"), 501)

    @pytest.mark.parametrize("asked", ["", "nonsense", "ipv4/203.0.113.7", "ip", "help/me"])
    def test_does_not_understand_other_questions(self, lookup: Lookup, asked: str) -> None:
        check_error(ask(lookup, f"/rdap/{asked}"), 400)

    def test_answers_head_and_preflight_and_refuses_other_methods(self, lookup: Lookup) -> None:
        assert ask(lookup, "/rdap/ip/203.0.113.7", method="HEAD").status == 200
        before = ask(lookup, "/rdap/ip/203.0.113.7", method="OPTIONS", token=None)
        assert (before.status, before.body) == (204, b"")
        assert before.headers["access-control-allow-headers"] == "authorization"
        # Whatever is asked, registered or not, a preflight is answered alike.
        assert ask(lookup, "/rdap/ip/203.0.113.99", method="OPTIONS", token=None) == before
        for method in ("POST", "PUT", "DELETE"):
            refused = ask(lookup, "/rdap/ip/203.0.113.7", method=method)
            check_error(refused, 405)
            assert refused.headers["allow"] == "GET, HEAD, OPTIONS"

    def test_says_when_to_come_again(self, feed: Feed) -> None:
        feed.let_in("sample-one", feed.streams())
        feed.publish()
        lookup = opened(feed, server=SERVER, per_second=0.25)
        check_error(ask(lookup, "/rdap/ip/203.0.113.7"), 404)
        refused = ask(lookup, "/rdap/ip/203.0.113.7")
        check_error(refused, 429)
        assert refused.headers["retry-after"] == "4"
        assert "retry-after" in refused.headers["access-control-expose-headers"]
