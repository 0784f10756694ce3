"""What this room writes into the journal: of campaigns, and never of anybody who was invited."""

from rahdari.journal.registry import declare_unshown

declare_unshown("invite", "began stopped withdrawn ended")
