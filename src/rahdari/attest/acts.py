"""What this room, and the officers' pages about it, write into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import OFFICERS, Act, Event, declare, declare_unshown

declare(
    Act("attest.asked", _("Association asked"), OFFICERS),
    Act("attest.answered", _("Association answered"), OFFICERS),
    Act("attest.expired", _("Association did not answer in time"), OFFICERS),
    Act("attest.opened_matter", _("Attestation revoked after the decision"), OFFICERS),
    Act("attest.disputed", _("Attestation disputed by the applicant"), OFFICERS),
    Act(
        "attest.replied",
        _("Association answered the dispute"),
        OFFICERS,
        event=Event("attestation.answered"),
    ),
    Act("attest.decided", _("Decided about the attestation"), OFFICERS, event=Event("attestation.decided")),
    Act("attest.revoked", event=Event("attestation.revoked", tells_reason=True)),
    Act("attest.gave_back", event=Event("attestation.restored")),
    Act(
        "attest.read_request",
        seen=_("The question whether you are a member: your name, member number and email"),
        why=_("To answer whether you are a member"),
    ),
    Act(
        "attest.read_attestation",
        seen=_("What it says of your membership: your name and member number"),
        why=_("To keep its list of members"),
    ),
    Act(
        "attest.listed",
        seen=_("One line in its list of members, or of those who ask: your name, and what it says of you"),
        why=_("To keep its list of members"),
    ),
    Act(
        "attest.downloaded",
        seen=_("One line of a file of its members: your name, and what it says of you"),
        why=_("To keep its list of members"),
    ),
    Act(
        "attest.read_matter",
        seen=_("What was said about your membership"),
        why=_("To decide about the membership"),
    ),
)
declare_unshown("attest", "attested renewed reopened withdrew erased sent_list sent_revocations closed_matter")
