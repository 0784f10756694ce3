"""Diffie-Hellman for one exchange: the groups of RFC 2409, 3526 and 5903, and Curve25519 (RFC 8031).

The primes are made as those documents say, 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + k): five numbers instead of
pages of digits. Big numbers of Python keep no secret from a clock on this machine; the keys here are for one exchange
that says nothing secret.
"""

import secrets
from functools import cache
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec, x25519

CURVE25519 = 31
_MODP = {2: (1024, 129_093), 5: (1536, 741_804), 14: (2048, 124_476), 15: (3072, 1_690_314), 16: (4096, 240_904)}
_CURVES: dict[int, ec.EllipticCurve] = {19: ec.SECP256R1(), 20: ec.SECP384R1(), 21: ec.SECP521R1()}


class KeyPair(Protocol):
    public: bytes

    def agree(self, theirs: bytes) -> bytes:
        """The shared secret. Raises ValueError for a public value that is none."""


def key_pair(group: int) -> KeyPair:
    if group == CURVE25519:
        return _Montgomery()
    return _Curve(_CURVES[group]) if group in _CURVES else _Modp(*_MODP[group])


class _Montgomery:
    def __init__(self) -> None:
        self._private = x25519.X25519PrivateKey.generate()
        self.public = self._private.public_key().public_bytes_raw()

    def agree(self, theirs: bytes) -> bytes:
        return self._private.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))


class _Curve:
    def __init__(self, curve: ec.EllipticCurve) -> None:
        self._size = (curve.key_size + 7) // 8
        self._private = ec.generate_private_key(curve)
        numbers = self._private.public_key().public_numbers()
        self.public = numbers.x.to_bytes(self._size, "big") + numbers.y.to_bytes(self._size, "big")

    def agree(self, theirs: bytes) -> bytes:
        if len(theirs) != 2 * self._size:
            raise ValueError("a point of another length")
        x, y = (int.from_bytes(half, "big") for half in (theirs[: self._size], theirs[self._size :]))
        return self._private.exchange(ec.ECDH(), ec.EllipticCurvePublicNumbers(x, y, self._private.curve).public_key())


class _Modp:
    def __init__(self, bits: int, k: int) -> None:
        self._prime, self._size = prime(bits, k), bits // 8
        # Twice the strength that the largest of these groups has.
        self._private = secrets.randbits(512) | 1 << 511
        self.public = pow(2, self._private, self._prime).to_bytes(self._size, "big")

    def agree(self, theirs: bytes) -> bytes:
        value = int.from_bytes(theirs, "big")
        if len(theirs) != self._size or not 1 < value < self._prime - 1:
            raise ValueError("no value of this group")
        return pow(value, self._private, self._prime).to_bytes(self._size, "big")


@cache
def prime(bits: int, k: int) -> int:
    return (1 << bits) - (1 << bits - 64) - 1 + ((_pi(bits - 130) + k) << 64)


def _pi(bits: int) -> int:
    """[2^bits * pi], by Machin's formula: 16 arctan(1/5) - 4 arctan(1/239)."""
    one = 1 << bits + 64

    def arctan(inverse: int) -> int:
        power = total = one // inverse
        divisor, sign = 1, 1
        while power:
            power //= inverse * inverse
            divisor, sign = divisor + 2, -sign
            total += sign * (power // divisor)
        return total

    return 16 * arctan(5) - 4 * arctan(239) >> 64
