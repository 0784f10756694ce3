"""The real process over loopback: who is let in, what it does, what it says; and the fake by the same contract."""

import contextlib
import dataclasses
import datetime as dt
import ipaddress
import json
import ssl
import threading
import uuid
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
import urllib3

from rahdari import probe
from rahdari.probe import Outcome, wireguard
from rahdari.probe.quorum import Ask, Needed, Outlook, ask_all, judge
from rahdari.vantage import Vantage, ask
from rahdari.vantage.client import KEY_PATH, PATH, greet
from rahdari.vantage.message import Request, Sighting, Unusable
from tests.ports import free_port
from tests.probe.certificates import Authority, Identity, an_identity

from .places import ALLOWED, LOOPBACK, FakeVantage, a_vantage, get, now

HERE = probe.Standpoint(allowed_ranges=ALLOWED)


def asking(*vantages: Vantage) -> list[Ask]:
    return [partial(ask, each) for each in vantages]


class Web:
    """A TLS server with one certificate, and what it was asked."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(identity.certificate, identity.key)
        self.port = 0
        self.count = 0

    @property
    def claim(self) -> probe.TlsClaim:
        return probe.TlsClaim(fingerprint=self.identity.fingerprint, port=self.port)

    @contextlib.contextmanager
    def running(self, host: str = "127.0.0.1", port: int = 0) -> Iterator["Web"]:
        import socket

        listener = socket.create_server((host, port))
        self.port = listener.getsockname()[1]
        over = threading.Event()

        def serve() -> None:
            while True:
                connection, _ = listener.accept()
                if over.is_set():
                    connection.close()
                    return
                self.count += 1
                with contextlib.suppress(OSError), connection:
                    connection.settimeout(60)
                    with self.context.wrap_socket(connection, server_side=True) as wrapped:
                        wrapped.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            socket.create_connection(("127.0.0.1", self.port)).close()
            thread.join()
            listener.close()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with Web(an_identity(tmp_path_factory.mktemp("web"), "vpn.sample.example")).running() as web:
        yield web


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vantage]:
    with a_vantage(tmp_path_factory.mktemp("real") / "vantage") as vantage:
        yield vantage


@pytest.fixture(scope="module")
def fake() -> Iterator[Vantage]:
    with FakeVantage().running() as vantage:
        yield vantage


@pytest.fixture(params=["real", "fake"])
def vantage(request: pytest.FixtureRequest) -> Vantage:
    found: Vantage = request.getfixturevalue(request.param)
    return found


def post(vantage: Vantage, body: bytes, token: str | None = None) -> tuple[int, bytes, dict[str, str]]:
    with urllib3.PoolManager(retries=False) as pool:
        headers = {"Authorization": f"Bearer {vantage.token if token is None else token}"}
        answer = pool.request("POST", vantage.url + PATH, body=body, headers=headers, timeout=60)
        return answer.status, answer.data, dict(answer.headers)


def a_request(claim: probe.Claim, address: str = "127.0.0.1", *, ago: int = 0) -> Request:
    return Request(str(uuid.uuid4()), ipaddress.ip_address(address), claim, 30.0, now() - dt.timedelta(seconds=ago))


class TestAsk:
    """What both keep: the contract."""

    def test_gives_what_was_seen_there_signed(self, vantage: Vantage, web: Web) -> None:
        asked = ask(vantage, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
        assert asked.view.proved and asked.view.place == vantage.name and asked.view.network == vantage.network
        assert asked.signed is not None and asked.signed["sighting"]["method"] == "tls"
        data = json.loads(json.dumps(asked.as_data()))
        assert data["signed"]["sighting"]["answer"]["key"] == web.identity.fingerprint

    def test_says_what_else_was_seen(self, vantage: Vantage, web: Web) -> None:
        other = dataclasses.replace(web.claim, fingerprint="00" * 32)
        asked = ask(vantage, claim=other, address=LOOPBACK, timeout=30.0, now=now())
        assert asked.view.answer is not None and asked.view.answer.outcome is Outcome.OTHER_KEY

    def test_is_absent_with_a_token_that_is_another(self, vantage: Vantage, web: Web) -> None:
        stranger = dataclasses.replace(vantage, token="x" * 43)
        asked = ask(stranger, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
        assert (asked.view.answer, asked.view.absent) == (None, "refused")

    def test_is_absent_when_another_key_signed(self, vantage: Vantage, web: Web) -> None:
        other = dataclasses.replace(vantage, key="ab" * 32)
        asked = ask(other, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
        assert asked.view.absent == "unusable"

    def test_is_absent_when_nothing_is_there(self, vantage: Vantage, web: Web) -> None:
        gone = dataclasses.replace(vantage, url=f"http://127.0.0.1:{free_port()}")
        asked = ask(gone, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
        assert asked.view.absent == "unreachable"

    def test_evidence_can_be_checked_again_and_not_be_changed(self, vantage: Vantage, web: Web) -> None:
        request = a_request(web.claim)
        status, body, _ = post(vantage, request.body)
        assert status == HTTPStatus.OK
        read = Sighting.read(body, request=request, vantage=vantage.name, key=vantage.key)
        assert read.as_answer().proved
        kept = json.loads(body)
        kept["sighting"]["answer"]["outcome"] = "silent"
        changed = json.dumps(kept).encode()
        with pytest.raises(Unusable, match="signature"):
            Sighting.read(changed, request=request, vantage=vantage.name, key=vantage.key)
        for other in (a_request(web.claim), dataclasses.replace(request, timeout=20.0)):
            with pytest.raises(Unusable, match="another"):
                Sighting.read(body, request=other, vantage=vantage.name, key=vantage.key)
        with pytest.raises(Unusable, match="another"):
            Sighting.read(body, request=request, vantage="sample-9", key=vantage.key)


class TestTheProcess:
    def test_shows_itself_to_the_register_alone(self, real: Vantage) -> None:
        assert get(real.url + "/healthz") == (200, b'{"status":"ready"}')
        assert get(real.url + KEY_PATH)[0] == HTTPStatus.UNAUTHORIZED
        assert get(real.url + "/anything")[0] == HTTPStatus.UNAUTHORIZED
        assert json.loads(get(real.url + KEY_PATH, real.token)[1]) == {"name": real.name, "key": real.key}
        assert get(real.url + "/anything", real.token)[0] == HTTPStatus.NOT_FOUND
        assert get(real.url + PATH, real.token)[0] == HTTPStatus.METHOD_NOT_ALLOWED
        assert (greet(real), greet(dataclasses.replace(real, token="x" * 43))) == (
            "answers",
            "does not take our token (401)",
        )
        assert greet(dataclasses.replace(real, key="ab" * 32)) == "another name or key answers there"

    @pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "224.0.0.1", "::1", "fe80::1", "192.0.2.1"])
    def test_asks_nobody_outside_of_the_open_net(self, real: Vantage, web: Web, address: str) -> None:
        status, body, _ = post(real, a_request(web.claim, address).body)
        assert (status, json.loads(body)["detail"]) == (403, "This address is not in the open net.")

    @pytest.mark.parametrize(
        "body",
        [b"", b"{}", b"[]", b"\xff", b'{"format":"1.0"}', b"[" * 500, b"x" * 40_000],
    )
    def test_answers_what_is_no_request_with_a_reason(self, real: Vantage, body: bytes) -> None:
        status, answer, headers = post(real, body)
        assert status == 400 and headers["content-type"] == "application/problem+json"
        assert json.loads(answer)["detail"].endswith(".")

    def test_takes_no_claim_that_it_does_not_know(self, real: Vantage, web: Web) -> None:
        good = json.loads(a_request(web.claim).body)
        for wrong in ({"method": "ping"}, {**good["claim"], "command": "x"}, {**good["claim"], "port": 0}, "tls", None):
            body = json.dumps({**good, "claim": wrong}, sort_keys=True, separators=(",", ":")).encode()
            assert post(real, body)[0] == 400
        for field, wrong in (("timeout_ms", 10**9), ("timeout_ms", True), ("id", "1"), ("asked_at", "now")):
            body = json.dumps({**good, field: wrong}, sort_keys=True, separators=(",", ":")).encode()
            assert post(real, body)[0] == 400

    @pytest.mark.parametrize("ago", [600, -600])
    def test_takes_no_request_of_another_time(self, real: Vantage, web: Web, ago: int) -> None:
        assert post(real, a_request(web.claim, ago=ago).body)[0] == HTTPStatus.CONFLICT

    def test_makes_one_attempt_for_one_request(self, real: Vantage, web: Web) -> None:
        before = web.count
        post(real, a_request(web.claim).body)
        assert web.count == before + 1

    def test_logs_no_address_and_no_secret(self, tmp_path: Path, web: Web) -> None:
        ours, theirs = wireguard.new_key(), wireguard.new_key()
        claim = probe.WireguardClaim(private_key=ours[0], peer_key=theirs[1], port=free_port())
        with a_vantage(tmp_path / "vantage") as vantage:
            ask(vantage, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
            ask(vantage, claim=claim, address=LOOPBACK, timeout=1.0, now=now())
        log = (tmp_path / "vantage" / "log").read_text()
        assert "tls proved" in log and "wireguard refused" in log
        for planted in ("127.0.0.1", ours[0], theirs[1], web.identity.fingerprint, vantage.token, str(web.port)):
            assert planted not in log

    def test_does_little_at_once(self, tmp_path: Path, web: Web) -> None:
        with a_vantage(tmp_path / "vantage") as vantage:
            settings = tmp_path / "vantage" / "vantage.toml"
            assert "a_minute_each = 12" in settings.read_text()
            statuses = [post(vantage, a_request(web.claim).body)[0] for _ in range(13)]
            assert statuses == [200] * 12 + [503]
            _, _, headers = post(vantage, a_request(web.claim).body)
            assert 1 <= int(headers["retry-after"]) <= 61
            busy = ask(vantage, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
            assert busy.view.absent == "busy"

    def test_speaks_tls_itself_and_asks_for_certificates(self, tmp_path: Path, web: Web) -> None:
        authority, strangers = Authority(tmp_path / "one"), Authority(tmp_path / "other")
        own = authority.sign("vantage.sample.example", address="127.0.0.1")
        ours, theirs = authority.sign("register.sample.example"), strangers.sign("register.sample.example")
        tls = f'\n[tls]\ncertificate = "{own.certificate}"\nkey = "{own.key}"\n'
        asks = f'client_ca = "{authority.certificate}"\n'

        def said(vantage: Vantage, identity: Identity | None, *, trusts: Path | None = authority.certificate) -> str:
            known = dataclasses.replace(
                vantage,
                ca_file=trusts,
                client_certificate=identity.certificate if identity else None,
                client_key=identity.key if identity else None,
            )
            view = ask(known, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now()).view
            return "proved" if view.proved else view.absent

        with a_vantage(tmp_path / "vantage", more=tls + asks, scheme="https") as vantage:
            assert said(vantage, ours) == "proved"
            assert said(vantage, None) == "unreachable"
            assert said(vantage, theirs) == "unreachable"
            assert said(vantage, ours, trusts=None) == "unreachable"
            assert said(vantage, ours, trusts=strangers.certificate) == "unreachable"


class TestAskAll:
    def test_puts_views_together(self, real: Vantage, fake: Vantage, web: Web) -> None:
        asked = ask_all(
            asking(real, fake),
            claim=web.claim,
            address=LOOPBACK,
            now=now(),
            timeout=30.0,
            standpoint=HERE,
        )
        assert [each.view.place for each in asked] == ["here", real.name, fake.name]
        verdict = judge([each.view for each in asked], Needed(views=3, may_fail=0, networks=2))
        assert verdict.outlook is Outlook.AGREED

    def test_shows_that_somebody_else_answers_there(self, real: Vantage, web: Web) -> None:
        divided = FakeVantage("fake-2")
        divided.sees = lambda request: probe.ProbeAnswer(Outcome.OTHER_KEY, "tls", key="cd" * 32)
        with divided.running() as elsewhere:
            asked = ask_all(
                asking(real, elsewhere),
                claim=web.claim,
                address=LOOPBACK,
                now=now(),
                timeout=30.0,
                standpoint=HERE,
            )
        verdict = judge([each.view for each in asked], Needed(views=3, may_fail=0, networks=2))
        assert (verdict.outlook, verdict.contradicting) == (Outlook.DIVIDED, ("fake-2",))

    def test_asks_a_wireguard_peer_from_one_place_after_another(self) -> None:
        """Each with a later time, whatever the clocks of the places say."""
        fakes = [FakeVantage(f"fake-{number}") for number in range(3)]
        claim = probe.WireguardClaim(
            private_key=wireguard.new_key()[0], peer_key=wireguard.new_key()[1], port=free_port()
        )
        with contextlib.ExitStack() as stack:
            known = [stack.enter_context(fake.running()) for fake in fakes]
            ask_all(
                asking(*known),
                claim=claim,
                address=LOOPBACK,
                now=now(),
                timeout=1.0,
                standpoint=HERE,
            )
        moments = [fake.asked[0].claim.as_data()["moment"] for fake in fakes]
        assert moments == sorted(set(moments)) and moments[0] > 0

    @pytest.mark.parametrize(
        ("status", "body", "why"),
        [
            (HTTPStatus.OK, b"", "unusable"),
            (HTTPStatus.OK, b"{}", "unusable"),
            (HTTPStatus.OK, b"x" * 100_000, "unusable"),
            (HTTPStatus.INTERNAL_SERVER_ERROR, b"", "failed"),
            (HTTPStatus.FOUND, b"", "failed"),
            (HTTPStatus.SERVICE_UNAVAILABLE, b"", "busy"),
        ],
    )
    def test_is_not_harmed_by_a_vantage_that_misbehaves(self, web: Web, status: int, body: bytes, why: str) -> None:
        fake = FakeVantage()
        fake.says = lambda request, sighting: (status, body)
        with fake.running() as known:
            asked = ask(known, claim=web.claim, address=LOOPBACK, timeout=30.0, now=now())
        assert (asked.view.answer, asked.view.absent) == (None, why)
