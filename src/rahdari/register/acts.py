"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import Act, Event, declare, declare_unshown

declare(
    Act("register.entered", event=Event("registration.entered")),
    Act(
        "register.amended",
        done=_("Changed what runs at an address"),
        event=Event("registration.changed"),
    ),
    Act(
        "register.said_right",
        done=_("Said that the registration is still right"),
        event=Event("registration.said_right"),
    ),
    Act("register.asked_whether_right", event=Event("registration.asked_whether_right")),
    Act("register.renewed", event=Event("registration.renewed")),
    Act("register.confirmed", event=Event("registration.confirmed")),
    Act("register.prolonged", event=Event("registration.prolonged")),
    Act("register.struck_out", done=_("Ended the registration"), event=Event("registration.ended")),
    Act("register.suspended", event=Event("registration.suspended")),
    Act("register.resumed", event=Event("registration.resumed")),
    Act("register.restored", event=Event("registration.restored")),
    Act("register.expired", event=Event("registration.expired")),
    Act("register.gave_notice", event=Event("sharing.leaving", room="share")),
    Act("register.withdrew_notice", event=Event("sharing.goes_on", room="share")),
    Act("register.ended_part", event=Event("sharing.left", room="share")),
)
declare_unshown("register", "added_entry moved_entry retired_entry let_in named_network rerouted forgot_holder")
