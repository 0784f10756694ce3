"""What this room writes into the journal."""

from rahdari.journal.registry import declare_unshown

declare_unshown("sms", "asked_for_number confirmed_number removed_number")
