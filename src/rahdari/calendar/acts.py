"""What this room writes into the journal. It is about the office's days, and about nobody."""

from rahdari.journal.registry import declare_unshown

declare_unshown("calendar", "proposed confirmed dropped")
