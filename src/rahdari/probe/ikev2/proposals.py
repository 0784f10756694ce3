"""What we offer, and which of it was chosen (RFC 7296 3.3). Wide on purpose: old routers have a right to be proved too,
and nothing that is said under these keys is secret.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from .messages import NotIke

ENCR, PRF, INTEG, DH, ESN = 1, 2, 3, 4, 5
IKE, ESP = 1, 3
AES_CBC, AES_GCM, CHACHA = 12, 20, 28
KEY_LENGTH = 0x800E
# Which are there is for `groups`, `ciphers` to say; the order is ours.
GROUPS = (31, 19, 20, 21, 14, 15, 16, 5, 2)
PRFS = (5, 6, 7, 2)
MACS = (12, 13, 14, 2)

type Transform = tuple[int, int, int]  # what for, which, key length in bits or 0


@dataclass(frozen=True)
class Chosen:
    """One suite. `mac` is 0 with a cipher that has its own."""

    cipher: int
    bits: int
    prf: int
    mac: int
    group: int


def offer() -> bytes:
    """Two proposals: ciphers that are authenticated by themselves, and AES-CBC with HMAC."""
    common = [*((PRF, prf, 0) for prf in PRFS), *((DH, group, 0) for group in GROUPS)]
    sealed = [(ENCR, AES_GCM, 256), (ENCR, AES_GCM, 128), (ENCR, CHACHA, 0), *common]
    plain = [(ENCR, AES_CBC, 256), (ENCR, AES_CBC, 128), (ENCR, AES_CBC, 192), *((INTEG, mac, 0) for mac in MACS)]
    return _proposal(1, IKE, b"", sealed, last=False) + _proposal(2, IKE, b"", [*plain, *common], last=True)


def offer_child(spi: bytes) -> bytes:
    """For the tunnel that the exchange speaks of and that never comes to be."""
    sealed = [(ENCR, AES_GCM, 256), (ENCR, AES_GCM, 128), (ESN, 0, 0)]
    plain = [(ENCR, AES_CBC, 256), (ENCR, AES_CBC, 128), *((INTEG, mac, 0) for mac in MACS), (ESN, 0, 0)]
    return _proposal(1, ESP, spi, sealed, last=False) + _proposal(2, ESP, spi, plain, last=True)


def chosen(content: bytes) -> Chosen:
    """The one suite that the responder's SA payload holds. Raises NotIke unless we offered it."""
    found: dict[int, tuple[int, int]] = {}
    if len(content) < 8:
        raise NotIke
    last, _, length, _, protocol, spi, count = struct.unpack(">BBHBBBB", content[:8])
    at = 8 + spi
    if last or protocol != IKE or length != len(content):
        raise NotIke
    for _ in range(count):
        if len(content) < at + 8:
            raise NotIke
        _, _, size, kind, _, which = struct.unpack(">BBHBBH", content[at : at + 8])
        if size < 8 or len(content) < at + size or kind in found:
            raise NotIke
        bits = 0
        if size >= 12 and content[at + 8 : at + 10] == struct.pack(">H", KEY_LENGTH):
            (bits,) = struct.unpack(">H", content[at + 10 : at + 12])
        found[kind] = (which, bits)
        at += size
    cipher, bits = found.get(ENCR, (0, 0))
    prf, mac, group = (found.get(kind, (0, 0))[0] for kind in (PRF, INTEG, DH))
    has_mac = cipher == AES_CBC
    ours = (
        (cipher, bits) in {(AES_GCM, 256), (AES_GCM, 128), (CHACHA, 0), (AES_CBC, 256), (AES_CBC, 192), (AES_CBC, 128)}
        and prf in PRFS
        and group in GROUPS
        and (mac in MACS if has_mac else mac == 0)
    )
    if not ours:
        raise NotIke
    return Chosen(cipher, bits, prf, mac, group)


def _proposal(number: int, protocol: int, spi: bytes, transforms: Iterable[Transform], *, last: bool) -> bytes:
    given = list(transforms)
    body = b""
    for index, (kind, which, bits) in enumerate(given):
        attribute = struct.pack(">HH", KEY_LENGTH, bits) if bits else b""
        more = 0 if index == len(given) - 1 else 3
        body += struct.pack(">BBHBBH", more, 0, 8 + len(attribute), kind, 0, which) + attribute
    head = struct.pack(
        ">BBHBBBB", 0 if last else 2, 0, 8 + len(spi) + len(body), number, protocol, len(spi), len(given)
    )
    return head + spi + body
