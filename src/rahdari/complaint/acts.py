"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, Act, declare, declare_unshown

declare(
    Act("complaint.received", _("A complaint about the registration arrived"), EVERYBODY),
    Act(
        "complaint.joined",
        _("The same complaint arrived again. We counted it; we did not open a second case."),
        EVERYBODY,
    ),
    Act("complaint.compared_name", _("An officer had the name in the complaint compared"), EVERYBODY),
    Act("complaint.answered", _("The holder answered the complaint"), EVERYBODY),
    Act("complaint.answer_lapsed", _("The time to answer the complaint ended"), EVERYBODY),
    Act("complaint.ran_out", _("The complaint was not decided in its time"), EVERYBODY),
    Act("complaint.named_reviewer", _("Somebody from outside was named to decide the complaint"), EVERYBODY),
    Act("complaint.contested", _("The public check says now that the name is contested"), EVERYBODY),
    Act("complaint.not_contested", _("The complaint does not contest the name any more"), EVERYBODY),
    Act("complaint.taken_back", _("The sender withdrew the objection to the name; an officer decides"), EVERYBODY),
    Act("complaint.said_again", _("The sender objected to the name again"), EVERYBODY),
    Act("complaint.decided", _("Complaint decided"), EVERYBODY),
    Act("complaint.read", seen=_("A complaint about your registration, and your answer to it")),
)
declare_unshown("complaint", "sent confirmed forgot told erased added_file removed_file ended_files")
declare_unshown("complaint", "added_answer_file removed_answer_file")
