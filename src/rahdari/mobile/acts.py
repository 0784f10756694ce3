"""What this room writes into the journal."""

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("mobile.confirmed_number", event=Event("mobile.confirmed")),
    Act("mobile.known", event=Event("mobile.answered", {"answer": "yes"})),
    Act("mobile.denied", event=Event("mobile.answered", tells_reason=True)),
    Act("mobile.listed", event=Event("mobile.listed")),
    Act("mobile.left", event=Event("mobile.leaving", tells_reason=True)),
    Act("mobile.ended", event=Event("mobile.ended", tells_reason=True)),
)
declare_unshown("mobile", "typed_number asked_operator rests stayed")
