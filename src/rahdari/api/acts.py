"""What this room writes into the journal."""

from rahdari.journal.registry import declare_unshown

declare_unshown("api", "made_token revoked_token made_webhook changed_webhook changed_secret ended_webhook")
declare_unshown("api", "stopped_webhook")
