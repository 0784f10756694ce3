"""The same contract for every provider: the fakes, a real HTTP gateway, a real message centre."""

import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rahdari.letters import samples
from rahdari.sms import segments
from rahdari.sms.providers import Accepted, Away, Outcome, Provider, Refused, Report, Text, Unclear, smpp
from rahdari.sms.providers.configuration import ConfigurationError, read
from rahdari.sms.providers.fake import PrintedProvider
from rahdari.sms.providers.http import Gateway, HttpProvider, NotReadable, NotSigned, Reports, Success
from rahdari.sms.providers.smpp import Centre, SmppProvider
from tests.ports import free_port

from .gateway import SmsGateway, open_gateway
from .message_centre import MessageCentre, at_work
from .obedient import ObedientProvider

NOW = samples.AT
SHORT = Text("m-1", "+923001234567", "Rahdari: there is news in your file\nA-2611-0482\nSign in at rahdari.example")
LONG = Text("m-2", "+923001234567", "راہداری: آپ کی فائل میں نیا پیغام ہے۔ " * 3)


class World:
    """One provider and its other side: how it is made to refuse, to be away, to stay silent, to report."""

    def __init__(self, kind: str, folder: Path, stack: ExitStack) -> None:
        self.kind = kind
        self.told: list[Report] = []
        self.gateway: SmsGateway | None = None
        self.centre: MessageCentre | None = None

        def tell(name: str, report: Report, now: dt.datetime) -> None:
            self.told.append(report)

        if kind == "printed":
            self.provider: Provider = PrintedProvider(name="printed", folder=folder, told=tell)
        elif kind == "obedient":
            self.provider = ObedientProvider(name="obedient", told=tell)
        elif kind == "http":
            self.gateway = stack.enter_context(open_gateway())
            self.provider = HttpProvider(a_gateway(self.gateway.url), told=tell)
        else:
            self.centre = MessageCentre(free_port())
            stack.enter_context(at_work(self.centre))
            self.provider = SmppProvider(a_centre(self.centre.port), told=tell)
        stack.callback(self.provider.close)

    def bodies(self) -> list[str]:
        """What arrived, whole, as a telephone would show it."""
        if isinstance(self.provider, PrintedProvider):
            return [one.read_text().split("\n\n", 1)[1][:-1] for one in sorted(self.provider.folder.iterdir())]
        if isinstance(self.provider, ObedientProvider):
            return [one.body for one in self.provider.sent]
        if self.gateway is not None:
            return [one["text"] for one in self.gateway.taken]
        assert self.centre is not None
        return ["".join(one.text for one in self.centre.taken)] if self.centre.taken else []

    def refuse(self) -> None:
        if isinstance(self.provider, ObedientProvider):
            self.provider.answers.append(Refused("no"))
        if self.gateway is not None:
            self.gateway.answers.append((400, {"error": "no"}))
        if self.centre is not None:
            self.centre.statuses.append(0x45)

    def be_busy(self) -> None:
        if isinstance(self.provider, ObedientProvider):
            self.provider.answers.append(Away("busy"))
        if self.gateway is not None:
            self.gateway.answers.append((429, {"error": "slow down"}))
        if self.centre is not None:
            self.centre.statuses.append(0x58)

    def fall_silent(self) -> None:
        if isinstance(self.provider, ObedientProvider):
            self.provider.answers.append(Unclear("no answer"))
        if self.gateway is not None:
            self.gateway.answers.append(None)
        if self.centre is not None:
            self.centre.hang_up = True

    def send(self, text: Text) -> Outcome:
        return self.provider.send(text, now=NOW)


def a_gateway(url: str, **more: Any) -> Gateway:
    return Gateway(
        name="gateway-a",
        url=url,
        headers={"Content-Type": "application/json", "Authorization": "Bearer sample"},
        body='{"to": "{to}", "text": "{text}", "ref": "{id}"}',
        success=Success(path="status", values=frozenset({"accepted"})),
        reference="messages.0.id",
        final_path="error",
        final=frozenset({"no such number"}),
        **more,
    )


def a_centre(port: int, **more: Any) -> Centre:
    return Centre(name="centre-b", host="127.0.0.1", port=port, system_id="rahdari", password="sample-1", **more)


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(request.param, tmp_path / "sms", stack)


EVERY = pytest.mark.parametrize("world", ["printed", "obedient", "http", "smpp"], indirect=True)
THOSE_THAT_REFUSE = pytest.mark.parametrize("world", ["obedient", "http", "smpp"], indirect=True)
BY_HTTP = pytest.mark.parametrize("world", ["http"], indirect=True)
BY_SMPP = pytest.mark.parametrize("world", ["smpp"], indirect=True)


class TestEveryProvider:
    @EVERY
    @pytest.mark.parametrize("text", [SHORT, LONG], ids=["English", "Urdu in parts"])
    def test_takes_a_message_whole_and_counts_its_parts(self, world: World, text: Text) -> None:
        answer = world.send(text)
        assert isinstance(answer, Accepted)
        assert answer.parts == segments.count(text.body)
        assert world.bodies() == [text.body]

    @THOSE_THAT_REFUSE
    def test_says_that_it_refused_and_took_nothing(self, world: World) -> None:
        world.refuse()
        assert isinstance(world.send(SHORT), Refused)
        assert world.bodies() == []
        assert isinstance(world.send(SHORT), Accepted)

    @THOSE_THAT_REFUSE
    def test_says_that_it_is_busy_and_took_nothing(self, world: World) -> None:
        world.be_busy()
        assert isinstance(world.send(SHORT), Away)
        assert world.bodies() == []

    @THOSE_THAT_REFUSE
    def test_says_that_nobody_knows_when_the_answer_did_not_come(self, world: World) -> None:
        world.fall_silent()
        assert isinstance(world.send(SHORT), Unclear)

    @EVERY
    def test_shows_neither_number_nor_words_of_a_message_when_it_is_printed(self, world: World) -> None:
        assert "1234567" not in repr(SHORT) and "news" not in repr(SHORT)


class TestHttpProvider:
    @BY_HTTP
    def test_fills_the_body_and_sends_the_headers(self, world: World) -> None:
        tricky = Text("m-3", "+923001234567", 'A "quote", a \\ and {to}\nراہداری')
        assert isinstance(world.send(tricky), Accepted)
        assert world.gateway is not None
        assert world.gateway.taken == [{"to": "+923001234567", "text": tricky.body, "ref": "m-3"}]
        assert world.gateway.headers[0]["Authorization"] == "Bearer sample"

    @BY_HTTP
    def test_keeps_the_reference_of_the_gateway(self, world: World) -> None:
        assert world.send(SHORT) == Accepted(("gw-1",), 1)

    @BY_HTTP
    def test_knows_a_number_that_nobody_would_take(self, world: World) -> None:
        assert world.gateway is not None
        world.gateway.answers.append((422, {"error": "no such number"}))
        answer = world.send(SHORT)
        assert isinstance(answer, Refused) and answer.final

    @BY_HTTP
    def test_takes_a_200_that_says_otherwise_for_a_refusal(self, world: World) -> None:
        assert world.gateway is not None
        world.gateway.answers.append((200, {"status": "rejected"}))
        assert isinstance(world.send(SHORT), Refused)

    @BY_HTTP
    @pytest.mark.parametrize(
        ("status", "kind"), [(500, Away), (503, Away), (502, Unclear), (504, Unclear), (401, Refused)]
    )
    def test_knows_which_errors_leave_it_open(self, world: World, status: int, kind: type) -> None:
        assert world.gateway is not None
        world.gateway.answers.append((status, {"error": "x"}))
        assert isinstance(world.send(SHORT), kind)

    def test_is_away_when_nobody_listens(self) -> None:
        provider = HttpProvider(a_gateway(f"http://127.0.0.1:{free_port()}/"), told=lambda *given: None)
        assert provider.send(SHORT, now=NOW) == Away("not reached")

    @BY_HTTP
    def test_may_be_asked_again_if_it_takes_one_id_once(self, world: World) -> None:
        assert isinstance(world.provider, HttpProvider) and world.gateway is not None
        patient = HttpProvider(replace(world.provider.gateway, repeatable=True), told=lambda *given: None)
        world.gateway.answers.append(None)
        assert isinstance(patient.send(SHORT, now=NOW), Away)
        patient.close()


SIGNED = Reports(
    secret="a sample secret of the gateway",
    header="X-Signature",
    prefix="sha256=",
    reference="message.id",
    outcome="message.status",
    reason="message.error",
)


def signature(body: bytes, secret: str = SIGNED.secret) -> dict[str, str]:
    return {"X-Signature": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


class TestReadReport:
    @pytest.fixture
    def provider(self) -> HttpProvider:
        return HttpProvider(a_gateway("http://127.0.0.1:9/", reports=SIGNED), told=lambda *given: None)

    @pytest.mark.parametrize(
        ("status", "outcome"), [("DELIVRD", "delivered"), ("sent", "waiting"), ("UNDELIV", "failed"), ("?", "failed")]
    )
    def test_reads_what_is_signed(self, provider: HttpProvider, status: str, outcome: str) -> None:
        body = json.dumps({"message": {"id": "gw-1", "status": status, "error": ""}}).encode()
        report = provider.read_report(signature(body), body)
        assert (report.reference, report.outcome) == ("gw-1", outcome)

    def test_believes_nobody_else(self, provider: HttpProvider) -> None:
        body = b'{"message": {"id": "gw-1", "status": "DELIVRD"}}'
        for headers in ({}, {"X-Signature": ""}, signature(body, "another secret"), signature(body + b" ")):
            with pytest.raises(NotSigned):
                provider.read_report(headers, body)

    def test_says_what_is_not_there(self, provider: HttpProvider) -> None:
        for body, missing in ((b"{}", "reference"), (b'{"message": {"id": "gw-1"}}', "status"), (b"[", "reference")):
            with pytest.raises(NotReadable) as caught:
                provider.read_report(signature(body), body)
            assert caught.value.missing == missing


class TestSmppProvider:
    @BY_SMPP
    def test_sends_urdu_in_ucs_2_with_a_header_on_each_part(self, world: World) -> None:
        assert world.centre is not None
        answer = world.send(LONG)
        taken = world.centre.taken
        assert [part.data_coding for part in taken] == [8] * len(taken)
        assert [part.header[-2:] for part in taken] == [bytes((2, 1)), bytes((2, 2))]
        assert len({part.header[3] for part in taken}) == 1
        assert all(part.header[:3] == b"\5\0\3" and len(part.content) <= 140 for part in taken)
        assert answer == Accepted(tuple(part.reference for part in taken), 2)

    @BY_SMPP
    def test_sends_english_in_the_default_alphabet_from_its_name(self, world: World) -> None:
        assert world.centre is not None
        world.send(SHORT)
        (part,) = world.centre.taken
        assert (part.data_coding, part.esm_class, part.registered) == (0, 0, 1)
        assert (part.source, part.destination) == ("Rahdari", "923001234567")

    @BY_SMPP
    @pytest.mark.parametrize("parameters", [False, True])
    def test_tells_what_became_of_each_part_and_confirms_it_then(self, world: World, parameters: bool) -> None:
        assert world.centre is not None
        world.send(SHORT)
        reference = world.centre.taken[0].reference
        world.centre.report(reference, "ACCEPTD", parameters=parameters)
        world.centre.report(reference, parameters=parameters)
        while len(world.told) < 2:
            world.provider.listen(now=NOW)
        assert world.told == [Report(reference, "waiting", "ACCEPTD"), Report(reference, "delivered")]
        assert world.centre.wait_for_confirmations(2)

    @BY_SMPP
    def test_tells_of_a_failure_with_the_error_of_the_network(self, world: World) -> None:
        assert world.centre is not None
        world.send(SHORT)
        world.centre.report(world.centre.taken[0].reference, "UNDELIV", "011")
        while not world.told:
            world.provider.listen(now=NOW)
        assert world.told == [Report(world.centre.taken[0].reference, "failed", "UNDELIV 011")]

    def test_confirms_no_report_that_could_not_be_kept(self) -> None:
        def away(*given: Any) -> None:
            raise ValueError("the database is away")

        with at_work(MessageCentre(free_port())) as centre:
            provider = SmppProvider(a_centre(centre.port), told=away)
            provider.send(SHORT, now=NOW)
            centre.report(centre.taken[0].reference)
            while provider._session is not None:
                provider.listen(now=NOW)
            assert centre.confirmed == []
            provider.close()

    def test_finds_a_number_that_the_centre_writes_otherwise(self) -> None:
        told: list[Report] = []
        with at_work(MessageCentre(free_port(), slow_report=True)) as centre:
            provider = SmppProvider(
                a_centre(centre.port, receipt_numbers="decimal"), told=lambda name, report, now: told.append(report)
            )
            provider.send(SHORT, now=NOW)
            centre.report(centre.taken[0].reference)
            while not told:
                provider.listen(now=NOW)
            assert told[0].reference == centre.taken[0].reference
            provider.close()

    @BY_SMPP
    def test_opens_the_line_again_when_it_was_cut(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(smpp, "IDLE", 0.0)  # each message asks first whether the line is there
        assert world.centre is not None
        assert isinstance(world.send(SHORT), Accepted)
        world.centre.drop_lines()
        assert isinstance(world.send(SHORT), Accepted)
        assert world.centre.binds == 2

    @BY_SMPP
    def test_knows_a_number_that_nobody_would_take(self, world: World) -> None:
        assert world.centre is not None
        world.centre.statuses.append(0x0B)
        answer = world.send(SHORT)
        assert isinstance(answer, Refused) and answer.final

    @BY_SMPP
    def test_leaves_it_open_when_a_later_part_is_refused(self, world: World) -> None:
        assert world.centre is not None
        world.centre.statuses.extend([0, 0x45])
        answer = world.send(LONG)
        assert isinstance(answer, Unclear) and "part 2 of 2" in answer.reason

    def test_is_away_when_the_password_is_wrong_or_nobody_listens(self) -> None:
        with at_work(MessageCentre(free_port(), password="another")) as centre:
            provider = SmppProvider(a_centre(centre.port), told=lambda *given: None)
            assert provider.send(SHORT, now=NOW) == Away("not let in (SMPP 14)")
        assert provider.send(SHORT, now=NOW) == Away("not reached")

    @BY_SMPP
    def test_is_used_by_one_thread_at_a_time(self, world: World) -> None:
        assert world.centre is not None
        answers: list[Outcome] = []
        threads = [threading.Thread(target=lambda: answers.append(world.send(LONG))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(isinstance(answer, Accepted) for answer in answers)
        groups = [part.header[3] for part in world.centre.taken]
        assert groups == sorted(groups)  # the parts of one message follow each other


CONFIGURATION = """
[[providers]]
name = "gateway-a"
kind = "http"
url = "https://gateway.example/messages"
headers = { Authorization = "Bearer sample", Content-Type = "application/json" }
body = '{"to": "{to}", "text": "{text}", "ref": "{id}"}'
reference = "messages.0.id"
[providers.success]
statuses = [200]
path = "status"
values = ["accepted"]
[providers.reports]
secret = "a sample secret of the gateway"
header = "X-Signature"

[[providers]]
name = "centre-b"
kind = "smpp"
host = "smsc.example"
system_id = "rahdari"
password = "sample-1"
tls = true
"""


class TestRead:
    def written(self, folder: Path, text: str, mode: int = 0o600) -> Path:
        path = folder / "sms.toml"
        path.write_text(text)
        path.chmod(mode)
        return path

    def test_reads_providers_in_their_order(self, tmp_path: Path) -> None:
        first, second = read(self.written(tmp_path, CONFIGURATION))
        assert isinstance(first, Gateway) and first.success.statuses == {200} and first.reports is not None
        assert isinstance(second, Centre) and second.tls and second.port == 2775
        assert "sample-1" not in repr(second) and "secret" not in repr(first.reports) and "Bearer" not in repr(first)

    def test_of_no_file_there_are_none(self, tmp_path: Path) -> None:
        assert read(tmp_path / "sms.toml") == []

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('kind = "smpp"', 'kind = "pigeon"', "kind is http or smpp"),
            ('name = "centre-b"', 'name = "gateway-a"', "two providers are called gateway-a"),
            ('password = "sample-1"', 'password = "longer than eight"', "password has 8 characters at most"),
            ('host = "smsc.example"', "", "lacks host"),
            ("tls = true", 'tls = "yes"', "tls must be of the kind bool"),
            ("tls = true", "tsl = true", "nothing is called tsl"),
            ('"text": "{text}"', '"text": ""', "places for {to} and {text}"),
            ("https://gateway.example", "gateway.example", "url begins with https://"),
            ('secret = "a sample secret of the gateway"', 'secret = "short"', "16 characters at least"),
            ("\n[[providers]]", "\nretries = 3\n[[providers]]", "has [[providers]] and nothing else"),
            ('kind = "http"', "kind = ", "is no TOML"),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, old: str, new: str, says: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            read(self.written(tmp_path, CONFIGURATION.replace(old, new, 1)))
        assert says in caught.value.problem

    def test_wants_its_passwords_to_itself(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError) as caught:
            read(self.written(tmp_path, CONFIGURATION, mode=0o644))
        assert "chmod 600" in caught.value.problem
