"""OpenVPN against the real daemon, over UDP and TCP, across a line that may lose packets."""

import contextlib
import ipaddress
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rahdari.probe import openvpn
from rahdari.probe.outcome import Outcome, ProbeAnswer
from tests.needs import needs_program

from .certificates import Identity, an_identity
from .networks import ALLOWED, SERVER, SERVER6, Line, a_line, running

NOBODY = "00" * 32
PORT = 1194


class Daemon:
    def __init__(self, line: Line, identity: Identity, folder: Path) -> None:
        self.line, self.identity, self.folder = line, identity, folder

    def probe(
        self, *, tcp: bool, fingerprint: str = "", timeout: float = 10.0, address: object = SERVER
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
        ends = time.monotonic() + 30
        while b"Initialization Sequence Completed" not in log.read_bytes():
            assert process.poll() is None and time.monotonic() < ends, log.read_text()
            threading.Event().wait(0.02)
        yield Daemon(line, identity, folder)


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

    @pytest.mark.parametrize("percent", [10, 30])
    def test_gets_through_a_line_that_loses_packets(self, daemon: Daemon, tcp: bool, percent: int) -> None:
        daemon.line.lose(percent)
        outcomes = [daemon.probe(tcp=tcp, timeout=20.0).outcome]
        while outcomes[-1] is not Outcome.PROVED and len(outcomes) < 4:
            assert outcomes[-1] in {Outcome.TIMED_OUT, Outcome.SILENT, Outcome.ANSWERED, Outcome.RESET}
            outcomes.append(daemon.probe(tcp=tcp, timeout=20.0).outcome)
        assert outcomes[-1] is Outcome.PROVED

    def test_hears_nothing_from_a_daemon_with_tls_crypt(self, tmp_path: Path) -> None:
        program = needs_program("openvpn", "apt-get install openvpn")
        key = tmp_path / "tc.key"
        subprocess.run([program, "--genkey", "tls-crypt", str(key)], check=True, capture_output=True)
        with a_daemon(tmp_path / "daemon", tcp=False, more=f"tls-crypt {key}\n") as daemon:
            answer = daemon.probe(tcp=False, timeout=2.5)
        assert (answer.outcome, answer.key) == (Outcome.SILENT, "")

    def test_is_told_when_nothing_listens(self, tmp_path: Path, tcp: bool) -> None:
        with a_line() as line:
            answer = Daemon(line, an_identity(tmp_path, "x"), tmp_path).probe(tcp=tcp)
        assert answer.outcome is Outcome.REFUSED


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def ask(port: socket.socket, answer: Callable[[bytes], list[bytes]], timeout: float = 2.0) -> ProbeAnswer:
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
        answer = ask(port, lambda packet: [reset(packet)] if packet[0] >> 3 == openvpn.RESET_CLIENT else [])
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "then_timed_out")

    def test_that_answer_for_another_session_are_not_heard(self, port: socket.socket) -> None:
        forged = ask(port, lambda packet: [reset(b"x" + b"another!" + packet[9:])] * 5)
        assert forged.outcome is Outcome.MALFORMED

    def test_that_send_no_tls_are_daemons_unproved(self, port: socket.socket) -> None:
        def answer(packet: bytes) -> list[bytes]:
            if packet[0] >> 3 == openvpn.RESET_CLIENT:
                return [reset(packet)]
            head = bytes([openvpn.CONTROL << 3]) + b"sampleid" + b"\0"
            return [head + b"\0\0\0\1" + b"no tls at all" * 10]

        assert ask(port, answer).outcome is Outcome.ANSWERED

    def test_that_send_far_numbers_are_left(self, port: socket.socket) -> None:
        def answer(packet: bytes) -> list[bytes]:
            far = bytes([openvpn.CONTROL << 3]) + b"sampleid" + b"\0" + b"\xff\xff\xff\xff" + b"x"
            return [reset(packet), far]

        assert (ask(port, answer).outcome, ask(port, answer).detail) == (Outcome.ANSWERED, "out_of_order")
