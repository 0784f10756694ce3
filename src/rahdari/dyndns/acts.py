"""What this room writes into the journal."""

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("dyndns.fell_silent", event=Event("dyndns.silent")),
    Act("dyndns.lapsed", event=Event("dyndns.ended")),
    Act("dyndns.claimed_by_a_rival", event=Event("dyndns.rival")),
)
declare_unshown("dyndns", "made_host made_token chose_v6 paused went_on closed")
