"""OpenVPN against the real daemon, over UDP and TCP, across a line that may lose packets."""

import contextlib
import ipaddress
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rahdari.probe import Advice, advice_for, openvpn, openvpn_keys
from rahdari.probe.outcome import Outcome, Over, ProbeAnswer
from tests.needs import needs_program
from tests.waiting import until

from .certificates import Identity, an_identity
from .networks import ALLOWED, SERVER, SERVER6, Line, a_line, asleep, running

NOBODY = "00" * 32
PORT = 1194


class Daemon:
    def __init__(self, line: Line, identity: Identity, process: subprocess.Popen[bytes] | None = None) -> None:
        self.line, self.identity, self.process = line, identity, process

    def asleep(self, seconds: float | None = None) -> contextlib.AbstractContextManager[None]:
        assert self.process is not None
        return asleep(self.process, seconds)

    def probe(
        self, *, tcp: bool, fingerprint: str = "", timeout: float = 30.0, address: object = SERVER, **hidden: str
    ) -> ProbeAnswer:
        wanted = fingerprint or self.identity.fingerprint
        return self.line.at_prober(
            lambda: openvpn.match_certificate(
                address,  # type: ignore[arg-type]
                port=PORT,
                fingerprint=wanted,
                tcp=tcp,
                timeout=timeout,
                allowed_ranges=ALLOWED,
                **hidden,
            )
        )


@contextlib.contextmanager
def a_daemon(folder: Path, *, tcp: bool, more: str = "") -> Iterator[Daemon]:
    program = needs_program("openvpn", "apt-get install openvpn")
    identity = an_identity(folder, "server.sample.example")
    settings = folder / "server.conf"
    settings.write_text(
        f"proto {'tcp6-server' if tcp else 'udp6'}\nport {PORT}\nmultihome\n"
        f"dev tun\ntopology subnet\nserver 192.0.2.0 255.255.255.240\n"
        f"ca {identity.certificate}\ncert {identity.certificate}\nkey {identity.key}\ndh none\n"
        f"disable-dco\nkeepalive 10 60\nverb 4\n{more}"
    )
    if tcp:
        settings.write_text(settings.read_text().replace("multihome\n", ""))
    log = folder / "log"
    with a_line() as line, running(line.on_server(program, "--config", settings), log) as process:
        until(lambda: process.poll() is None and b"Initialization Sequence Completed" in log.read_bytes(), log)
        yield Daemon(line, identity, process)


@pytest.fixture(params=["udp", "tcp"])
def tcp(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "tcp")


@pytest.fixture
def daemon(tmp_path: Path, tcp: bool) -> Iterator[Daemon]:
    with a_daemon(tmp_path, tcp=tcp) as daemon:
        yield daemon


class TestMatchCertificate:
    @pytest.mark.parametrize("address", [SERVER, SERVER6])
    def test_proves_the_daemon_by_its_certificate(self, daemon: Daemon, tcp: bool, address: object) -> None:
        answer = daemon.probe(tcp=tcp, address=address)
        assert (answer.outcome, answer.key) == (Outcome.PROVED, daemon.identity.fingerprint)

    def test_says_which_other_certificate_answered(self, daemon: Daemon, tcp: bool) -> None:
        answer = daemon.probe(tcp=tcp, fingerprint=NOBODY)
        assert (answer.outcome, answer.key) == (Outcome.OTHER_KEY, daemon.identity.fingerprint)

    @pytest.mark.parametrize("percent", [10, pytest.param(30, marks=pytest.mark.whole)])
    def test_gets_through_a_line_that_loses_packets(self, daemon: Daemon, tcp: bool, percent: int) -> None:
        daemon.line.lose(percent)
        outcomes = [daemon.probe(tcp=tcp, timeout=20.0).outcome]
        while outcomes[-1] is not Outcome.PROVED and len(outcomes) < 4:
            assert outcomes[-1] in {Outcome.TIMED_OUT, Outcome.SILENT, Outcome.ANSWERED, Outcome.RESET}
            outcomes.append(daemon.probe(tcp=tcp, timeout=20.0).outcome)
        assert outcomes[-1] is Outcome.PROVED

    def test_proves_one_that_ends_a_stranger_before_its_last_word(self, tmp_path: Path, tcp: bool) -> None:
        """TLS 1.2: the server wants the client's certificate before it ends the handshake, and has signed by then."""
        with a_daemon(tmp_path, tcp=tcp, more="tls-version-max 1.2\n") as daemon:
            answer = daemon.probe(tcp=tcp)
        assert (answer.outcome, answer.key) == (Outcome.PROVED, daemon.identity.fingerprint)

    @pytest.mark.whole
    def test_waits_for_a_slow_daemon(self, daemon: Daemon, tcp: bool) -> None:
        with daemon.asleep(1.5):
            assert daemon.probe(tcp=tcp).outcome is Outcome.PROVED

    @pytest.mark.whole
    def test_hears_nothing_from_one_that_sleeps(self, daemon: Daemon, tcp: bool) -> None:
        with daemon.asleep():
            answer = daemon.probe(tcp=tcp, timeout=1.2)
        assert answer.outcome is (Outcome.TIMED_OUT if tcp else Outcome.SILENT)

    def test_is_told_when_nothing_listens(self, tmp_path: Path, tcp: bool) -> None:
        with a_line() as line:
            answer = Daemon(line, an_identity(tmp_path, "x")).probe(tcp=tcp)
        assert answer.outcome is Outcome.REFUSED


@dataclass(frozen=True)
class Hidden:
    """A daemon's settings, and what a client's profile says of them."""

    server: str
    profile: str


def hide(folder: Path, how: str) -> Hidden:
    program = needs_program("openvpn", "apt-get install openvpn")
    key = folder / "shared.key"

    def make(*words: str | Path) -> None:
        subprocess.run([program, "--genkey", *map(str, words)], check=True, capture_output=True)

    if how == "tls-crypt-v2":
        make("tls-crypt-v2-server", folder / "v2.key")
        subprocess.run(
            [program, "--tls-crypt-v2", folder / "v2.key", "--genkey", "tls-crypt-v2-client", key],
            check=True,
            capture_output=True,
        )
        return Hidden(f"tls-crypt-v2 {folder}/v2.key\n", f"<tls-crypt-v2>\n{key.read_text()}</tls-crypt-v2>\n")
    make("secret", key)
    if how == "tls-crypt":
        return Hidden(f"tls-crypt {key}\n", f"<tls-crypt>\n{key.read_text()}</tls-crypt>\n")
    direction, digest = {"tls-auth": ("", ""), "tls-auth 1": ("1", ""), "tls-auth SHA512": ("1", "SHA512")}[how]
    server = f"tls-auth {key} {'0' if direction else ''}\n" + (f"auth {digest}\n" if digest else "")
    client = f"key-direction {direction}\n" if direction else ""
    client += f"auth {digest}\n" if digest else ""
    return Hidden(server, f"{client}<tls-auth>\n{key.read_text()}</tls-auth>\n")


class TestBehindASharedKey:
    @pytest.mark.parametrize(
        "how",
        [
            "tls-auth",
            "tls-crypt",
            *(pytest.param(one, marks=pytest.mark.whole) for one in ("tls-auth 1", "tls-auth SHA512", "tls-crypt-v2")),
        ],
    )
    def test_silence_proves_nothing_and_a_profile_made_for_the_check_proves(
        self, tmp_path: Path, tcp: bool, how: str
    ) -> None:
        hidden = hide(tmp_path, how)
        profile = openvpn_keys.read_profile(hidden.profile)
        other = "ab" * 256
        with a_daemon(tmp_path / "daemon", tcp=tcp, more=hidden.server) as daemon:
            bare = daemon.probe(tcp=tcp, timeout=1.2)
            assert bare.outcome in {Outcome.SILENT, Outcome.TIMED_OUT, Outcome.RESET} and bare.key == ""
            assert advice_for(bare)[0] is Advice.GIVE_SHARED_KEY
            given = {"wrap": profile.wrap, "direction": profile.direction, "digest": profile.digest}
            answer = daemon.probe(tcp=tcp, shared_key=profile.shared_key, **given)
            assert (answer.outcome, answer.key) == (Outcome.PROVED, daemon.identity.fingerprint)
            if not tcp and how == "tls-crypt":
                daemon.line.lose(30)
                outcomes: list[Outcome] = []
                while Outcome.PROVED not in outcomes and len(outcomes) < 4:
                    lossy = daemon.probe(tcp=False, timeout=20.0, shared_key=profile.shared_key, **given)
                    outcomes.append(lossy.outcome)
                assert outcomes[-1] is Outcome.PROVED, outcomes
            if not tcp and how != "tls-crypt-v2":
                key = f"-----BEGIN OpenVPN Static key V1-----\n{other}\n-----END OpenVPN Static key V1-----"
                wrong = daemon.probe(tcp=False, timeout=1.2, shared_key=key, **given)
                assert (wrong.outcome, advice_for(wrong)[0]) == (Outcome.SILENT, Advice.CHECK_SHARED_KEY)


class Server:
    """A server of TLS 1.2 in memory that wants a client's certificate. With `shown` it shows that one instead of its
    own, whose key it does not have.
    """

    def __init__(self, identity: Identity, shown: bytes = b"") -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(identity.certificate, identity.key)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(identity.certificate)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._shown, self._next, self._answers = shown, 1, list[bytes]()

    def send(self, packet: bytes) -> None:
        if packet[0] >> 3 == openvpn_keys.RESET_V2:
            self._answers.append(reset(packet))
        elif packet[0] >> 3 == openvpn.CONTROL:
            at = 10 + 4 * packet[9] + (8 if packet[9] else 0)
            self._in.write(packet[at + 4 :])
            with contextlib.suppress(ssl.SSLError):
                self._tls.do_handshake()
            said = self._out.read()
            if self._shown and said:
                said = with_certificate(said, self._shown)
            for start in range(0, len(said), 1000):
                head = bytes([openvpn.CONTROL << 3]) + b"sampleid" + b"\0"
                self._answers.append(head + self._next.to_bytes(4, "big") + said[start : start + 1000])
                self._next += 1

    def receive(self, *, within: float) -> bytes | None:
        if not self._answers:
            raise Over(Outcome.TIMED_OUT)
        return self._answers.pop(0)


def with_certificate(flight: bytes, der: bytes) -> bytes:
    """A flight of handshake records with another certificate in it."""
    handshake, at = b"", 0
    while at < len(flight) and flight[at] == 22:
        length = int.from_bytes(flight[at + 3 : at + 5], "big")
        handshake += flight[at + 5 : at + 5 + length]
        at += 5 + length
    made, rest = b"", handshake
    while rest:
        kind, length = rest[0], int.from_bytes(rest[1:4], "big")
        body, rest = rest[4 : 4 + length], rest[4 + length :]
        if kind == 11:
            one = len(der).to_bytes(3, "big") + der
            body = len(one).to_bytes(3, "big") + one
        message = bytes([kind]) + len(body).to_bytes(3, "big") + body
        made += b"\x16\x03\x03" + len(message).to_bytes(2, "big") + message
    return made + flight[at:]


class TestBeforeTheLastWord:
    """In TLS 1.2 the proof is the server's signature over its key exchange."""

    def test_the_holder_of_the_key_is_proved(self, tmp_path: Path) -> None:
        identity = an_identity(tmp_path, "server.sample.example")
        client = openvpn._Client(Server(identity), openvpn_keys.Plain())  # type: ignore[arg-type]
        assert client.certificate() == identity.fingerprint

    def test_whoever_shows_the_certificate_of_another_is_not(self, tmp_path: Path) -> None:
        thief, victim = an_identity(tmp_path, "thief"), an_identity(tmp_path, "victim")
        client = openvpn._Client(Server(thief, victim.der), openvpn_keys.Plain())  # type: ignore[arg-type]
        with pytest.raises(Over) as over:
            client.certificate()
        assert over.value.outcome is Outcome.ANSWERED and "signature" in over.value.detail


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def ask(port: socket.socket, answer: Callable[[bytes], list[bytes]], timeout: float = 30.0) -> ProbeAnswer:
    """Probe a stranger who sends these packets for each of ours."""

    def serve() -> None:
        while True:
            packet, sender = port.recvfrom(4096)
            if not packet:
                return
            for given in answer(packet):
                port.sendto(given, sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return openvpn.match_certificate(
            ipaddress.ip_address("127.0.0.1"),
            port=port.getsockname()[1],
            fingerprint=NOBODY,
            timeout=timeout,
            allowed_ranges=["127.0.0.0/8"],
        )
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", port.getsockname())  # the end
        thread.join()


def reset(packet: bytes, session: bytes = b"sampleid") -> bytes:
    return bytes([openvpn.RESET_SERVER << 3]) + session + b"\1" + bytes(4) + packet[1:9] + bytes(4)


class TestStrangers:
    def test_that_echo_are_told_apart(self, port: socket.socket) -> None:
        assert ask(port, lambda packet: [packet] * 5).outcome is Outcome.MALFORMED

    def test_that_answer_the_reset_and_go_are_daemons_unproved(self, port: socket.socket) -> None:
        def only(packet: bytes) -> list[bytes]:
            return [reset(packet)] if packet[0] >> 3 == openvpn_keys.RESET_V2 else []

        answer = ask(port, only, timeout=2.0)
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "then_timed_out")

    def test_that_answer_for_another_session_are_not_heard(self, port: socket.socket) -> None:
        forged = ask(port, lambda packet: [reset(b"x" + b"another!" + packet[9:])] * 5)
        assert forged.outcome is Outcome.MALFORMED

    def test_that_send_no_tls_are_daemons_unproved(self, port: socket.socket) -> None:
        def answer(packet: bytes) -> list[bytes]:
            if packet[0] >> 3 == openvpn_keys.RESET_V2:
                return [reset(packet)]
            head = bytes([openvpn.CONTROL << 3]) + b"sampleid" + b"\0"
            return [head + b"\0\0\0\1" + b"no tls at all" * 10]

        assert ask(port, answer).outcome is Outcome.ANSWERED

    def test_that_send_far_numbers_are_left(self, port: socket.socket) -> None:
        def answer(packet: bytes) -> list[bytes]:
            far = bytes([openvpn.CONTROL << 3]) + b"sampleid" + b"\0" + b"\xff\xff\xff\xff" + b"x"
            return [reset(packet), far]

        assert (ask(port, answer).outcome, ask(port, answer).detail) == (Outcome.ANSWERED, "out_of_order")
