"""Asking a regional registry who holds a block. The client of real registries and the made-up one keep one contract."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import cli
from rahdari.probe import registry
from rahdari.probe.registry import Answer, Found, RdapRegistry, Registries, Registry, SampleRegistry

BLOCK = ip_network("203.0.113.64/28")
RECORD = {
    "objectClassName": "ip network",
    "handle": "SAMPLE-1",
    "startAddress": "203.0.113.0",
    "endAddress": "203.0.113.255",
    "remarks": [{"description": ["Sample network", "rahdari=abc\nsecond line"]}, {"title": "no description"}],
    "entities": [
        {
            "objectClassName": "entity",
            "roles": ["abuse"],
            "vcardArray": ["vcard", [["email", {}, "text", "Abuse@Network.example"]]],
            "remarks": [{"description": ["rahdari=of-a-contact"]}],
        },
        {
            "roles": ["registrant"],
            "entities": [
                {
                    "roles": ["technical", "abuse"],
                    "vcardArray": ["vcard", [["fn", {}, "text", "NOC"], ["email", {}, "text", "noc@network.example"]]],
                }
            ],
        },
        {"roles": ["sponsor"], "vcardArray": ["vcard", [["email", {}, "text", "sponsor@network.example"]]]},
        {"roles": ["technical"], "vcardArray": ["vcard", [["email", {}, "text", "a@b.example\nBcc: x@y.example"]]]},
    ],
}
WIDER = RECORD | {"handle": "SAMPLE-0", "startAddress": "203.0.0.0", "remarks": [], "entities": []}
NARROWER = RECORD | {"handle": "SAMPLE-2", "startAddress": "203.0.113.64", "endAddress": "203.0.113.71"}


class Server(ThreadingHTTPServer):
    """A registry on loopback. `answers` is by path: a document, or a status with a place to go to."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                self.asked.append(handler.path)
                found = self.answers.get(handler.path, 404)
                status, location = found if isinstance(found, tuple) else (found, "")
                handler.send_response(status if isinstance(status, int) else 200)
                if location:
                    handler.send_header("Location", location)
                handler.end_headers()
                if not isinstance(status, int):
                    handler.wfile.write(found if isinstance(found, bytes) else json.dumps(found).encode())

            def log_message(handler, *arguments: Any) -> None:  # noqa: N805
                return

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/rdap/"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def client_of(server: Server, *others: str) -> RdapRegistry:
    services = (((ip_network("0.0.0.0/0"),), server.base), *(((), url) for url in others))
    return RdapRegistry(Registries(services), allowed_ranges=("127.0.0.0/8",))


Holding = Callable[..., Registry]


@pytest.fixture(params=["rdap", "sample"])
def holding(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Holding:
    """A registry that holds these records: over RDAP, or in the file of the made-up one."""

    def make(*records: Any) -> Registry:
        if request.param == "sample":
            (tmp_path / "records.json").write_text(json.dumps(records))
            return SampleRegistry(tmp_path / "records.json")
        holding = [each for each in records if registry._holds(registry._ends(each), BLOCK)]  # type: ignore[arg-type]
        if holding:
            narrowest = max(holding, key=lambda each: str(each["startAddress"]))
            server.answers[f"/rdap/ip/{BLOCK}"] = narrowest
        return client_of(server)

    return make


class TestBothRegistries:
    """The contract: whoever uses one may use the other."""

    def test_give_the_narrowest_record_that_holds_the_block(self, holding: Holding) -> None:
        answer = holding(WIDER, RECORD, NARROWER).ask(BLOCK)
        assert (answer.found, answer.handle) == (Found.RECORD, "SAMPLE-1")
        assert (answer.first, answer.last) == ("203.0.113.0", "203.0.113.255")

    def test_give_the_lines_of_the_network_and_of_nobody_else(self, holding: Holding) -> None:
        assert holding(RECORD).ask(BLOCK).lines == ("Sample network", "rahdari=abc", "second line")

    def test_give_each_contact_once_by_its_first_role(self, holding: Holding) -> None:
        found = [(each.role, each.address) for each in holding(RECORD).ask(BLOCK).contacts]
        assert found == [("technical", "noc@network.example"), ("abuse", "abuse@network.example")]

    def test_say_when_there_is_no_record(self, holding: Holding) -> None:
        assert holding().ask(BLOCK).found is Found.NO_RECORD

    def test_put_no_person_into_the_evidence(self, holding: Holding) -> None:
        answer = holding(RECORD).ask(BLOCK)
        assert "@" not in json.dumps(answer.as_data())
        assert answer.as_data()["handle"] == "SAMPLE-1"


class TestTheClient:
    @pytest.mark.parametrize(
        ("answer", "found"),
        [
            (404, Found.NO_RECORD),
            (429, Found.BUSY),
            (503, Found.BUSY),
            (500, Found.MALFORMED),
            (403, Found.MALFORMED),
            (b"<html>", Found.MALFORMED),
            (b"[]", Found.MALFORMED),
            ({"objectClassName": "entity"}, Found.MALFORMED),
            (NARROWER, Found.NOT_COVERED),
            (RECORD | {"endAddress": "2001:db8::"}, Found.MALFORMED),
            (RECORD | {"entities": "none", "remarks": 7}, Found.RECORD),
        ],
    )
    def test_names_what_came(self, server: Server, answer: Any, found: Found) -> None:
        server.answers[f"/rdap/ip/{BLOCK}"] = answer
        assert client_of(server).ask(BLOCK).found is found

    def test_reads_no_more_than_a_record_may_have(self, server: Server) -> None:
        server.answers[f"/rdap/ip/{BLOCK}"] = json.dumps(RECORD).encode() + b" " * registry.LONGEST_ANSWER
        assert client_of(server).ask(BLOCK).found is Found.MALFORMED

    def test_follows_a_redirect_to_a_listed_registry(self, server: Server) -> None:
        server.answers[f"/rdap/ip/{BLOCK}"] = (301, f"/other/ip/{BLOCK}")
        server.answers[f"/other/ip/{BLOCK}"] = RECORD
        assert client_of(server).ask(BLOCK).found is Found.RECORD

    def test_follows_none_to_anywhere_else(self, server: Server) -> None:
        server.answers[f"/rdap/ip/{BLOCK}"] = (302, f"http://127.0.0.2:{server.server_port}/rdap/ip/{BLOCK}")
        assert client_of(server).ask(BLOCK).found is Found.MALFORMED
        assert len(server.asked) == 1

    def test_does_not_go_round_in_circles(self, server: Server) -> None:
        server.answers[f"/rdap/ip/{BLOCK}"] = (302, f"/rdap/ip/{BLOCK}")
        assert client_of(server).ask(BLOCK).found is Found.MALFORMED
        assert len(server.asked) == registry.MOST_REDIRECTS + 1

    def test_asks_no_address_that_is_not_global(self, server: Server) -> None:
        inside = RdapRegistry(Registries((((ip_network("0.0.0.0/0"),), server.base),)))
        assert inside.ask(BLOCK).found is Found.UNREACHABLE
        assert server.asked == []

    def test_says_when_nobody_is_listed_or_nobody_answers(self, server: Server) -> None:
        client = client_of(server)
        assert client.ask(ip_network("2001:db8::/48")).found is Found.NO_REGISTRY
        server.shutdown()
        server.server_close()
        assert client.ask(BLOCK).found is Found.UNREACHABLE


class TestTheListOfRegistries:
    def test_that_comes_along_has_all_five(self) -> None:
        found = registry.read_registries(registry.BUNDLED)
        assert len(found.hosts) == 5
        assert found.for_block(BLOCK) == found.for_block(ip_network("2001:db8::/48"))

    def test_is_read_as_iana_writes_it(self, tmp_path: Path) -> None:
        first, second = tmp_path / "ipv4.json", tmp_path / "ipv6.json"
        rows = [
            [["203.0.0.0/8"], ["http://plain.example/", "https://a.example/rdap"]],
            [["203.0.112.0/20"], ["https://b.example/"]],
        ]
        first.write_text(json.dumps({"services": rows}).replace("203.0.0.0/8", "203.0.0.0/16"))
        second.write_text(json.dumps({"services": [[["2001:db8::/32"], ["https://c.example/"]]]}))
        found = registry.read_registries(first, second)
        assert found.for_block(BLOCK) == "https://b.example/"
        assert found.for_block(ip_network("203.0.5.0/24")) == "https://a.example/rdap/"
        assert found.for_block(ip_network("2001:db8:1::/48")) == "https://c.example/"
        assert found.for_block(ip_network("198.51.100.0/24")) is None

    @pytest.mark.parametrize(
        "content", ["", "[]", "{}", '{"services": [[["x"], ["https://a.example"]]]}', '{"services": []}']
    )
    def test_is_refused_when_it_is_none(self, tmp_path: Path, content: str) -> None:
        (tmp_path / "list.json").write_text(content)
        with pytest.raises(registry.RegistriesUnusable):
            registry.read_registries(tmp_path / "list.json")

    def test_is_taken_by_the_command_or_nothing_changes(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from rahdari.probe.registry_commands import in_use

        data = tmp_path / "data"
        (tmp_path / "good.json").write_text(json.dumps({"services": [[["203.0.0.0/16"], ["https://a.example/"]]]}))
        (tmp_path / "bad.json").write_text("{}")
        data.mkdir()
        assert in_use(data) == (registry.BUNDLED,)
        assert cli.main(["registry", "import", str(tmp_path / "good.json"), "--data", str(data)]) == 0
        assert registry.read_registries(*in_use(data)).hosts == {"a.example"}
        assert cli.main(["registry", "import", str(tmp_path / "bad.json"), "--data", str(data)]) == 1
        assert registry.read_registries(*in_use(data)).hosts == {"a.example"}
        assert "stay as they were" in capsys.readouterr().err


class TestAnythingThatARegistrySays:
    @given(
        st.recursive(
            st.none() | st.text() | st.integers(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
        )
    )
    def test_is_an_answer(self, value: Any) -> None:
        for document in (value, RECORD | {"entities": value}, RECORD | {"remarks": value}):
            assert isinstance(registry.read_answer(json.dumps(document).encode(), BLOCK, "x"), Answer)

    @given(st.text())
    def test_is_mail_only_when_it_is_one_address(self, text: str) -> None:
        if registry.is_mail(text):
            assert text.count("@") == 1 and text.isprintable() and not set(text) & set(" ,;\r\n")
        assert not registry.is_mail(f"noc@network.example, {text}@other.example")
