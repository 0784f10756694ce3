"""IKEv2 against strongSwan, across a line that may lose packets, and against strangers."""

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from rahdari.probe import ikev2
from rahdari.probe.ikev2 import groups, messages, proposals, signing
from rahdari.probe.ikev2.messages import Message, NotIke, Payload
from rahdari.probe.ikev2.sealing import Keys
from rahdari.probe.outcome import Outcome, ProbeAnswer
from tests.waiting import until

from .certificates import Identity, an_identity
from .charon import Charon, a_charon
from .networks import ALLOWED, SERVER, SERVER6, a_line

NOBODY = "00" * 32


@pytest.fixture
def charon(tmp_path: Path) -> Iterator[Charon]:
    with a_charon(tmp_path / "charon") as charon:
        yield charon


def leave_half_open() -> None:
    """Begin, and never go on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.settimeout(60)
        channel.connect((str(SERVER), 500))
        channel.send(opening(group=19))
        assert messages.only(payloads(channel.recv(4096)), messages.SA)


def opening(*, group: int) -> bytes:
    first, body = messages.chain(
        [
            Payload(messages.SA, proposals.offer()),
            Payload(messages.KE, group.to_bytes(2, "big") + bytes(2) + groups.key_pair(group).public),
            Payload(messages.NONCE, bytes(32)),
        ]
    )
    return messages.header(b"half-way", bytes(8), first, messages.SA_INIT, 0, messages.HEADER + len(body)) + body


def payloads(data: bytes) -> list[Payload]:
    message = Message.read(data)
    return messages.unchain(message.first, message.body)


class TestMatchCertificate:
    @pytest.mark.parametrize("address", [SERVER, SERVER6])
    def test_proves_the_responder_by_its_certificate(self, charon: Charon, address: object) -> None:
        answer = charon.probe(address=address)
        assert (answer.outcome, answer.key) == (Outcome.PROVED, charon.identity.fingerprint)
        assert answer.more["port"] in {500, 4500}
        # Nothing is left half open there.
        until(lambda: charon.swanctl("--list-sas") == "")

    def test_proves_it_at_4500_where_500_is_closed_to_us(self, charon: Charon) -> None:
        drop = "table inet closed { chain i { type filter hook input priority 0; udp dport 500 drop; }; }\n"
        charon.line.run_on_server("nft", "-f", "-", text=drop)
        answer = charon.probe()
        assert (answer.outcome, answer.more["port"]) == (Outcome.PROVED, 4500)

    def test_proves_it_at_a_port_of_its_own(self, tmp_path: Path) -> None:
        with a_charon(tmp_path / "charon", daemon="port = 5000\n  port_nat_t = 5001") as charon:
            assert charon.probe(port=5001).outcome is Outcome.PROVED

    def test_says_which_other_certificate_answered(self, charon: Charon) -> None:
        answer = charon.probe(fingerprint=NOBODY)
        assert (answer.outcome, answer.key) == (Outcome.OTHER_KEY, charon.identity.fingerprint)

    def test_asks_for_the_server_by_name(self, charon: Charon) -> None:
        assert charon.probe(name="server.sample.example").outcome is Outcome.PROVED
        other = charon.probe(name="other.sample.example")
        assert (other.outcome, other.detail) == (Outcome.ANSWERED, "authentication_failed")

    @pytest.mark.parametrize(
        ("offered", "suite"),
        [
            ("aes256gcm16-prfsha384-x25519", "20-256/6/0/31"),
            ("aes128gcm16-prfsha256-ecp384", "20-128/5/0/20"),
            ("chacha20poly1305-prfsha512-modp3072", "28-0/7/0/15"),
            ("aes192-sha384-prfsha384-ecp521", "12-192/6/13/21"),
            ("aes256-sha512-modp4096", "12-256/7/14/16"),
            ("aes128-sha1-modp1024", "12-128/2/2/2"),
            ("aes256-sha256-modp2048", "12-256/5/12/14"),
        ],
    )
    def test_speaks_what_old_and_new_routers_speak(self, tmp_path: Path, offered: str, suite: str) -> None:
        with a_charon(tmp_path / "charon", connection=f"proposals = {offered}") as charon:
            answer = charon.probe()
        assert (answer.outcome, answer.more["suite"]) == (Outcome.PROVED, suite)

    @pytest.mark.parametrize(
        ("kind", "daemon", "method"),
        [
            ("rsa", "", 14),
            ("rsa", "signature_authentication = no", 1),
            ("ec", "signature_authentication = no", 9),
            ("rsa", "rsa_pss = yes", 14),
            ("ed25519", "", 14),
        ],
    )
    def test_knows_the_signatures(self, tmp_path: Path, kind: str, daemon: str, method: int) -> None:
        with a_charon(tmp_path / "charon", kind=kind, daemon=daemon) as charon:
            answer = charon.probe()
        assert (answer.outcome, answer.more["auth_method"]) == (Outcome.PROVED, method)

    def test_puts_together_what_comes_in_parts(self, tmp_path: Path) -> None:
        with a_charon(
            tmp_path / "charon", kind="rsa", connection="fragmentation = force", daemon="fragment_size = 400"
        ) as charon:
            charon.line.lose(10)
            answer = charon.probe(timeout=20.0)
            assert answer.outcome is Outcome.PROVED
            assert "IKE_AUTH response 1 [ EF(" in charon.log()

    def test_shows_the_cookie_that_a_busy_responder_asks_for(self, tmp_path: Path) -> None:
        with a_charon(tmp_path / "charon", daemon="cookie_threshold = 1\n  cookie_threshold_ip = 1") as charon:
            charon.line.at_prober(leave_half_open)
            answer = charon.probe()
        assert (answer.outcome, answer.more["cookie"]) == (Outcome.PROVED, True)

    def test_finds_no_suite_in_common(self, tmp_path: Path) -> None:
        with a_charon(tmp_path / "charon", connection="proposals = aes128ctr-sha256-curve448") as charon:
            answer = charon.probe()
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "no_proposal_chosen")

    def test_says_that_a_client_certificate_is_wanted_first(self, tmp_path: Path) -> None:
        with a_charon(tmp_path / "charon", remote="auth = pubkey") as charon:
            answer = charon.probe()
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "authentication_failed")

    def test_takes_a_shared_key_for_no_certificate(self, tmp_path: Path) -> None:
        with a_charon(tmp_path / "charon", local="auth = psk") as charon:
            answer = charon.probe()
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "no_certificate")

    @pytest.mark.parametrize("percent", [10, pytest.param(30, marks=pytest.mark.whole)])
    def test_gets_through_a_line_that_loses_packets(self, charon: Charon, percent: int) -> None:
        charon.line.lose(percent)
        # Two exchanges, each tried again twice a second: at 30 % each way, ten seconds fail in three of 100,000 runs.
        assert charon.probe(timeout=20.0).outcome is Outcome.PROVED

    @pytest.mark.whole
    def test_waits_for_a_slow_responder(self, charon: Charon) -> None:
        with charon.asleep(1.5):
            assert charon.probe().outcome is Outcome.PROVED

    @pytest.mark.whole
    def test_hears_nothing_from_one_that_sleeps(self, charon: Charon) -> None:
        with charon.asleep():
            answer = charon.probe(timeout=2.2)
        assert (answer.outcome, answer.key) == (Outcome.SILENT, "")
        # Five times in as many halves of a second, where the machine has the time for it.
        assert 2 <= answer.sent <= 5

    def test_is_told_when_nothing_listens(self) -> None:
        with a_line() as line:
            answer = line.at_prober(
                lambda: ikev2.match_certificate(SERVER, fingerprint=NOBODY, timeout=30.0, allowed_ranges=ALLOWED)
            )
        assert answer.outcome is Outcome.REFUSED

    def test_asks_nobody_outside_of_the_open_net(self) -> None:
        answer = ikev2.match_certificate(ipaddress.ip_address("127.0.0.1"), fingerprint=NOBODY)
        assert (answer.outcome, answer.sent) == (Outcome.NOT_GLOBAL, 0)


type Answers = Callable[[bytes], list[bytes]]


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def ask(port: socket.socket, answers: Answers, timeout: float = 30.0) -> ProbeAnswer:
    """Probe a stranger who sends these messages for each of ours, each behind the marker of 4500."""

    def serve() -> None:
        while True:
            packet, sender = port.recvfrom(4096)
            if not packet:
                return
            for answer in answers(packet[4:]):
                port.sendto(bytes(4) + answer, sender)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        return ikev2.match_certificate(
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


def answer_to(request: bytes, *content: Payload) -> bytes:
    first, body = messages.chain(content)
    made = messages.header(request[:8], b"stranger", first, messages.SA_INIT, 0, messages.HEADER + len(body)) + body
    return made[:19] + bytes([messages.RESPONSE]) + made[20:]


class TestStrangers:
    def test_that_echo_are_told_apart(self, port: socket.socket) -> None:
        assert ask(port, lambda packet: [packet] * 20).outcome is Outcome.MALFORMED

    def test_that_answer_for_another_are_not_heard(self, port: socket.socket) -> None:
        forged = ask(
            port, lambda packet: [answer_to(b"another!" + packet[8:], Payload(messages.NONCE, bytes(32)))] * 20
        )
        assert forged.outcome is Outcome.MALFORMED

    def test_that_ask_for_ever_other_cookies_are_left(self, port: socket.socket) -> None:
        turns = iter(range(100))

        def again(packet: bytes) -> list[bytes]:
            return [answer_to(packet, messages.notification(messages.COOKIE, bytes([next(turns)]) * 8))]

        answer = ask(port, again)
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "cookie")

    @pytest.mark.parametrize("group", [0, 1, 31, 65535])
    def test_that_ask_for_a_group_that_we_did_not_offer_are_left(self, port: socket.socket, group: int) -> None:
        wish = messages.notification(messages.INVALID_KE_PAYLOAD, group.to_bytes(2, "big"))
        answer = ask(port, lambda packet: [answer_to(packet, wish)])
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "no_proposal_chosen")

    def test_that_choose_what_was_not_offered_are_left(self, port: socket.socket) -> None:
        both = (Payload(messages.SA, proposals.offer()), Payload(messages.NONCE, bytes(32)))
        answer = ask(port, lambda packet: [answer_to(packet, *both)])
        assert (answer.outcome, answer.detail) == (Outcome.ANSWERED, "strange_answer")

    @pytest.mark.parametrize("error", [7, 14, 60])
    def test_that_answer_with_an_error_are_responders_unproved(self, port: socket.socket, error: int) -> None:
        answer = ask(port, lambda packet: [answer_to(packet, messages.notification(error))])
        assert answer.outcome is Outcome.ANSWERED
        assert answer.detail == messages.NAMES.get(error, f"error_{error}")

    def test_that_send_broken_payloads_are_told_apart(self, port: socket.socket) -> None:
        broken = ask(port, lambda packet: [answer_to(packet, Payload(messages.SA, b""))[:-2] + b"\xff\xff"])
        assert (broken.outcome, broken.detail) == (Outcome.MALFORMED, "payloads")


SUITE = proposals.Chosen(proposals.AES_CBC, 256, 5, 12, 19)


class TestReading:
    @given(st.binary(max_size=300))
    def test_trusts_no_length(self, data: bytes) -> None:
        for read in (Message.read, proposals.chosen, lambda given: messages.unchain(33, given)):
            try:
                read(data)
            except NotIke:
                continue

    @given(st.binary(max_size=300), st.sampled_from([messages.SEALED, messages.SEALED_PART]))
    def test_opens_nothing_that_was_not_sealed_with_these_keys(self, sealed: bytes, kind: int) -> None:
        keys = Keys.of(SUITE, b"secret", nonces=b"nonces", spis=b"spis")
        _, body = messages.chain([Payload(kind, sealed)])
        raw = messages.header(b"initiato", b"responde", kind, messages.AUTH, 1, messages.HEADER + len(body)) + body
        with pytest.raises(NotIke):
            keys.open(Message.read(raw))

    @pytest.mark.parametrize("group", groups._MODP)
    def test_makes_the_primes_of_the_documents(self, group: int) -> None:
        made = groups.prime(*groups._MODP[group])
        # A safe prime, by Fermat to the base 2; a digit elsewhere would not be one.
        assert pow(2, made - 1, made) == 1 and pow(2, (made - 1) // 2 - 1, (made - 1) // 2) == 1

    @pytest.mark.parametrize("group", proposals.GROUPS)
    def test_agrees_in_every_group(self, group: int) -> None:
        one, other = groups.key_pair(group), groups.key_pair(group)
        assert one.agree(other.public) == other.agree(one.public)
        for wrong in (b"", bytes(len(other.public)), other.public + b"x"):
            with pytest.raises(ValueError):
                one.agree(wrong)


class TestSignature:
    """What a responder says of itself is the certificate; who it is, its key."""

    SAID = b"what was said"

    def signed(self, identity: Identity, said: bytes = SAID) -> bytes:
        key = serialization.load_pem_private_key(identity.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        made = key.sign(said, ec.ECDSA(hashes.SHA256()))
        algorithm = bytes.fromhex("300a06082a8648ce3d040302")
        return bytes([signing.DIGITAL_SIGNATURE, 0, 0, 0, len(algorithm)]) + algorithm + made

    def test_is_that_of_the_certificates_key(self, tmp_path: Path) -> None:
        own = an_identity(tmp_path, "own")
        assert signing.is_signed(own.der, self.signed(own), self.SAID)

    def test_of_another_key_or_over_other_words_is_none(self, tmp_path: Path) -> None:
        own, victim = an_identity(tmp_path, "own"), an_identity(tmp_path, "victim")
        old = an_identity(tmp_path, "old", kind="rsa")
        good = self.signed(own)
        assert not signing.is_signed(victim.der, good, self.SAID)
        assert not signing.is_signed(old.der, good, self.SAID)
        assert not signing.is_signed(own.der, self.signed(own, b"what was said before"), self.SAID)
        for broken in (b"", good[:4], good[:-1], b"\x01" + good[1:], b"\x02" + good[1:], good[:5] + b"x" + good[6:]):
            assert not signing.is_signed(own.der, broken, self.SAID)
        assert not signing.is_signed(b"no certificate", good, self.SAID)
