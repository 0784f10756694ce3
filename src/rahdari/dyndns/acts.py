"""What this room writes into the journal."""

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("lease.fell_silent", event=Event("lease.silent")),
    Act("lease.lapsed", event=Event("lease.ended")),
    Act("lease.claimed_by_a_rival", event=Event("lease.rival")),
)
declare_unshown("lease", "made_host made_token chose_v6 paused went_on closed")
