"""A digest of a set of entries that does not depend on their order and is kept up with each change.

LtHash16: each entry's canonical bytes are stretched by SHAKE128 to 2,048 bytes, read as 1,024 little-endian 16-bit
lanes; the state is the lane by lane sum modulo 2^16. Adding and removing cost the same whatever the size of the set,
and undo each other exactly. Published is the SHA-256 of the state, in hex. With 1,024 lanes of 16 bits it is as hard
to find two sets with one digest as a lattice problem of at least 200 bits (Bellare and Micciancio 1997; Lewi, Kim,
Maykov and Weis, "Securing Update Propagation with Homomorphic Hashing", 2019).

It counts how often an entry is in: a set is told from a list by whoever keeps it, by the entry's id.
"""

import hashlib
from collections.abc import Iterable
from itertools import batched

LANES = 1024
STATE_BYTES = 2 * LANES
# Even lanes with a free lane above each: sums of up to 2^16 entries fit before the carry has to be cut off.
_EVEN = int.from_bytes(b"\xff\xff\x00\x00" * (LANES // 2), "little")
_BIAS = int.from_bytes(b"\x00\x00\x01\x00" * (LANES // 2), "little")


class SetDigest:
    """The state. Mutable; `copy()` before trying something."""

    __slots__ = ("_even", "_odd", "_pending")

    def __init__(self, state: bytes = bytes(STATE_BYTES)) -> None:
        if len(state) != STATE_BYTES:
            raise ValueError(f"a state has {STATE_BYTES} bytes, not {len(state)}")
        whole = int.from_bytes(state, "little")
        self._even, self._odd, self._pending = whole & _EVEN, (whole >> 16) & _EVEN, 1

    def add(self, entry: bytes) -> None:
        """Put in the canonical bytes of an entry."""
        stretched = int.from_bytes(hashlib.shake_128(entry).digest(STATE_BYTES), "little")
        self._even += stretched & _EVEN
        self._odd += (stretched >> 16) & _EVEN
        self._count()

    def add_all(self, entries: Iterable[bytes]) -> None:
        """`add` for many at once, in half the steps: odd lanes are what is left of the plain sum without the even."""
        shake, number = hashlib.shake_128, int.from_bytes
        for some in batched(entries, 30_000):
            whole = even = 0
            for entry in some:
                stretched = number(shake(entry).digest(STATE_BYTES), "little")
                whole += stretched
                even += stretched & _EVEN
            self._settle()
            self._even += even
            self._odd += (whole - even) >> 16
            self._settle()

    def add_state(self, state: bytes) -> None:
        """Put in all that another state is over, which was worked out apart."""
        other = SetDigest(state)
        self._settle()
        self._even += other._even
        self._odd += other._odd
        self._settle()

    def remove(self, entry: bytes) -> None:
        """Take out the canonical bytes of an entry: the exact inverse of `add`."""
        stretched = int.from_bytes(hashlib.shake_128(entry).digest(STATE_BYTES), "little")
        # 2^16 more in each lane, so that none goes below zero and borrows from its neighbour.
        self._even += _BIAS - (stretched & _EVEN)
        self._odd += _BIAS - ((stretched >> 16) & _EVEN)
        self._count()

    def _count(self) -> None:
        # A lane holds less than 2^32; each step adds at most 2^16.
        self._pending += 1
        if self._pending >= 65_000:
            self._settle()

    def _settle(self) -> None:
        self._even &= _EVEN
        self._odd &= _EVEN
        self._pending = 1

    @property
    def state(self) -> bytes:
        """2,048 bytes: what to store, and to start from again."""
        self._settle()
        return (self._even | (self._odd << 16)).to_bytes(STATE_BYTES, "little")

    def hexdigest(self) -> str:
        """What is published: SHA-256 of the state, 64 hex digits."""
        return hashlib.sha256(self.state).hexdigest()

    def copy(self) -> "SetDigest":
        return SetDigest(self.state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SetDigest) and self.state == other.state

    __hash__ = None  # type: ignore[assignment]


EMPTY = SetDigest().hexdigest()
