"""What this room writes into the journal."""

from rahdari.journal.registry import declare_unshown

declare_unshown("figures", "published corrected counted_overdue")
