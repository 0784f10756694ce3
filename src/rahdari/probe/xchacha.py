"""XChaCha20-Poly1305, which WireGuard seals its cookies with: HChaCha20 (draft-irtf-cfrg-xchacha-03) before the
library's ChaCha20-Poly1305. Only to open what a stranger sent; no secret of ours passes through here.
"""

import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_SIGMA = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
_ROUND = (
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)


def open_xchacha(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes | None:
    """What was sealed, or None when it does not open. 32 bytes of key, 24 of nonce."""
    try:
        return ChaCha20Poly1305(hchacha20(key, nonce[:16])).decrypt(bytes(4) + nonce[16:], sealed, associated)
    except InvalidTag:
        return None


def hchacha20(key: bytes, nonce: bytes) -> bytes:
    """32 bytes of key and 16 of nonce to a key of 32 bytes."""
    words = [*_SIGMA, *struct.unpack("<8I", key), *struct.unpack("<4I", nonce)]
    for _ in range(10):
        for a, b, c, d in _ROUND:
            for low, high, turn in ((a, d, 16), (c, b, 12), (a, d, 8), (c, b, 7)):
                other = b if low == a else d
                words[low] = (words[low] + words[other]) & 0xFFFFFFFF
                mixed = words[high] ^ words[low]
                words[high] = (mixed << turn | mixed >> (32 - turn)) & 0xFFFFFFFF
    return struct.pack("<8I", *words[:4], *words[12:])
