"""Callbacks against a real server of an operator's: signed, tried again, and led nowhere that is not public."""

import base64
import datetime as dt
import hmac
import http.server
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from rahdari.confirm import callbacks, queries
from rahdari.confirm.interface import OPERATORS
from rahdari.confirm.models import Callback, CallbackDelivery
from rahdari.feed import webhook
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.probe import hook
from rahdari.probe.hook import HookOutcome
from rahdari.programs import webhook_calls as hooks
from rahdari.programs import webhooks
from tests import contract
from tests.builders.subscribers import OPERATOR, a_desk, a_question

from .test_api import System

LOOPBACK = ["127.0.0.0/8"]


@dataclass
class SampleOperatorSystem:
    """A system of an operator's: takes events, and says what it is told to say."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        system = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                system.taken.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(system.status)
                for name, value in system.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


def serve(system: SampleOperatorSystem, context: ssl.SSLContext | None = None) -> Iterator[SampleOperatorSystem]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), system.handler())
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    system.url = f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        yield system
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def system() -> Iterator[SampleOperatorSystem]:
    yield from serve(SampleOperatorSystem())


def send(url: str, **more: Any) -> hook.HookAnswer:
    return hook.post(url, body=b"{}", headers={"Content-Type": "application/json"}, allowed_ranges=LOOPBACK, **more)


class TestReadAddress:
    @pytest.mark.parametrize(
        ("url", "outcome"),
        [
            ("http://answers.operator.example/", HookOutcome.NOT_HTTPS),
            ("ftp://answers.operator.example/", HookOutcome.NOT_HTTPS),
            ("https://answers.operator.example:25/", HookOutcome.BAD_PORT),
            ("https://user:word@answers.operator.example/", HookOutcome.BAD_ADDRESS),
            ("https://answers.operator.example/#part", HookOutcome.BAD_ADDRESS),
            ("https://answers.operator.example\\@127.0.0.1/", HookOutcome.BAD_ADDRESS),
            ("https://localhost/", HookOutcome.BAD_ADDRESS),
            ("https://0x7f000001/", HookOutcome.BAD_ADDRESS),
            ("https://a b.example/", HookOutcome.BAD_ADDRESS),
            ("https://answers.operator.example:99999/", HookOutcome.BAD_ADDRESS),
            ("https://127.0.0.1/", HookOutcome.NOT_GLOBAL),
            ("https://10.1.2.3/", HookOutcome.NOT_GLOBAL),
            ("https://169.254.169.254/latest/", HookOutcome.NOT_GLOBAL),
            ("https://[::1]/", HookOutcome.NOT_GLOBAL),
            ("https://[::ffff:127.0.0.1]/", HookOutcome.NOT_GLOBAL),
            ("https://[fe80::1]/", HookOutcome.NOT_GLOBAL),
            ("", HookOutcome.BAD_ADDRESS),
            ("https://" + "a" * 600, HookOutcome.BAD_ADDRESS),
        ],
    )
    def test_refuses_what_leads_elsewhere_than_to_a_public_place(self, url: str, outcome: HookOutcome) -> None:
        assert hook.read_address(url) is outcome

    def test_takes_a_name_and_a_public_address(self) -> None:
        for url in ("https://answers.operator.example/hook?a=1", "https://answers.operator.example:8443/"):
            assert isinstance(hook.read_address(url), hook.Place)


class TestPost:
    def test_is_taken_when_the_server_says_so(self, system: SampleOperatorSystem) -> None:
        assert send(system.url + "?a=1") == hook.HookAnswer(HookOutcome.TAKEN, 204)
        [(path, headers, body)] = system.taken
        assert (path, body, headers["content-type"]) == ("/hook?a=1", b"{}", "application/json")

    def test_follows_no_redirect(self, system: SampleOperatorSystem) -> None:
        system.status, system.headers = 307, {"Location": "http://127.0.0.1:9/"}
        assert send(system.url) == hook.HookAnswer(HookOutcome.REDIRECTED, 307)

    def test_tells_an_error_of_the_server(self, system: SampleOperatorSystem) -> None:
        system.status = 503
        assert send(system.url) == hook.HookAnswer(HookOutcome.REFUSED_IT, 503)

    def test_connects_to_no_name_that_leads_inside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also when only one of its addresses does: which of them is taken is not ours to know."""

        def look_up(*_args: Any, **_more: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, 443)) for address in ("8.8.8.8", "127.0.0.1")]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        found = hook.post("https://answers.operator.example/", body=b"", headers={})
        assert found.outcome is HookOutcome.NOT_GLOBAL

    def test_ends_in_time_when_no_name_server_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        over = threading.Event()

        def look_up(*_args: Any, **_more: Any) -> list[Any]:
            over.wait(30)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        found = hook.post("https://answers.operator.example/", body=b"", headers={}, timeout=0.2)
        assert not over.is_set(), "it waited for the name"
        over.set()
        assert found.outcome is HookOutcome.TIMED_OUT

    def test_looks_up_only_so_many_names_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        over, begun, asked = threading.Event(), threading.Event(), []

        def look_up(name: str, *_args: Any, **_more: Any) -> list[Any]:
            asked.append(name)
            begun.set()
            over.wait(30)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(hook, "LOOK_UPS", threading.BoundedSemaphore(1))
        names = ["https://slow.operator.example/", "https://other.operator.example/"]
        found = [hook.post(each, body=b"", headers={}, timeout=0.2).outcome for each in names]
        # The thread that asks may have its turn only after nobody waits for it any more.
        assert begun.wait(60) and asked == ["slow.operator.example"]
        assert found == [HookOutcome.TIMED_OUT] * 2
        over.set()
        found = [hook.post(each, body=b"", headers={}, timeout=60).outcome for each in names]
        assert found == [HookOutcome.NO_SUCH_NAME] * 2

    def test_says_that_nobody_answers(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            assert send(f"http://127.0.0.1:{taken.getsockname()[1]}/").outcome is HookOutcome.UNREACHABLE

    def test_ends_in_time_when_a_server_sends_a_byte_now_and_then(self) -> None:
        stop = threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:

            def drip() -> None:
                stream, _ = server.accept()
                with stream:
                    while not stop.wait(0.05):
                        try:
                            stream.sendall(b"H")
                        except OSError:
                            return

            thread = threading.Thread(target=drip)
            thread.start()
            try:
                found = send(f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=0.5)
            finally:
                stop.set()
                thread.join()
        assert found.outcome is HookOutcome.TIMED_OUT

    def test_says_that_an_answer_is_no_http(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:

            def answer() -> None:
                stream, _ = server.accept()
                with stream:
                    stream.recv(4096)
                    stream.sendall(b"hello\r\n\r\n")

            thread = threading.Thread(target=answer)
            thread.start()
            found = send(f"http://127.0.0.1:{server.getsockname()[1]}/")
            thread.join()
        assert found.outcome is HookOutcome.MALFORMED


def a_certificate(folder: Path, *, address: str) -> tuple[Path, Path]:
    """A certificate that signs itself, for an address, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sample Operator")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


class TestCertificates:
    def served(self, folder: Path, address: str) -> Iterator[SampleOperatorSystem]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*a_certificate(folder, address=address))
        yield from serve(SampleOperatorSystem(), context)

    def test_ends_in_time_when_a_server_sends_a_byte_now_and_then(self, tmp_path: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*a_certificate(tmp_path, address="127.0.0.1"))
        stop, gave_up = threading.Event(), threading.Event()
        with socket.create_server(("127.0.0.1", 0)) as server:

            def drip() -> None:
                plain, _ = server.accept()
                try:
                    with context.wrap_socket(plain, server_side=True) as stream:
                        while not stop.wait(0.05):
                            stream.sendall(b"H")
                except OSError:  # also before they have agreed on keys, where this machine is slow
                    gave_up.set()

            thread = threading.Thread(target=drip)
            thread.start()
            try:
                url = f"https://127.0.0.1:{server.getsockname()[1]}/"
                found = send(url, timeout=0.5, ca_file=str(tmp_path / "certificate.pem"))
                assert gave_up.wait(60), "the connection was left open"
            finally:
                stop.set()
                thread.join()
        assert found.outcome is HookOutcome.TIMED_OUT

    def test_that_fit_let_the_event_through(self, tmp_path: Path) -> None:
        for system in self.served(tmp_path, "127.0.0.1"):
            assert send(system.url, ca_file=str(tmp_path / "certificate.pem")).outcome is HookOutcome.TAKEN

    @pytest.mark.parametrize("known", [True, False])
    def test_that_do_not_fit_or_are_unknown_let_nothing_through(self, tmp_path: Path, known: bool) -> None:
        for system in self.served(tmp_path, "192.0.2.1" if known else "127.0.0.1"):
            ca_file = str(tmp_path / "certificate.pem") if known else None
            assert send(system.url, ca_file=ca_file).outcome is HookOutcome.CERTIFICATE
            assert system.taken == []


@pytest.mark.django_db
class TestDelivery:
    def registered(self, url: str) -> tuple[Callback, str]:
        return callbacks.register_callback(operator=OPERATOR, url=url, by="person:x", now=timezone.now())

    def test_tells_of_a_question_without_saying_who_or_what_it_is_about(self, system: SampleOperatorSystem) -> None:
        _callback, secret = self.registered(system.url)
        question = a_question(subscriber="SN-PLANTED-77")
        assert callbacks.deliver_due(now=timezone.now()) == 1
        [(_path, headers, body)] = system.taken
        contract.hold_event(OPERATORS, body)
        said = json.loads(body)
        assert (said["type"], said["data"]["check"]) == ("check.asked", question.number)
        assert set(said["data"]) == {"check", "kind", "answer_until"}
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"

    def test_signs_as_the_example_of_standard_webhooks(self) -> None:
        """The test vector of the specification's libraries."""
        found = webhook.signature(
            secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            at=1614265330,
            body=b'{"test": 2432232314}',
        )
        assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    def test_is_tried_again_ever_more_rarely_until_it_is_taken(self, system: SampleOperatorSystem) -> None:
        self.registered(system.url)
        a_question()
        system.status, now = 500, timezone.now()
        for pause in hooks.PAUSES[:3]:
            assert callbacks.deliver_due(now=now) == 1
            assert callbacks.deliver_due(now=now + pause - dt.timedelta(seconds=1)) == 0
            now += pause * (1 + webhooks.JITTER_PERCENT / 100)
        system.status = 200
        assert callbacks.deliver_due(now=now) == 1
        assert callbacks.deliver_due(now=now + dt.timedelta(days=1)) == 0
        [delivery] = CallbackDelivery.objects.all()
        assert (delivery.tries, delivery.finding, delivery.delivered_at) == (4, "taken", now)

    def test_is_given_up_after_ten_tries(self, system: SampleOperatorSystem) -> None:
        self.registered(system.url)
        a_question()
        system.status, now, tries = 500, timezone.now(), 0
        while callbacks.deliver_due(now=now):
            now, tries = now + hooks.PAUSES[min(tries, len(hooks.PAUSES) - 1)] * 1.3, tries + 1
        [delivery] = CallbackDelivery.objects.all()
        assert (delivery.tries, delivery.next_at, delivery.delivered_at) == (10, None, None)

    def test_ends_with_the_callback(self, system: SampleOperatorSystem) -> None:
        self.registered(system.url)
        a_question()
        callbacks.end_callback(operator=OPERATOR, by="person:x", now=timezone.now())
        assert callbacks.deliver_due(now=timezone.now()) == 0
        assert queries.callback_of(operator=OPERATOR) is None
        assert system.taken == []

    def test_is_signed_by_both_secrets_for_a_day_when_the_secret_is_changed(self, system: SampleOperatorSystem) -> None:
        callback, first = self.registered(system.url)
        program = System()
        changed = program.ask("post", "/callback/secret")
        assert changed.status_code == 201 and changed.said["secret"] != first
        program.ask("post", "/callback/test")
        callbacks.deliver_due(now=(now := timezone.now()))
        [(_path, headers, body)] = system.taken
        for secret in (first, changed.said["secret"]):
            webhook.verify(secret=secret, headers=headers, body=body, now=now)
        program.ask("post", "/callback/test")
        callbacks.deliver_due(now=now + webhooks.SECRETS_OVERLAP + dt.timedelta(minutes=1))
        assert len(system.taken[-1][1]["webhook-signature"].split()) == 1
        assert Row.objects.filter(act="confirm.changed_secret", subject=f"operator:{OPERATOR}").count() == 1
        callback.refresh_from_db()
        assert callback.ended_at is None

    @pytest.mark.parametrize("status", [500, 410])
    def test_stops_where_nothing_arrives_for_days_and_its_people_are_told(
        self, system: SampleOperatorSystem, status: int
    ) -> None:
        person = a_desk()
        program = System()
        self.registered(system.url)
        system.status, now = status, timezone.now()
        for days in (1, 3, 7):
            program.ask("post", "/callback/test")
            callbacks.deliver_due(now=now + dt.timedelta(days=days))
        assert program.ask("get", "/callback").said["callback"]["state"] == "stopped"
        [letter] = Letter.objects.filter(template="callback_stopped")
        assert letter.to == person and system.url in letter.text
        assert not CallbackDelivery.objects.filter(next_at__isnull=False).exists()
        sent = len(system.taken)
        a_question()
        assert callbacks.deliver_due(now=now + dt.timedelta(days=8)) == 0 and len(system.taken) == sent
        assert program.ask("post", "/callback/test").status_code == 409
        system.status = 204
        assert program.ask("put", "/callback", {"url": system.url}).said["state"] == "working"
        a_question()
        assert callbacks.deliver_due(now=timezone.now()) == 1
