"""WireGuard against wireguard-go, across a line that may lose packets."""

import ipaddress
import itertools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rahdari.probe import wireguard
from rahdari.probe.outcome import Outcome, ProbeAnswer
from rahdari.probe.xchacha import hchacha20, open_xchacha
from tests.needs import needs_program
from tests.waiting import until

from .networks import ALLOWED, SERVER, SERVER6, Line, a_line, asleep, running, takes_orders

PORT = 51820
OURS = wireguard.new_key()
THEIRS = wireguard.new_key()
_numbers = itertools.count(1)
LOOPBACK = ipaddress.ip_address("127.0.0.1")


class Endpoint:
    """A freelancer's server, and what its owner does at it."""

    def __init__(self, line: Line, device: str, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.line = line
        self.device = device
        self.process = process
        self.folder = folder

    def wg(self, *words: str) -> str:
        return self.line.run_on_server("wg", *words)

    def add_peer(self, public: str, *, psk: str = "") -> None:
        words = ["set", self.device, "peer", public]
        if psk:
            path = self.folder / "psk"
            path.write_text(psk)
            words += ["preshared-key", str(path)]
        self.wg(*words)

    def probe(self, **other: object) -> ProbeAnswer:
        given: dict[str, object] = {"address": SERVER, "peer_key": THEIRS[1], "timeout": 30.0, **other}
        address = given.pop("address")
        return self.line.at_prober(
            lambda: wireguard.shake_hands(address, port=PORT, private_key=OURS[0], allowed_ranges=ALLOWED, **given)  # type: ignore[arg-type]
        )


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    daemon = needs_program("wireguard-go", "apt-get install wireguard-go")
    needs_program("wg", "apt-get install wireguard-tools")
    # The daemons of all namespaces have their sockets in one folder, by the name of the device.
    device = f"wg{os.getpid() % 10**7}x{next(_numbers)}"
    with a_line() as line, running(line.on_server(daemon, "-f", device), tmp_path / "log") as process:
        endpoint = Endpoint(line, device, process, tmp_path)
        key = tmp_path / "key"
        key.write_text(THEIRS[0])
        until(lambda: takes_orders(device), tmp_path / "log")
        endpoint.wg("set", device, "private-key", str(key), "listen-port", str(PORT))
        line.run_on_server("ip", "link", "set", device, "up")
        yield endpoint


def shook_hands(endpoint: "Endpoint") -> bool:
    return endpoint.wg("show", endpoint.device, "latest-handshakes").split()[1] != "0"


class TestShakeHands:
    @pytest.mark.parametrize("address", [SERVER, SERVER6])
    def test_proves_the_holder_of_the_key_who_added_ours(self, endpoint: Endpoint, address: object) -> None:
        endpoint.add_peer(OURS[1])
        answer = endpoint.probe(address=address)
        assert (answer.outcome, answer.key) == (Outcome.PROVED, THEIRS[1])

        # The other side has a session too: our confirmation opened there. It is one packet, which may be lost; the
        # proof stands without it, and so the next probe sends another.
        def opened() -> bool:
            if not shook_hands(endpoint):
                endpoint.probe(address=address)
            return shook_hands(endpoint)

        until(opened)

    def test_uses_the_preshared_key(self, endpoint: Endpoint) -> None:
        psk = wireguard.new_key()[0]
        endpoint.add_peer(OURS[1], psk=psk)
        assert endpoint.probe(psk=psk).outcome is Outcome.PROVED
        assert endpoint.probe(timeout=1.5).outcome is Outcome.SILENT

    def test_hears_nothing_before_our_key_was_added(self, endpoint: Endpoint) -> None:
        answer = endpoint.probe(timeout=1.5)
        assert (answer.outcome, answer.key) == (Outcome.SILENT, "")
        # Twice in a second and a half, where the machine has the time for it.
        assert 1 <= answer.sent <= 2

    def test_hears_nothing_from_the_holder_of_another_key(self, endpoint: Endpoint) -> None:
        endpoint.add_peer(OURS[1])
        assert endpoint.probe(peer_key=wireguard.new_key()[1], timeout=1.5).outcome is Outcome.SILENT

    def test_waits_for_a_slow_daemon(self, endpoint: Endpoint) -> None:
        endpoint.add_peer(OURS[1])
        with asleep(endpoint.process, 1.5):
            assert endpoint.probe().outcome is Outcome.PROVED

    def test_begins_at_the_time_that_it_is_given(self, endpoint: Endpoint) -> None:
        """Places that ask one after another: a peer takes no initiation with an earlier time than the last."""
        endpoint.add_peer(OURS[1])
        moment = time.time_ns() // 1000 + 3_600_000_000
        assert endpoint.probe(moment=moment).outcome is Outcome.PROVED
        assert endpoint.probe(timeout=1.2).outcome is Outcome.SILENT
        assert endpoint.probe(moment=moment + 10_000_000).outcome is Outcome.PROVED

    def test_is_told_when_the_port_is_closed(self, endpoint: Endpoint) -> None:
        answer = endpoint.line.at_prober(
            lambda: wireguard.shake_hands(
                SERVER, port=PORT + 1, private_key=OURS[0], peer_key=THEIRS[1], allowed_ranges=ALLOWED
            )
        )
        assert answer.outcome is Outcome.REFUSED

    @pytest.mark.parametrize("percent", [10, pytest.param(30, marks=pytest.mark.whole)])
    def test_gets_through_a_line_that_loses_packets(self, endpoint: Endpoint, percent: int) -> None:
        endpoint.add_peer(OURS[1])
        endpoint.line.lose(percent)
        # Each try needs two packets; at 30 % each way 20 tries in a row fail once in a million times.
        assert endpoint.probe(timeout=20.0).outcome is Outcome.PROVED


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def ask(port: socket.socket, answer: Callable[[bytes, int], list[bytes]], timeout: float = 30.0) -> ProbeAnswer:
    """Probe a stranger who sends these packets for each of ours."""
    port.settimeout(60)

    def serve() -> None:
        turn = 0
        try:
            while True:
                packet, sender = port.recvfrom(4096)
                if not packet:
                    return
                for given in answer(packet, turn):
                    port.sendto(given, sender)
                turn += 1
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return wireguard.shake_hands(
            LOOPBACK,
            port=port.getsockname()[1],
            private_key=OURS[0],
            peer_key=THEIRS[1],
            timeout=timeout,
            allowed_ranges=["127.0.0.0/8"],
        )
    finally:
        port.settimeout(None)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", port.getsockname())  # the end
        thread.join()


class TestStrangers:
    def test_that_echo_what_we_send_prove_nothing(self, port: socket.socket) -> None:
        assert ask(port, lambda packet, turn: [packet], timeout=2.0).outcome in {Outcome.SILENT, Outcome.MALFORMED}

    def test_that_send_responses_of_the_right_form_prove_nothing(self, port: socket.socket) -> None:
        forged = ask(port, lambda packet, turn: [b"\2\0\0\0" + bytes(4) + packet[4:8] + bytes(80)] * 6)
        assert (forged.outcome, forged.detail) == (Outcome.MALFORMED, "no_handshake")

    def test_that_flood_are_left(self, port: socket.socket) -> None:
        assert ask(port, lambda packet, turn: [b"x" * 1000] * 50).outcome is Outcome.MALFORMED

    def test_that_send_empty_packets_do_no_harm(self, port: socket.socket) -> None:
        assert ask(port, lambda packet, turn: [b""], timeout=1.2).outcome in {Outcome.SILENT, Outcome.MALFORMED}

    def test_elsewhere_than_in_the_open_net_are_not_asked(self) -> None:
        answer = wireguard.shake_hands(LOOPBACK, port=1, private_key=OURS[0], peer_key=THEIRS[1])
        assert (answer.outcome, answer.sent) == (Outcome.NOT_GLOBAL, 0)


class TestCookie:
    def test_is_shown_with_the_next_initiation(self) -> None:
        handshake = wireguard.Handshake(wireguard.parse_key(OURS[0]), wireguard.parse_key(THEIRS[1]), bytes(32))
        first = handshake.initiation()
        assert first[132:] == bytes(16)
        assert not handshake.take_cookie(b"\3\0\0\0" + first[4:8] + bytes(56))
        assert handshake.cookie is None

    def test_opens_as_the_draft_says(self) -> None:
        """draft-irtf-cfrg-xchacha-03, 2.2.1 and A.3.1."""
        key = bytes(range(32))
        nonce = bytes.fromhex("000000090000004a0000000031415927")
        derived = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
        assert hchacha20(key, nonce).hex() == derived
        text = (
            b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
            b"would be it."
        )
        sealed = bytes.fromhex(
            "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c"
            "54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da97688"
            "12f615c68b13b52ec0875924c1c7987947deafd8780acf49"
        )
        associated = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
        nonce = bytes(range(0x40, 0x58))
        assert open_xchacha(bytes(range(0x80, 0xA0)), nonce, sealed, associated) == text
        assert open_xchacha(bytes(range(0x80, 0xA0)), nonce, sealed, b"") is None


class TestKeys:
    def test_are_read_as_wg_writes_them(self) -> None:
        private, public = wireguard.new_key()
        assert wireguard.format_key(wireguard.parse_key(f" {public}\n")) == public
        assert private != public

    @pytest.mark.parametrize("text", ["", "x", "A" * 43, "A" * 44, "!" * 44])
    def test_are_refused_when_they_are_none(self, text: str) -> None:
        with pytest.raises(ValueError, match="44 signs"):
            wireguard.parse_key(text)
