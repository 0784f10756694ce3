"""The acts of api: tokens and webhooks. What a program does is done by the rooms' own acts."""

from rahdari.programs.tokens import TooManyTokens
from rahdari.programs.webhooks import PlaceNotTaken

from .keys import end_tokens_of, forget_attempts, make_token, revoke_token
from .webhook_delivery import (
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
    "PlaceNotTaken",
    "TooManyTokens",
    "TooManyWebhooks",
    "change_secret",
    "change_webhook",
    "deliver_events",
    "end_tokens_of",
    "end_webhook",
    "forget_attempts",
    "make_token",
    "make_webhook",
    "note_events",
    "revoke_token",
    "send_again",
    "send_test",
]
