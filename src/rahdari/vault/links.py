"""Unguessable links that are derived from what they open, and therefore never stored."""

import base64
import hashlib
import hmac

from . import keys

LENGTH = 26  # 26 base32 characters carry 130 bits


def _derive(secret: bytes, purpose: str, value: str) -> str:
    digest = hmac.new(secret, f"{purpose}\0{value}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode().lower()[:LENGTH]


def token(purpose: str, value: str) -> str:
    """The token of `value` for `purpose`: 26 small letters and digits."""
    return _derive(keys.keyring().current("links").secret, purpose, value)


def matches(purpose: str, value: str, given: str) -> bool:
    """Whether `given` is the token of `value`, under any key still held. Constant time."""
    shown = given.encode("utf-8", "surrogatepass")  # compare_digest takes no text beyond ASCII
    held = keys.keyring().keys["links"]
    return any(hmac.compare_digest(_derive(key.secret, purpose, value).encode(), shown) for key in held)
