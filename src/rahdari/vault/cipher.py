"""AES-256-GCM with the key's id in front: `key id (8 bytes, padded) | nonce (12) | ciphertext and tag`."""

import os
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rahdari.errors import RahdariError

from . import keys

ID_BYTES = 8
NONCE_BYTES = 12


class CannotDecrypt(RahdariError):
    """The value was moved, changed, or encrypted with a key that is gone. `.where` says where it stood."""

    says = "cannot decrypt {where}"
    where: str


@dataclass(frozen=True)
class Sealer:
    """Encrypts with one key, many times; it holds the key, and can be handed to a process of ours."""

    key: keys.Key

    @cached_property
    def _head(self) -> bytes:
        return self.key.id.encode().ljust(ID_BYTES, b"\0")

    @cached_property
    def _cipher(self) -> AESGCM:
        return AESGCM(self.key.secret)

    def seal(self, content: bytes, *, where: str) -> bytes:
        """Encrypt `content`, bound to the place `where`."""
        nonce = os.urandom(NONCE_BYTES)
        return self._head + nonce + self._cipher.encrypt(nonce, content, where.encode())


def sealer(name: str) -> Sealer:
    """With the current key `name`."""
    return Sealer(keys.keyring().current(name))


def seal(name: str, content: bytes, *, where: str) -> bytes:
    """Encrypt `content` with the current key `name`, bound to the place `where`."""
    return sealer(name).seal(content, where=where)


def unseal(name: str, sealed: bytes, *, where: str) -> bytes:
    """Decrypt what `seal` made for the same place. Raises CannotDecrypt."""
    key = keys.keyring().find(name, sealed[:ID_BYTES].rstrip(b"\0").decode("ascii", "replace"))
    if key is None:
        raise CannotDecrypt(where)
    nonce = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES]
    try:
        return AESGCM(key.secret).decrypt(nonce, sealed[ID_BYTES + NONCE_BYTES :], where.encode())
    except (InvalidTag, ValueError):
        raise CannotDecrypt(where) from None
