"""What this register says, signed (Ed25519), so that anybody can check with `openssl` and a public key who said it.

The key of each purpose is derived from the key `links`, by which certificates too are known: no further file to keep
or to lose. After a rotation the first line signs, and the public keys of all lines are shown.
"""

import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import keys


def _private(key: keys.Key, purpose: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(key.secret, f"ed25519\0{purpose}".encode(), "sha256"))


def sign(purpose: str, content: bytes) -> bytes:
    """64 bytes, as `openssl pkeyutl -verify -rawin -sigfile` takes them."""
    return _private(keys.keyring().current("links"), purpose).sign(content)


def public_keys(purpose: str) -> list[bytes]:
    """As PEM, the one in use in front."""
    return [pem(_private(key, purpose).public_key()) for key in keys.keyring().keys["links"]]


def pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
