"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, OFFICERS, Act, Event, declare, declare_unshown

declare(
    Act("apply.started", done=_("Began an application")),
    Act("apply.applied_again", done=_("Began a renewal or a change")),
    Act(
        "apply.submitted",
        _("Application received"),
        EVERYBODY,
        done=_("Sent the application"),
        event=Event("application.submitted"),
    ),
    Act(
        "apply.withdrew",
        _("Application withdrawn"),
        OFFICERS,
        done=_("Withdrew the application"),
        event=Event("application.withdrawn"),
    ),
    Act(
        "apply.took_over_entry",
        _("Entered by an officer for the holder, who took it over"),
        EVERYBODY,
        done=_("Took over what an officer had entered"),
    ),
    Act("apply.reopened", _("Application open again"), OFFICERS),
    Act("apply.closed_granted", _("Application closed: granted"), OFFICERS),
    Act("apply.closed_refused", _("Application closed: refused"), OFFICERS),
    Act("apply.closed_not_pursued", _("Application closed: not pursued"), OFFICERS),
    Act("apply.added_endpoint", done=_("Added an address")),
    Act("apply.added_endpoints", done=_("Added addresses")),
    Act("apply.changed_endpoint", done=_("Changed an address")),
    Act("apply.removed_endpoint", done=_("Removed an address")),
    Act("apply.attached_document", done=_("Sent a document")),
    Act("apply.removed_document", done=_("Removed a document")),
    Act("apply.read_document", _("Document opened"), OFFICERS, seen=_("One document")),
)
declare_unshown("apply", "saved_company saved_person saved_contact saved_purpose saved_evidence deleted_idle_draft")
declare_unshown("apply", "opened_checks heard_address named_network noted_subscriber placed_endpoints")
declare_unshown("apply", "dated_document offered_proof attached_to_answer removed_from_answer")
declare_unshown("apply", "entered_at_the_desk dropped_entry disowned_entry erased_entry")
declare_unshown("apply", "erased_application erased_documents erased_card_number forgot_client")
