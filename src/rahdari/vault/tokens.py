"""Tokens that programs show: a random text that is given out once, and the hash by which it is found again."""

import hashlib
import secrets

LONGEST = 200


def make(prefix: str) -> str:
    """The first letters say what it is, to whoever finds it in a file, and to programs that look for such."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def digest_of(text: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def looks_like_one(text: str) -> bool:
    return bool(text) and len(text) <= LONGEST
