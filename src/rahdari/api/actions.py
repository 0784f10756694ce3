"""The acts of api: tokens, and answers that are given again. What a program does is done by the rooms' own acts."""

from .again import (
    InProgress,
    Kept,
    KeyReused,
    claim,
    fingerprint,
    forget_attempts,
    give_up,
    keep,
    named_after,
)
from .keys import TooManyTokens, make_token, note_use, revoke_token

__all__ = [
    "InProgress",
    "Kept",
    "KeyReused",
    "TooManyTokens",
    "claim",
    "fingerprint",
    "forget_attempts",
    "give_up",
    "keep",
    "make_token",
    "named_after",
    "note_use",
    "revoke_token",
]
