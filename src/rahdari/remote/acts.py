"""What this room writes into the journal."""

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("remote.agreed", event=Event("remote.agreed")),
    Act("remote.withdrew", event=Event("remote.withdrawn")),
)
declare_unshown("remote", "told_workers made_links moved ended")
