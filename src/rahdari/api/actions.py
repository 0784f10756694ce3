"""The acts of api: tokens, answers given again, webhooks. What a program does is done by the rooms' own acts."""

from .idempotency import (
    InProgress,
    Kept,
    KeyReused,
    claim,
    fingerprint,
    forget_attempts,
    give_up,
    keep,
    working_on,
)
from .keys import TooManyTokens, end_tokens_of, make_token, note_use, revoke_token
from .webhook_delivery import (
    PlaceNotTaken,
    TooManyWebhooks,
    change_secret,
    change_webhook,
    deliver_events,
    end_webhook,
    make_webhook,
    note_events,
    send_again,
    send_test,
)

__all__ = [
    "InProgress",
    "Kept",
    "KeyReused",
    "PlaceNotTaken",
    "TooManyTokens",
    "TooManyWebhooks",
    "change_secret",
    "change_webhook",
    "claim",
    "deliver_events",
    "end_tokens_of",
    "end_webhook",
    "fingerprint",
    "forget_attempts",
    "give_up",
    "keep",
    "make_token",
    "make_webhook",
    "note_events",
    "note_use",
    "revoke_token",
    "send_again",
    "send_test",
    "working_on",
]
