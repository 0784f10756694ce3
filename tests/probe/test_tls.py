"""TLS against stunnel and ocserv across a line, and against strangers on loopback."""

import contextlib
import hashlib
import ipaddress
import queue
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from rahdari.probe import tls
from rahdari.probe.outcome import Outcome, ProbeAnswer
from tests.needs import needs_program
from tests.waiting import until

from .certificates import Identity, an_identity
from .networks import ALLOWED, SERVER, SERVER6, Line, a_line, asleep, running

LOOPBACK = ipaddress.ip_address("127.0.0.1")
NOBODY = "00" * 32
TOKEN = "sample-token.sample-thumbprint"


@dataclass(frozen=True)
class Served(Identity):
    """A certificate, and the daemon that holds its key."""

    process: subprocess.Popen[bytes]


def until_open(line: Line, port: int) -> None:
    def is_open() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((str(SERVER), port), timeout=5):
            return True
        return False

    until(lambda: line.at_prober(is_open))


@pytest.fixture
def line() -> Iterator[Line]:
    with a_line() as line:
        yield line


@pytest.fixture
def behind_stunnel(line: Line, tmp_path: Path) -> Iterator[Served]:
    """OpenVPN over TLS, as people wrap it: what is behind the wrapper does not matter here."""
    program = needs_program("stunnel", "apt-get install stunnel4")
    identity = an_identity(tmp_path, "vpn.sample.example")
    settings = tmp_path / "stunnel.conf"
    settings.write_text(
        f"foreground = yes\npid =\n[vpn]\naccept = :::443\nconnect = 127.0.0.1:1194\n"
        f"cert = {identity.certificate}\nkey = {identity.key}\n"
    )
    with running(line.on_server(program, settings), tmp_path / "log") as process:
        until_open(line, 443)
        yield Served(**vars(identity), process=process)


@pytest.fixture
def behind_ocserv(line: Line, tmp_path: Path) -> Iterator[Served]:
    program = needs_program("ocserv", "apt-get install ocserv")
    identity = an_identity(tmp_path, "vpn.sample.example", kind="rsa")
    (tmp_path / "passwd").touch()
    settings = tmp_path / "ocserv.conf"
    settings.write_text(
        f'auth = "plain[passwd={tmp_path}/passwd]"\ntcp-port = 443\nrun-as-user = root\nrun-as-group = root\n'
        f"socket-file = {tmp_path}/socket\nserver-cert = {identity.certificate}\nserver-key = {identity.key}\n"
        "isolate-workers = false\nrate-limit-ms = 0\nmax-ban-score = 0\n"
        "max-clients = 8\nmax-same-clients = 8\nkeepalive = 300\ndevice = vpns\n"
        "ipv4-network = 192.0.2.0/28\nipv4-netmask = 255.255.255.240\ncookie-timeout = 300\nrekey-time = 172800\n"
    )
    with running(line.on_server(program, "-f", "-c", settings), tmp_path / "log") as process:
        until_open(line, 443)
        yield Served(**vars(identity), process=process)


def probed(line: Line, fingerprint: str, *, address: object = SERVER, timeout: float = 30.0) -> ProbeAnswer:
    return line.at_prober(
        lambda: tls.match_certificate(
            address,  # type: ignore[arg-type]
            fingerprint=fingerprint,
            timeout=timeout,
            allowed_ranges=ALLOWED,
        )
    )


class TestMatchCertificate:
    @pytest.mark.parametrize("address", [SERVER, SERVER6])
    def test_proves_stunnel_by_its_certificate(self, line: Line, behind_stunnel: Identity, address: object) -> None:
        answer = probed(line, behind_stunnel.fingerprint, address=address)
        assert (answer.outcome, answer.key) == (Outcome.PROVED, behind_stunnel.fingerprint)

    def test_says_which_other_certificate_answered(self, line: Line, behind_stunnel: Identity) -> None:
        answer = probed(line, NOBODY)
        assert (answer.outcome, answer.key) == (Outcome.OTHER_KEY, behind_stunnel.fingerprint)

    @pytest.mark.parametrize("percent", [10, pytest.param(30, marks=pytest.mark.whole)])
    def test_gets_through_a_line_that_loses_packets(self, line: Line, behind_stunnel: Identity, percent: int) -> None:
        line.lose(percent)
        # A connection may die at such a loss; each try begins anew, as the looks of a challenge do.
        outcomes = [probed(line, behind_stunnel.fingerprint, timeout=20.0).outcome for _ in range(1)]
        while outcomes[-1] is not Outcome.PROVED and len(outcomes) < 4:
            assert outcomes[-1] in {Outcome.TIMED_OUT, Outcome.RESET}
            outcomes.append(probed(line, behind_stunnel.fingerprint, timeout=20.0).outcome)
        assert outcomes[-1] is Outcome.PROVED

    @pytest.mark.whole
    @pytest.mark.parametrize("kind", ["stunnel", "ocserv"])
    def test_waits_for_a_slow_server(self, line: Line, request: pytest.FixtureRequest, kind: str) -> None:
        identity: Served = request.getfixturevalue(f"behind_{kind}")
        with asleep(identity.process, 1.5):
            assert probed(line, identity.fingerprint).outcome is Outcome.PROVED

    def test_proves_ocserv_by_its_certificate(self, line: Line, behind_ocserv: Identity) -> None:
        assert probed(line, behind_ocserv.fingerprint).outcome is Outcome.PROVED

    def test_is_told_when_nothing_listens(self, line: Line) -> None:
        assert probed(line, NOBODY).outcome is Outcome.REFUSED


class Stub:
    """A server on loopback that does with each connection what a test says."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._serve = serve
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if self._closing.is_set():
                    return
                connection.settimeout(60)
                with contextlib.suppress(OSError):
                    self._serve(connection)

    def close(self) -> None:
        self._closing.set()
        socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        self._thread.join()
        self._socket.close()


@pytest.fixture
def stub() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    open_ones: list[Stub] = []

    def make(serve: Callable[[socket.socket], None]) -> int:
        open_ones.append(Stub(serve))
        return int(open_ones[-1].port)

    yield make
    for each in open_ones:
        each.close()


type MakeStub = Callable[[Callable[[socket.socket], None]], int]


def speaking(
    identity: Identity, then: Callable[[ssl.SSLSocket], None] = lambda _: None, *, alpn: str = ""
) -> Callable[[socket.socket], None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    if alpn:
        context.set_alpn_protocols([alpn])

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            then(wrapped)

    return serve


class TestStrangers:
    def ask(self, port: int, timeout: float = 30.0) -> ProbeAnswer:
        return tls.match_certificate(
            LOOPBACK, port=port, fingerprint=NOBODY, timeout=timeout, allowed_ranges=["127.0.0.0/8"]
        )

    def test_that_speak_something_else_are_told_apart(self, stub: MakeStub) -> None:
        answer = self.ask(stub(lambda connection: connection.sendall(b"SSH-2.0-Sample\r\n" * 20)))
        assert answer.outcome is Outcome.MALFORMED

    def test_that_hang_up_prove_nothing(self, stub: MakeStub) -> None:
        assert self.ask(stub(lambda connection: None)).outcome in {Outcome.RESET, Outcome.MALFORMED}

    def test_that_say_nothing_are_given_up(self, stub: MakeStub) -> None:
        release = threading.Event()
        port = stub(lambda connection: (release.wait(60), None)[1])
        answer = self.ask(port, timeout=0.5)
        release.set()
        assert answer.outcome is Outcome.TIMED_OUT

    def test_that_trickle_cannot_outlast_the_deadline(self, stub: MakeStub) -> None:
        release, was_heard_out = threading.Event(), threading.Event()

        def trickle(connection: socket.socket) -> None:
            record = b"\x16\x03\x03\x3f\xff" + bytes(200)
            for at in range(len(record)):
                connection.sendall(record[at : at + 1])
                if release.wait(0.05):
                    return
            was_heard_out.set()

        answer = self.ask(stub(trickle), timeout=0.7)
        release.set()
        assert answer.outcome in {Outcome.TIMED_OUT, Outcome.MALFORMED}
        assert not was_heard_out.is_set()

    def test_elsewhere_than_in_the_open_net_are_not_asked(self) -> None:
        answer = tls.match_certificate(LOOPBACK, fingerprint=NOBODY)
        assert (answer.outcome, answer.sent) == (Outcome.NOT_GLOBAL, 0)


class TestSstp:
    def probe(self, port: int, identity: Identity) -> ProbeAnswer:
        return tls.match_certificate(
            LOOPBACK,
            port=port,
            fingerprint=identity.fingerprint,
            server_name="vpn.sample.example",
            sstp=True,
            timeout=30.0,
            allowed_ranges=["127.0.0.0/8"],
        )

    def test_is_proved_by_its_answer_and_its_certificate(self, stub: MakeStub, tmp_path: Path) -> None:
        identity = an_identity(tmp_path, "vpn.sample.example")
        asked: list[bytes] = []

        def answer(wrapped: ssl.SSLSocket) -> None:
            asked.append(wrapped.recv(4096))
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n")

        assert self.probe(stub(speaking(identity, answer)), identity).outcome is Outcome.PROVED
        assert asked[0].startswith(b"SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n")

    @pytest.mark.parametrize("said", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"nothing\r\n", b""])
    def test_is_not_there_when_something_else_answers(self, stub: MakeStub, tmp_path: Path, said: bytes) -> None:
        identity = an_identity(tmp_path, "vpn.sample.example")

        def answer(wrapped: ssl.SSLSocket) -> None:
            wrapped.recv(4096)
            wrapped.sendall(said)

        found = self.probe(stub(speaking(identity, answer)), identity)
        assert (found.outcome, found.detail) == (Outcome.ANSWERED, "no_sstp")


class TestChallenge:
    def extension(self, token: str) -> x509.UnrecognizedExtension:
        return x509.UnrecognizedExtension(tls.ACME_IDENTIFIER, b"\x04\x20" + hashlib.sha256(token.encode()).digest())

    def probe(self, port: int) -> ProbeAnswer:
        return tls.challenge(LOOPBACK, key_authorization=TOKEN, port=port, timeout=30.0, allowed_ranges=["127.0.0.0/8"])

    def test_is_proved_by_the_certificate_made_for_it(self, stub: MakeStub, tmp_path: Path) -> None:
        identity = an_identity(tmp_path, "x", address="127.0.0.1", extra=((self.extension(TOKEN), True),))
        spoken: queue.Queue[str | None] = queue.Queue()
        serve = speaking(identity, lambda wrapped: spoken.put(wrapped.selected_alpn_protocol()), alpn=tls.ALPN)
        assert self.probe(stub(serve)).outcome is Outcome.PROVED
        assert spoken.get(timeout=60) == "acme-tls/1"

    @pytest.mark.parametrize(
        ("address", "token", "critical", "detail"),
        [
            ("127.0.0.2", TOKEN, True, "other_name"),
            ("", TOKEN, True, "other_name"),
            ("127.0.0.1", "another", True, "other_token"),
            ("127.0.0.1", TOKEN, False, "other_token"),
        ],
    )
    def test_is_not_proved_by_another_certificate(
        self, stub: MakeStub, tmp_path: Path, address: str, token: str, critical: bool, detail: str
    ) -> None:
        identity = an_identity(tmp_path, "x", address=address, extra=((self.extension(token), critical),))
        answer = self.probe(stub(speaking(identity, alpn=tls.ALPN)))
        assert (answer.outcome, answer.detail) == (Outcome.OTHER_KEY, detail)

    def test_is_not_proved_by_the_everyday_certificate(self, stub: MakeStub, tmp_path: Path) -> None:
        identity = an_identity(tmp_path, "x", address="127.0.0.1")
        answer = self.probe(stub(speaking(identity, alpn=tls.ALPN)))
        assert (answer.outcome, answer.detail) == (Outcome.OTHER_KEY, "no_extension")
        answer = self.probe(stub(speaking(identity)))
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "no_alpn")

    def test_asks_by_the_name_that_addresses_have(self) -> None:
        assert tls.reverse_name(SERVER) == "2.100.51.198.in-addr.arpa"
        assert tls.reverse_name(SERVER6).endswith(".8.b.d.0.1.0.0.2.ip6.arpa")


class TestFingerprint:
    @pytest.mark.parametrize("form", ["{}", "SHA256:{}", "sha-256 fingerprint={}", " {}\n"])
    def test_is_read_as_tools_print_it(self, form: str) -> None:
        plain = "ab" * 32
        colons = ":".join(["AB"] * 32)
        assert tls.parse_fingerprint(form.format(plain)) == plain
        assert tls.parse_fingerprint(form.format(colons)) == plain

    @pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 20])
    def test_is_refused_when_it_is_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="64 hex digits"):
            tls.parse_fingerprint(text)
