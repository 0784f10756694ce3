"""What this room writes into the journal. What a demand led an officer to read stands there with the demand as its
ground."""

from rahdari.journal.registry import declare_unshown

declare_unshown("demand", "recorded named_file answered agreed")
