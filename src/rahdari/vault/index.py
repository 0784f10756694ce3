"""A keyed hash of an identifier, so that equal ones can be found while none can be read or guessed."""

import hmac
from dataclasses import dataclass

from . import keys


@dataclass(frozen=True)
class Blinder:
    """Hashes with one key, many times; it holds the key, and can be handed to a process of ours."""

    key: keys.Key

    def blind(self, purpose: str, value: str) -> bytes:
        return hmac.digest(self.key.secret, f"{purpose}\0{value}".encode(), "sha256")


def blinder() -> Blinder:
    return Blinder(keys.keyring().current("index"))


def blind(purpose: str, value: str) -> str:
    """64 hex digits. The purpose keeps indexes apart: the same card number hashes differently for each."""
    return blinder().blind(purpose, value).hex()


def blind_by_all(purpose: str, value: str) -> list[str]:
    """The same by each key that is held, the one in use first: what a column written before a rotation may hold."""
    return [Blinder(key).blind(purpose, value).hex() for key in keys.keyring().keys["index"]]
