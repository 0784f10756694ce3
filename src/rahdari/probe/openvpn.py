"""Prove an OpenVPN endpoint by its certificate, over UDP or TCP.

We begin as any client does: a hard reset, then the TLS handshake inside the control channel. When it has come to its
end, the daemon has used the private key of the certificate it sent, and we go. No client certificate is shown and no
tunnel is asked for; the daemon logs a client that gave up. One with tls-auth or tls-crypt hears no stranger, so its
silence proves nothing; with the shared key of a profile made for the check (`openvpn_keys`) it answers us too.

Control channel: OpenVPN's `ssl_pkt.h` and `reliable.h`, and the protocol's draft (openvpn/openvpn-rfc). A packet:

    opcode << 3 | key id (1)   session id (8)   acknowledged: count (1), ids (4 each), their session id (8, if any)
    packet id (4, not in a bare acknowledgement)   payload
"""

import hashlib
import hmac
import os
import ssl
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass

from rahdari.address import Address, Block

from .channel import Channel, check_global
from .openvpn_keys import Plain, wrapping
from .outcome import Outcome, Over, ProbeAnswer
from .tls import parse_fingerprint

TIMEOUT = 10.0
RESET_SERVER, CONTROL, ACK = 8, 4, 5
# OpenVPN's own first retransmission comes after two seconds; ours sooner, since we have ten.
AGAIN_AFTER = 1.0
# What fits beside the head in 1,250 bytes, OpenVPN's `--tls-mtu`.
PIECE = 1_100
MOST_PACKETS = 200
MOST_BYTES = 256 * 1024
_HANDSHAKE = b"\x16"  # the type of a TLS record


def match_certificate(
    address: Address,
    *,
    port: int = 1194,
    fingerprint: str,
    tcp: bool = False,
    wrap: str = "",
    shared_key: str = "",
    direction: str = "",
    digest: str = "",
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
) -> ProbeAnswer:
    """One attempt. Never raises for what the other side does; ValueError for a fingerprint or a key that is none.

    PROVED, OTHER_KEY with the fingerprint found, ANSWERED (an OpenVPN daemon, whose handshake did not end), SILENT,
    MALFORMED, or what the network said.
    """
    wanted = parse_fingerprint(fingerprint)
    hidden = wrapping(wrap, shared_key, direction, digest)
    started = time.monotonic()
    client: _Client | None = None
    found = ""
    try:
        check_global(address, allowed_ranges)
        channel = Channel(address, port, deadline=started + timeout, datagrams=not tcp)
        try:
            client = _Client(_Stream(channel) if tcp else _Datagrams(channel), hidden)
            found = client.certificate()
        finally:
            channel.close()
        same = hmac.compare_digest(found, wanted)
        outcome, detail = (Outcome.PROVED, "") if same else (Outcome.OTHER_KEY, "")
    except Over as over:
        outcome, detail = over.outcome, over.detail
        if client is not None and client.answered and outcome in {Outcome.TIMED_OUT, Outcome.RESET, Outcome.REFUSED}:
            outcome, detail = Outcome.ANSWERED, f"then_{outcome.value}"
        elif outcome is Outcome.TIMED_OUT and not tcp:
            outcome = Outcome.SILENT
    return ProbeAnswer(
        outcome=outcome,
        protocol="openvpn-tcp" if tcp else "openvpn-udp",
        key=found,
        detail=detail,
        sent=client.sent if client is not None else 0,
        elapsed=time.monotonic() - started,
        more={"wrap": wrap} if wrap else {},
    )


@dataclass(frozen=True)
class _Packet:
    opcode: int
    session: bytes
    acknowledged: tuple[int, ...]
    theirs: bytes
    number: int | None
    payload: bytes

    @classmethod
    def read(cls, data: bytes) -> "_Packet | None":
        """None for what is no packet of the control channel."""
        if len(data) < 10:
            return None
        opcode, session, count = data[0] >> 3, data[1:9], data[9]
        if opcode not in {RESET_SERVER, CONTROL, ACK} or count > 8:
            return None
        at = 10 + 4 * count
        acknowledged = struct.unpack(f">{count}I", data[10:at]) if len(data) >= at else ()
        theirs = data[at : at + 8] if count else b""
        at += len(theirs)
        if len(acknowledged) < count or (count and len(theirs) < 8):
            return None
        if opcode == ACK:
            return cls(opcode, session, acknowledged, theirs, None, b"")
        if len(data) < at + 4:
            return None
        (number,) = struct.unpack(">I", data[at : at + 4])
        return cls(opcode, session, acknowledged, theirs, number, data[at + 4 :])


class _Datagrams:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, packet: bytes) -> None:
        self._channel.send(packet)

    def receive(self, *, within: float) -> bytes | None:
        return self._channel.datagram(within=within)


class _Stream:
    """Over TCP each packet has its length before it, and the network sends again by itself."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def send(self, packet: bytes) -> None:
        self._channel.send(struct.pack(">H", len(packet)) + packet)

    def receive(self, *, within: float) -> bytes | None:
        (length,) = struct.unpack(">H", self._channel.exactly(2))
        if not 10 <= length <= 4096:
            raise Over(Outcome.MALFORMED, "length")
        return self._channel.exactly(length)


class _Client:
    """The control channel: what we sent and they have not acknowledged, what they sent in its order, and TLS in it."""

    def __init__(self, way: _Datagrams | _Stream, hidden: Plain) -> None:
        self._way = way
        self._hidden = hidden
        self._session = os.urandom(8)
        self._theirs = b""
        self._waiting: dict[int, tuple[int, bytes]] = {}
        self._to_acknowledge: list[int] = []
        self._acknowledged: list[int] = []
        self._early: dict[int, bytes] = {}
        self._next_out, self._next_in = 0, 0
        self._taken = 0
        self.answered = False
        self.sent = 0
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Each with a key exchange that the server signs: see `_shown_early`.
        context.set_ciphers("DEFAULT:!kRSA:!PSK:!SRP:@SECLEVEL=1")
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)

    def certificate(self) -> str:
        """The SHA-256 of the certificate, once the handshake has ended. Raises Over."""
        self._put(self._hidden.reset, b"")
        strange = 0
        again = time.monotonic() + AGAIN_AFTER
        for _ in range(MOST_PACKETS):
            data = self._way.receive(within=max(again - time.monotonic(), 0.001))
            if data is None:
                for number in list(self._waiting):
                    self._send(number)
                again = time.monotonic() + AGAIN_AFTER
                continue
            plain = self._hidden.open(data)
            packet = _Packet.read(plain) if plain is not None else None
            if packet is None or not self._is_ours(packet):
                strange += 1
                if strange >= 5:
                    raise Over(Outcome.ANSWERED if self.answered else Outcome.MALFORMED, "no_control_packet")
                continue
            if self._take(packet) and (proved := self._shake()):
                return hashlib.sha256(proved).hexdigest()
            self._acknowledge()
        raise Over(Outcome.ANSWERED, "too_many_packets")

    def _is_ours(self, packet: _Packet) -> bool:
        if packet.theirs and packet.theirs != self._session:
            return False
        if self._theirs:
            return packet.session == self._theirs
        return packet.opcode == RESET_SERVER and packet.number == 0 and 0 in packet.acknowledged

    def _take(self, packet: _Packet) -> bool:
        """Whether something new came, in its order."""
        self._theirs, self.answered = packet.session, True
        for number in packet.acknowledged:
            self._waiting.pop(number, None)
        if packet.number is None:
            return False
        if packet.number not in self._to_acknowledge:
            self._to_acknowledge.append(packet.number)
        if packet.number >= self._next_in + 64:
            raise Over(Outcome.ANSWERED, "out_of_order")
        if packet.number < self._next_in:
            return False
        self._early[packet.number] = packet.payload
        news = False
        while self._next_in in self._early:
            payload = self._early.pop(self._next_in)
            self._next_in += 1
            self._taken += len(payload)
            if self._taken > MOST_BYTES:
                raise Over(Outcome.ANSWERED, "too_much")
            self._in.write(payload)
            news = True
        return news

    def _shake(self) -> bytes | None:
        """The certificate, once its key was used; what TLS wants to say is sent."""
        try:
            self._tls.do_handshake()
            proved = self._tls.getpeercert(binary_form=True)
        except ssl.SSLWantReadError:
            proved = None
        except ssl.SSLError as error:
            raise Over(Outcome.ANSWERED, (error.reason or "tls").lower()[:80]) from None
        said = self._out.read()
        for at in range(0, len(said), PIECE):
            self._put(CONTROL, said[at : at + PIECE])
        return proved or self._shown_early(said)

    def _shown_early(self, said: bytes) -> bytes | None:
        """In TLS 1.2 a server that wants a client's certificate never ends the handshake with us. But it has signed its
        key exchange, over our random, with its certificate's key (RFC 5246 7.4.3); and only when that signature is
        right does our side go on to say more of the handshake, which no alert is. (In TLS 1.3 nothing of ours after the
        certificate is such a record in the open.)
        """
        if said[:1] != _HANDSHAKE:
            return None
        chain = self._tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # public from Python 3.13 on
        return ssl.PEM_cert_to_DER_cert(chain[0].public_bytes()) if chain else None

    def _put(self, opcode: int, payload: bytes) -> None:
        number, self._next_out = self._next_out, self._next_out + 1
        self._waiting[number] = (opcode, payload)
        self._send(number)

    def _send(self, number: int) -> None:
        opcode, payload = self._waiting[number]
        self._way.send(self._hidden.seal(self._head(opcode) + struct.pack(">I", number) + payload))
        self.sent += 1

    def _acknowledge(self) -> None:
        if self._to_acknowledge:
            self._way.send(self._hidden.seal(self._head(ACK)))
            self.sent += 1

    def _head(self, opcode: int) -> bytes:
        now, self._to_acknowledge = self._to_acknowledge[:4], self._to_acknowledge[4:]
        # With those told before: what told them may be lost, and a daemon that keeps nothing of a stranger knows us by
        # the session id that stands beside them.
        ids = [*now, *(number for number in self._acknowledged if number not in now)][:4]
        self._acknowledged = ids
        acknowledged = struct.pack(f">B{len(ids)}I", len(ids), *ids) + (self._theirs if ids else b"")
        return bytes([opcode << 3]) + self._session + acknowledged
