"""The keys of one IKE SA, and what is sealed by them: RFC 7296 2.13, 2.14, 3.14, RFC 5282, RFC 7634, RFC 7383."""

import hmac
import os
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from . import messages
from .messages import HEADER, SEALED, SEALED_PART, Message, NotIke, Payload
from .proposals import AES_CBC, CHACHA, Chosen

_PRF = {2: "sha1", 5: "sha256", 6: "sha384", 7: "sha512"}
_PRF_SIZE = {2: 20, 5: 32, 6: 48, 7: 64}
# Which HMAC, how long its key is, and how much of it is sent.
_MAC = {2: ("sha1", 20, 12), 12: ("sha256", 32, 16), 13: ("sha384", 48, 24), 14: ("sha512", 64, 32)}
MOST_PARTS = 64


@dataclass(frozen=True)
class Keys:
    """What is agreed: `sk_*` as RFC 7296 2.14 names them, i of the initiator (ours), r of the responder."""

    suite: Chosen
    sk_ai: bytes
    sk_ar: bytes
    sk_ei: bytes
    sk_er: bytes
    sk_pi: bytes
    sk_pr: bytes

    @classmethod
    def of(cls, suite: Chosen, secret: bytes, *, nonces: bytes, spis: bytes) -> "Keys":
        prf_size = _PRF_SIZE[suite.prf]
        mac = _MAC[suite.mac][1] if suite.mac else 0
        cipher = suite.bits // 8 if suite.cipher == AES_CBC else (suite.bits // 8 or 32) + 4  # with its salt
        seed = prf(suite.prf, nonces, secret)
        sizes = (prf_size, mac, mac, cipher, cipher, prf_size, prf_size)
        stream = _prf_plus(suite.prf, seed, nonces + spis, sum(sizes))
        parts, at = [], 0
        for size in sizes:
            parts.append(stream[at : at + size])
            at += size
        return cls(suite, *parts[1:])

    def prf(self, key: bytes, data: bytes) -> bytes:
        return prf(self.suite.prf, key, data)

    def seal(self, ours: bytes, theirs: bytes, exchange: int, number: int, payloads: list[Payload]) -> bytes:
        """A whole message with all of it sealed."""
        first, plain = messages.chain(payloads)
        iv_size, tag = self._sizes
        if self.suite.cipher == AES_CBC:
            padding = -(len(plain) + 1) % 16
            plain += bytes(padding) + bytes([padding])
        else:
            plain += b"\0"
        iv = os.urandom(iv_size)
        length = 4 + iv_size + len(plain) + tag
        head = messages.header(ours, theirs, SEALED, exchange, number, HEADER + length)
        head += struct.pack(">BBH", first, 0, length)
        if self.suite.cipher == AES_CBC:
            made = Cipher(AES(self.sk_ei), CBC(iv)).encryptor()
            text = head + iv + made.update(plain) + made.finalize()
            return text + self._mac(self.sk_ai, text)
        return head + iv + self._aead(self.sk_ei).encrypt(self.sk_ei[-4:] + iv, plain, head)

    def open(self, message: Message) -> tuple[list[Payload], tuple[int, int]]:
        """The payloads inside, or the bytes of one part of them as one payload; and which part of how many.

        Raises NotIke for what these keys did not seal.
        """
        outer = messages.unchain(message.first, message.body)
        if not outer or outer[-1].kind not in {SEALED, SEALED_PART}:
            raise NotIke
        content, within = outer[-1].content, messages.inside(message.first, message.body)
        part = (1, 1)
        skipped = 0
        if outer[-1].kind == SEALED_PART:
            if len(content) < 4:
                raise NotIke
            part, skipped = struct.unpack(">HH", content[:4]), 4
            if not 1 <= part[0] <= part[1] <= MOST_PARTS:
                raise NotIke
        plain = self._open(message.raw, content[skipped:])
        if outer[-1].kind == SEALED_PART:
            return [Payload(within, plain)], part
        return messages.unchain(within, plain), part

    @property
    def _sizes(self) -> tuple[int, int]:
        return (16, _MAC[self.suite.mac][2]) if self.suite.cipher == AES_CBC else (8, 16)

    def _open(self, raw: bytes, sealed: bytes) -> bytes:
        iv_size, tag = self._sizes
        if len(sealed) < iv_size + tag + 1:
            raise NotIke
        iv, text, mac = sealed[:iv_size], sealed[iv_size:-tag], sealed[-tag:]
        if self.suite.cipher == AES_CBC:
            if not hmac.compare_digest(self._mac(self.sk_ar, raw[:-tag]), mac) or len(text) % 16:
                raise NotIke
            made = Cipher(AES(self.sk_er), CBC(iv)).decryptor()
            plain = made.update(text) + made.finalize()
        else:
            head = raw[: len(raw) - len(sealed)]
            try:
                plain = self._aead(self.sk_er).decrypt(self.sk_er[-4:] + iv, text + mac, head)
            except InvalidTag:
                raise NotIke from None
        padding = plain[-1] + 1 if plain else 0
        if not 0 < padding <= len(plain):
            raise NotIke
        return plain[:-padding]

    def _aead(self, key: bytes) -> AESGCM | ChaCha20Poly1305:
        return ChaCha20Poly1305(key[:-4]) if self.suite.cipher == CHACHA else AESGCM(key[:-4])

    def _mac(self, key: bytes, text: bytes) -> bytes:
        name, _, size = _MAC[self.suite.mac]
        return hmac.digest(key, text, name)[:size]


def prf(which: int, key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, _PRF[which])


def _prf_plus(which: int, key: bytes, seed: bytes, length: int) -> bytes:
    out, last, number = b"", b"", 1
    while len(out) < length:
        last = prf(which, key, last + seed + bytes([number]))
        out += last
        number += 1
    return out[:length]
