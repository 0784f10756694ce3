"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("urgent.gave", done=_("Had a new address listed before its proof"), event=Event("registration.changed")),
    Act("urgent.confirmed", event=Event("registration.changed")),
    Act(
        "urgent.ended",
        done=_("Ended an address that was listed before its proof"),
        event=Event("registration.changed"),
    ),
    Act(
        "urgent.read_registration",
        seen=_("Your addresses, and the last digits of your mobile number"),
        why=_("You telephoned because you are cut off"),
    ),
    Act(
        "urgent.read_number",
        seen=_("Your mobile number"),
        why=_("To call you back, because you are cut off"),
    ),
    Act(
        "urgent.read_call",
        seen=_("The new address, and that you were known on the telephone"),
        why=_("A second officer must agree"),
    ),
)
declare_unshown("urgent", "asked was_known refused closed")
