"""Prove a WireGuard endpoint: complete a handshake with it, as a peer that its owner added for this purpose.

The applicant adds our one-time public key as a peer without allowed addresses; nothing else changes for them. We send
handshake initiations (148 bytes); only the holder of the private key behind the claimed public key can answer with a
response (92 bytes) that opens, and it does so only because our key is among its peers. One empty packet then confirms
the session on their side, and nothing more is sent. WireGuard is silent to everybody else, so silence proves nothing.

Protocol: J. Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", section 5.4. Noise_IKpsk2. The cookie that a
busy endpoint asks for (section 5.4.7) is taken and shown.
"""

import base64
import binascii
import hashlib
import hmac
import os
import struct
import time
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from rahdari.address import Address, Block

from .channel import Channel, check_global
from .outcome import Outcome, Over, ProbeAnswer
from .xchacha import open_xchacha

PROTOCOL = "wireguard"
TIMEOUT = 10.0
# WireGuard itself tries again after five seconds. An endpoint takes no more than one initiation of a peer in 20 ms.
AGAIN_AFTER = 1.0
INITIATION, RESPONSE, COOKIE_REPLY, TRANSPORT = 1, 2, 3, 4
_LENGTHS = {RESPONSE: 92, COOKIE_REPLY: 64}
_CONSTRUCTION = b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"
_IDENTIFIER = b"WireGuard v1 zx2c4 Jason@zx2c4.com"
_NO_PSK = bytes(32)
# TAI64N: the TAI label of 1970 in seconds, ten more than UTC then. Only that it grows matters to the other side.
_TAI = 2**62 + 10


def parse_key(text: str) -> bytes:
    """The 32 bytes of a key as `wg` writes it. Raises ValueError."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise ValueError("a WireGuard key is 44 signs of base64") from None
    if len(key) != 32:
        raise ValueError("a WireGuard key is 44 signs of base64")
    return key


def format_key(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def new_key() -> tuple[str, str]:
    """A one-time pair: the private key, which we keep, and the public key for the applicant's list of peers."""
    private = X25519PrivateKey.generate()
    return format_key(private.private_bytes_raw()), format_key(private.public_key().public_bytes_raw())


def shake_hands(
    address: Address,
    *,
    port: int,
    private_key: str,
    peer_key: str,
    psk: str = "",
    moment: int = 0,
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
) -> ProbeAnswer:
    """One attempt at a handshake with the holder of `peer_key`. Never raises for what the other side does.

    PROVED, or SILENT (no answer in time: not our peer yet, another key, another port, or lost on the way), or what the
    network said. Raises ValueError for keys that are none. `moment`, in microseconds, is the time that the initiations
    begin to show; without it the clock's.
    """
    handshake = Handshake(
        parse_key(private_key), parse_key(peer_key), parse_key(psk) if psk else _NO_PSK, moment=moment
    )
    started = time.monotonic()
    try:
        check_global(address, allowed_ranges)
        channel = Channel(address, port, deadline=started + timeout, datagrams=True)
        try:
            outcome, detail = _exchange(channel, handshake)
        finally:
            channel.close()
    except Over as over:
        outcome, detail = over.outcome, over.detail
        if outcome is Outcome.TIMED_OUT:
            outcome = Outcome.SILENT
    return ProbeAnswer(
        outcome=outcome,
        protocol=PROTOCOL,
        key=peer_key.strip() if outcome is Outcome.PROVED else "",
        detail=detail,
        sent=handshake.sent,
        elapsed=time.monotonic() - started,
        more={"cookie": handshake.cookie is not None},
    )


def _exchange(channel: Channel, handshake: "Handshake") -> tuple[Outcome, str]:
    strange = 0
    while True:
        channel.send(handshake.initiation())
        again = time.monotonic() + AGAIN_AFTER
        while (left := again - time.monotonic()) > 0:
            packet = channel.datagram(within=left)
            if packet is None:
                break
            kind = packet[0] if packet else 0
            if _LENGTHS.get(kind) != len(packet):
                strange += 1
            elif kind == COOKIE_REPLY and handshake.take_cookie(packet):
                break  # once more at once, with the cookie
            elif kind == RESPONSE and (confirmation := handshake.open_response(packet)):
                channel.send(confirmation)
                return Outcome.PROVED, ""
            else:
                strange += 1
            # Something else lives at that port, or somebody else answers for it.
            if strange >= 5:
                return Outcome.MALFORMED, "no_handshake"


class Handshake:
    """The initiator's side. `initiation` begins anew each time it is asked."""

    def __init__(self, private: bytes, peer: bytes, psk: bytes, *, moment: int = 0) -> None:
        # A peer takes no initiation whose time is not later than that of the last.
        self._ahead = moment * 1000 - time.time_ns() if moment else 0
        self._static = X25519PrivateKey.from_private_bytes(private)
        self._peer = peer
        self._psk = psk
        self.cookie: bytes | None = None
        self.sent = 0
        self._begun: list[tuple[bytes, X25519PrivateKey, bytes, bytes, bytes]] = []

    def initiation(self) -> bytes:
        """148 bytes. The last few that were sent can still be answered."""
        index, ephemeral = os.urandom(4), X25519PrivateKey.generate()
        public = ephemeral.public_key().public_bytes_raw()
        chain = _hash(_CONSTRUCTION)
        told = _hash(_hash(chain + _IDENTIFIER) + self._peer)
        (chain,) = _kdf(1, chain, public)
        told = _hash(told + public)
        chain, key = _kdf(2, chain, _agree(ephemeral, self._peer))
        static = _seal(key, 0, self._static.public_key().public_bytes_raw(), told)
        told = _hash(told + static)
        chain, key = _kdf(2, chain, _agree(self._static, self._peer))
        timestamp = _seal(key, 0, _tai64n(time.time_ns() + self._ahead), told)
        told = _hash(told + timestamp)
        body = struct.pack("<I", INITIATION) + index + public + static + timestamp
        mac1 = _mac(_hash(b"mac1----" + self._peer), body)
        mac2 = _mac(self.cookie, body + mac1) if self.cookie else bytes(16)
        self._begun = [*self._begun[-4:], (index, ephemeral, chain, told, mac1)]
        self.sent += 1
        return body + mac1 + mac2

    def open_response(self, packet: bytes) -> bytes | None:
        """The packet that confirms the session, if the response is to one of ours and by the holder of the key."""
        _, theirs, receiver, public, sealed = struct.unpack("<I4s4s32s16s", packet[:60])
        for index, ephemeral, begun_chain, begun_told, _ in self._begun:
            if receiver != index:
                continue
            (chain,) = _kdf(1, begun_chain, public)
            told = _hash(begun_told + public)
            (chain,) = _kdf(1, chain, _agree(ephemeral, public))
            (chain,) = _kdf(1, chain, _agree(self._static, public))
            chain, mixed, key = _kdf(3, chain, self._psk)
            told = _hash(told + mixed)
            try:
                ChaCha20Poly1305(key).decrypt(bytes(12), sealed, told)
            except InvalidTag:
                return None
            sending, _ = _kdf(2, chain, b"")
            confirmation: bytes = _seal(sending, 0, b"", b"")
            return bytes([TRANSPORT, 0, 0, 0]) + bytes(theirs) + bytes(8) + confirmation
        return None

    def take_cookie(self, packet: bytes) -> bool:
        """Whether this is the cookie for one of our initiations; the next one will show it."""
        _, receiver, nonce = struct.unpack("<I4s24s", packet[:32])
        for index, _, _, _, mac1 in self._begun:
            if receiver == index:
                opened = open_xchacha(_hash(b"cookie--" + self._peer), nonce, packet[32:], mac1)
                if opened is not None:
                    self.cookie = opened
                    return True
        return False


def _hash(data: bytes) -> bytes:
    return hashlib.blake2s(data).digest()


def _mac(key: bytes, data: bytes) -> bytes:
    return hashlib.blake2s(data, key=key, digest_size=16).digest()


def _kdf(count: int, key: bytes, data: bytes) -> tuple[bytes, ...]:
    secret = hmac.digest(key, data, "blake2s")
    made: list[bytes] = []
    for number in range(1, count + 1):
        made.append(hmac.digest(secret, (made[-1] if made else b"") + bytes([number]), "blake2s"))
    return tuple(made)


def _agree(private: X25519PrivateKey, public: bytes) -> bytes:
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        return bytes(32)  # a point of small order: nothing sealed with it will open


def _seal(key: bytes, counter: int, data: bytes, associated: bytes) -> bytes:
    return ChaCha20Poly1305(key).encrypt(bytes(4) + struct.pack("<Q", counter), data, associated)


def _tai64n(at: int) -> bytes:
    return struct.pack(">QI", _TAI + at // 1_000_000_000, at % 1_000_000_000)
