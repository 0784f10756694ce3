"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("incident.opened", event=Event("incident.opened")),
    Act("incident.answered", event=Event("incident.answered", tells_reason=True)),
    Act("incident.disputed", event=Event("incident.disputed")),
    Act("incident.opened_again", event=Event("incident.disputed")),
    Act("incident.closed", event=Event("incident.closed")),
    Act("incident.let_stand", event=Event("incident.closed")),
    Act("incident.reported", event=Event("incident.reported")),
    Act("incident.read", seen=_("That your connection was cut, and what was measured of it")),
)
declare_unshown(
    "incident",
    "joined added said_to_work withdrew acknowledged told said_mended disclaimed handed_back assigned merged overran "
    "escalated escalated_mend escalated_report found_cut erased made_pack",
)
