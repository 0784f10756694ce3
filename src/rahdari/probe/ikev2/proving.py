"""One attempt: IKE_SA_INIT at 500 and at 4500 until one answers, IKE_AUTH there, and the signature.

1) IKE_SA_INIT, again each half second, by turns until one port answers; with the cookie, or in the group, that is
   asked for   2) the keys   3) IKE_AUTH without AUTH: the responder shows itself first   4) its certificate is the
   one that was named, and its key signed what was said   5) our leave, so that nothing is left half open there
"""

import hashlib
import hmac
import os
import socket
import struct
import time
from collections.abc import Iterable

from rahdari.address import Address, Block

from ..channel import Channel, check_global
from ..outcome import Outcome, Over, Plain, ProbeAnswer
from ..tls import parse_fingerprint
from . import messages, proposals, signing
from .groups import KeyPair, key_pair
from .messages import Message, NotIke, Payload
from .sealing import Keys

PROTOCOL = "ikev2"
TIMEOUT = 10.0
# Two exchanges in ten seconds, also where a third of all packets is lost each way.
AGAIN_AFTER = 0.5
IKE_PORT, NAT_PORT = 500, 4500
# RFC 7296 2.23: before each message at 4500, where ESP comes too.
MARKER = bytes(4)
FAREWELLS, FAREWELL_PAUSE = 4, 0.25
MOST_ROUNDS = 4
MOST_STRANGE = 20
FIRST_GROUP = proposals.GROUPS[0]
_EAP_RESPONSE, _EAP_NAK = 2, 3
_ID_ADDRESS4, _ID_ADDRESS6, _ID_NAME = 1, 5, 2
_GONE = {Outcome.TIMED_OUT, Outcome.RESET, Outcome.REFUSED}


def match_certificate(
    address: Address,
    *,
    fingerprint: str,
    port: int = IKE_PORT,
    server_name: str = "",
    timeout: float = TIMEOUT,
    allowed_ranges: Iterable[str | Block] = (),
) -> ProbeAnswer:
    """One attempt. Never raises for what the other side does; ValueError for a fingerprint that is none.

    PROVED; OTHER_KEY with the fingerprint found; ANSWERED, an IKE responder that did not show itself
    (`authentication_failed`: it wants a client's certificate or a shared key first; `no_proposal_chosen`;
    `then_silent`); SILENT; MALFORMED; or what the network said.
    """
    wanted = parse_fingerprint(fingerprint)
    started = time.monotonic()
    attempt = _Attempt(address, port, server_name, started + timeout)
    found = ""
    try:
        check_global(address, allowed_ranges)
        found = attempt.run()
        same = hmac.compare_digest(found, wanted)
        outcome, detail = (Outcome.PROVED, "") if same else (Outcome.OTHER_KEY, "")
    except Over as over:
        outcome, detail = over.outcome, over.detail
        if attempt.answered and outcome in _GONE:
            outcome, detail = Outcome.ANSWERED, "then_silent"
        elif outcome is Outcome.TIMED_OUT:
            outcome = Outcome.SILENT
    finally:
        attempt.close()
    return ProbeAnswer(
        outcome=outcome,
        protocol=PROTOCOL,
        key=found,
        detail=detail,
        sent=attempt.sent,
        elapsed=time.monotonic() - started,
        more=attempt.more,
    )


class _Talk:
    """An exchange with one port: its SPI and nonce, and what was said."""

    def __init__(self, channel: Channel, port: int) -> None:
        self.channel, self.port = channel, port
        self.marker = b"" if port == IKE_PORT else MARKER
        self.ours, self.nonce = os.urandom(8), os.urandom(32)
        self.group, self.pair = FIRST_GROUP, key_pair(FIRST_GROUP)
        self.cookie = b""
        self.rounds = 0

    def opening(self) -> bytes:
        """IKE_SA_INIT."""
        asked = [messages.notification(messages.COOKIE, self.cookie)] if self.cookie else []
        first, body = messages.chain(
            [
                *asked,
                Payload(messages.SA, proposals.offer()),
                Payload(messages.KE, struct.pack(">HH", self.group, 0) + self.pair.public),
                Payload(messages.NONCE, self.nonce),
                messages.notification(messages.FRAGMENTATION_SUPPORTED),
                messages.notification(messages.SIGNATURE_HASHES, signing.HASHES),
            ]
        )
        length = messages.HEADER + len(body)
        return messages.header(self.ours, bytes(8), first, messages.SA_INIT, 0, length) + body

    def has_done(self, said: dict[int, bytes]) -> bool:
        """Whether this asks for the cookie that is shown already, or for the group that it asked for before."""
        group = said.get(messages.INVALID_KE_PAYLOAD, b"")[:2]
        same = len(group) == 2 and struct.unpack(">H", group)[0] == self.group
        return self.rounds > 0 and (same or (bool(self.cookie) and said.get(messages.COOKIE) == self.cookie))

    def begin_anew(self, *, cookie: bytes = b"", group: int = 0) -> bool:
        """Whether the responder may be asked once more, with its cookie (the keys stay: 2.6) or in its group."""
        self.rounds += 1
        if self.rounds > MOST_ROUNDS:
            return False
        if cookie:
            self.cookie = cookie
        elif group in proposals.GROUPS and group != self.group:
            self.group, self.pair = group, key_pair(group)
        else:
            return False
        return True


class _Attempt:
    def __init__(self, address: Address, port: int, server_name: str, deadline: float) -> None:
        self._address, self._server_name, self._deadline = address, server_name, deadline
        self._ports = (IKE_PORT, NAT_PORT) if port == IKE_PORT else (port,)
        self._talks: list[_Talk] = []
        self.answered = False
        self.sent = 0
        self.more: dict[str, Plain] = {}
        self._strange = 0

    def close(self) -> None:
        for talk in self._talks:
            talk.channel.close()

    def run(self) -> str:
        """The fingerprint of the certificate whose key signed. Raises Over."""
        for port in self._ports:
            channel = Channel(self._address, port, deadline=self._deadline, datagrams=True)
            self._talks.append(_Talk(channel, port))
        talk, opening, answer = self._open()
        self.more["port"] = talk.port
        keys, theirs, nonce = self._keys(talk, answer)
        return self._ask_who(talk, keys, theirs, opening, answer, nonce)

    # 1)
    def _open(self) -> tuple[_Talk, bytes, Message]:
        """Who answered, what was asked, and what it said: an SA, or Over."""
        living = list(self._talks)
        while True:
            for talk in list(living):
                try:
                    opened = self._open_at(talk)
                except Over as over:
                    if over.outcome is not Outcome.REFUSED or self.answered:
                        raise
                    living.remove(talk)
                    if not living:
                        raise
                    continue
                if opened is not None:
                    return talk, *opened
                if self.answered:
                    # It asked for a cookie or for another group, and what came after was lost: go on with this one.
                    living = [talk]
                    break

    def _open_at(self, talk: _Talk) -> tuple[bytes, Message] | None:
        """One turn at one port; None when nothing came in its time."""
        opening = talk.opening()
        self._send(talk, opening)
        again = time.monotonic() + AGAIN_AFTER
        while (left := again - time.monotonic()) > 0:
            message = self._receive(talk, within=left)
            if message is None:
                continue
            if message.ours != talk.ours or message.exchange != messages.SA_INIT or message.number != 0:
                self._count_strange()
                continue
            self.answered = True
            payloads = self._payloads(message)
            said = messages.notifications(payloads)
            if messages.only(payloads, messages.SA) is not None:
                return opening, message
            if talk.has_done(said):
                self._count_strange()  # once more what an earlier packet of ours asked for
                continue
            if cookie := said.get(messages.COOKIE):
                self.more["cookie"] = True
                self._once_more(talk.begin_anew(cookie=cookie[:64]), "cookie")
            elif len(group := said.get(messages.INVALID_KE_PAYLOAD, b"")) >= 2:
                self._once_more(talk.begin_anew(group=struct.unpack(">H", group[:2])[0]), "no_proposal_chosen")
            else:
                raise Over(Outcome.ANSWERED, _error(said))
            opening = talk.opening()
            self._send(talk, opening)
            again = time.monotonic() + AGAIN_AFTER
        return None

    def _once_more(self, may: bool, detail: str) -> None:
        if not may:
            raise Over(Outcome.ANSWERED, detail)

    # 2)
    def _keys(self, talk: _Talk, answer: Message) -> tuple[Keys, bytes, bytes]:
        """The keys, the responder's SPI, its nonce left out of the record. Raises Over."""
        payloads = self._payloads(answer)
        sa, ke = messages.only(payloads, messages.SA), messages.only(payloads, messages.KE)
        nonce = messages.only(payloads, messages.NONCE)
        try:
            if sa is None or ke is None or nonce is None or not 16 <= len(nonce) <= 256 or len(ke) < 4:
                raise NotIke
            suite = proposals.chosen(sa)
            if suite.group != talk.group or struct.unpack(">H", ke[:2])[0] != talk.group:
                raise NotIke
            secret = _agree(talk.pair, ke[4:])
        except NotIke:
            raise Over(Outcome.ANSWERED, "strange_answer") from None
        self.more["suite"] = f"{suite.cipher}-{suite.bits}/{suite.prf}/{suite.mac}/{suite.group}"
        keys = Keys.of(suite, secret, nonces=talk.nonce + nonce, spis=talk.ours + answer.theirs)
        return keys, answer.theirs, nonce

    # 3)
    def _ask_who(self, talk: _Talk, keys: Keys, theirs: bytes, opening: bytes, answer: Message, nonce: bytes) -> str:
        request = keys.seal(talk.ours, theirs, messages.AUTH, 1, self._introduction(talk))
        parts: dict[int, list[Payload]] = {}
        while True:
            self._send(talk, request)
            again = time.monotonic() + AGAIN_AFTER
            while (left := again - time.monotonic()) > 0:
                message = self._receive(talk, within=left)
                if message is None:
                    continue
                payloads = self._opened(talk, keys, theirs, message, parts)
                if payloads is None:
                    continue
                try:
                    return self._judge(keys, answer.raw + talk.nonce, payloads)
                finally:
                    self._leave(talk, keys, theirs, payloads)

    def _introduction(self, talk: _Talk) -> list[Payload]:
        """Who we are: nobody, at this address, as clients of routers say it; and that we take any certificate."""
        own = socket.inet_pton(talk.channel.socket.family, talk.channel.socket.getsockname()[0])
        kind = _ID_ADDRESS4 if len(own) == 4 else _ID_ADDRESS6
        asked = (
            [Payload(messages.ID_R, bytes([_ID_NAME, 0, 0, 0]) + self._server_name.encode("ascii"))]
            if self._server_name
            else []
        )
        return [
            Payload(messages.ID_I, bytes([kind, 0, 0, 0]) + own),
            Payload(messages.CERT_REQUEST, bytes([signing.X509])),
            *asked,
            Payload(messages.SA, proposals.offer_child(os.urandom(4))),
            Payload(messages.TS_I, _everything()),
            Payload(messages.TS_R, _everything()),
        ]

    def _opened(
        self, talk: _Talk, keys: Keys, theirs: bytes, message: Message, parts: dict[int, list[Payload]]
    ) -> list[Payload] | None:
        """What the answer to IKE_AUTH says, once all its parts are there."""
        if (message.ours, message.theirs, message.exchange, message.number) != (talk.ours, theirs, messages.AUTH, 1):
            return None  # as a rule the answer to an IKE_SA_INIT that was sent again
        try:
            payloads, (part, of) = keys.open(message)
            if of == 1 and part == 1 and not _is_part(message):
                return payloads
            parts[part] = payloads
            if len(parts) < of:
                return None
            joined = b"".join(parts[number][0].content for number in range(1, of + 1))
            return messages.unchain(parts[1][0].kind, joined)
        except (NotIke, KeyError):
            self._count_strange()
            return None

    # 4)
    def _judge(self, keys: Keys, said: bytes, payloads: list[Payload]) -> str:
        identity = messages.only(payloads, messages.ID_R)
        auth = messages.only(payloads, messages.AUTH_DATA)
        der = signing.certificate(payloads)
        if identity is None or auth is None:
            raise Over(Outcome.ANSWERED, _error(messages.notifications(payloads)))
        if der is None:
            # A shared key, or a bare public key: nothing to compare.
            raise Over(Outcome.ANSWERED, "no_certificate")
        if not signing.is_signed(der, auth, said + keys.prf(keys.sk_pr, identity)):
            raise Over(Outcome.ANSWERED, "not_signed")
        self.more["auth_method"] = auth[0]
        return hashlib.sha256(der).hexdigest()

    # 5)
    def _leave(self, talk: _Talk, keys: Keys, theirs: bytes, payloads: list[Payload]) -> None:
        """Say that it ends here. The other side has asked by EAP who we are, and what ends that everywhere is that we
        decline (RFC 3748 5.3.1). Said again when it is not acknowledged: what stays half open counts against us there.
        """
        asked = messages.only(payloads, messages.EAP)
        if asked is None or len(asked) < 4:
            return
        decline = Payload(messages.EAP, bytes([_EAP_RESPONSE, asked[1], 0, 6, _EAP_NAK, 0]))
        farewell = keys.seal(talk.ours, theirs, messages.AUTH, 2, [decline])
        try:
            for _ in range(FAREWELLS):
                self._send(talk, farewell)
                message = self._receive(talk, within=FAREWELL_PAUSE)
                while message is not None and message.number != 2:
                    message = self._receive(talk, within=FAREWELL_PAUSE)
                if message is not None:
                    return
        except Over:
            return

    def _send(self, talk: _Talk, message: bytes) -> None:
        talk.channel.send(talk.marker + message)
        self.sent += 1

    def _receive(self, talk: _Talk, *, within: float) -> Message | None:
        """The next message that may be meant for us. Raises Over."""
        data = talk.channel.datagram(within=within)
        if data is None:
            return None
        if talk.marker:
            if not data.startswith(MARKER):
                self._count_strange()
                return None
            data = data[len(MARKER) :]
        try:
            message = Message.read(data)
            if not message.flags & messages.RESPONSE:
                raise NotIke
        except NotIke:
            self._count_strange()
            return None
        return message

    def _payloads(self, message: Message) -> list[Payload]:
        try:
            return messages.unchain(message.first, message.body)
        except NotIke:
            raise Over(Outcome.MALFORMED, "payloads") from None

    def _count_strange(self) -> None:
        self._strange += 1
        if self._strange >= MOST_STRANGE:
            raise Over(Outcome.ANSWERED if self.answered else Outcome.MALFORMED, "no_ike")


def _is_part(message: Message) -> bool:
    return messages.unchain(message.first, message.body)[-1].kind == messages.SEALED_PART


def _agree(pair: KeyPair, theirs: bytes) -> bytes:
    try:
        return pair.agree(theirs)
    except ValueError:
        raise NotIke from None


def _error(said: dict[int, bytes]) -> str:
    """The name of the error that was notified."""
    error = next((kind for kind in said if kind < messages.FIRST_STATUS), None)
    return messages.NAMES.get(error, f"error_{error}") if error is not None else "strange_answer"


def _everything() -> bytes:
    """Traffic selectors for all of IPv4 and IPv6."""
    four = struct.pack(">BBHHH", 7, 0, 16, 0, 65535) + bytes(4) + b"\xff" * 4
    six = struct.pack(">BBHHH", 8, 0, 40, 0, 65535) + bytes(16) + b"\xff" * 16
    return bytes([2, 0, 0, 0]) + four + six
