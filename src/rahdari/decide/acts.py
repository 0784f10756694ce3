"""What this room writes into the journal."""

from django.utils.translation import gettext_lazy as _

from rahdari.journal.registry import EVERYBODY, OFFICERS, Act, Event, declare, declare_unshown

_GRANTED = {"outcome": "granted"}

declare(
    Act("decide.opened_case", _("Sent to an officer"), EVERYBODY),
    Act("decide.granted_by_rule", _("Granted"), EVERYBODY, event=Event("application.decided", _GRANTED)),
    Act("decide.granted", _("Granted"), EVERYBODY, event=Event("application.decided", _GRANTED)),
    Act("decide.took_case", _("Case taken"), OFFICERS),
    Act("decide.handed_over", _("Case passed on"), OFFICERS),
    Act("decide.wrote_note", _("An officer wrote a note"), EVERYBODY),
    Act("decide.recused", _("An officer declared a conflict of interest: somebody else decides"), EVERYBODY),
    Act("decide.asked_for_another", _("Another officer was asked for: somebody else decides"), EVERYBODY),
    Act(
        "decide.asked_question",
        _("Question sent"),
        EVERYBODY,
        with_code=True,
        event=Event("application.awaiting", {"awaiting": "answer"}),
    ),
    Act("decide.extended_question", _("More time given"), EVERYBODY),
    Act("decide.answered_question", _("Question answered"), EVERYBODY, with_code=True),
    Act(
        "decide.closed_unanswered",
        _("No answer in time: not pursued"),
        EVERYBODY,
        event=Event("application.closed"),
    ),
    Act(
        "decide.proposed_refusal",
        _("Refusal proposed, notice sent"),
        EVERYBODY,
        with_code=True,
        event=Event("application.awaiting", {"awaiting": "comment"}),
    ),
    Act("decide.moved_time", _("More time to answer: office days changed, or it was delivered late"), EVERYBODY),
    Act("decide.answered_notice", _("Notice answered"), EVERYBODY),
    Act("decide.notice_ran_out", _("Time to answer the notice has ended"), EVERYBODY),
    Act("decide.dropped_refusal", _("Proposal withdrawn"), EVERYBODY, with_code=True),
    Act(
        "decide.refused",
        _("Refused"),
        EVERYBODY,
        with_code=True,
        event=Event("application.decided", {"outcome": "refused"}),
    ),
    Act("decide.returned_grant", _("Grant could not be entered, back to an officer"), EVERYBODY),
    Act("decide.entered", _("Entered in the register"), EVERYBODY),
    Act(
        "decide.granted_provisionally",
        _("Granted provisionally"),
        EVERYBODY,
        with_code=True,
        event=Event("application.decided", _GRANTED | {"provisionally": True}),
    ),
    Act("decide.confirmed", _("The missing item arrived: registration confirmed"), EVERYBODY),
    Act("decide.returned_provisional", _("Provisional registration, back to an officer"), EVERYBODY),
    Act("decide.escalated", _("Not decided in time"), EVERYBODY),
    Act("decide.closed_withdrawn", _("Case closed: application withdrawn"), OFFICERS),
    Act(
        "decide.proposed_revocation",
        _("Revocation proposed, notice sent"),
        EVERYBODY,
        with_code=True,
    ),
    Act(
        "decide.proposed_by_order",
        _("Revocation proposed by the order of a court, the holder told"),
        EVERYBODY,
        with_code=True,
    ),
    Act("decide.asked_for_hearing", _("A hearing was asked for"), EVERYBODY),
    Act("decide.set_hearing", _("A hearing was set"), EVERYBODY),
    Act("decide.moved_hearing", _("The hearing was moved to another day"), EVERYBODY),
    Act("decide.held_hearing", _("The hearing was held, its minutes are on file"), EVERYBODY),
    Act("decide.nobody_came", _("Nobody came to the hearing"), EVERYBODY),
    Act(
        "decide.proposal_lapsed",
        _("Not decided in time: the registration stays as it is"),
        EVERYBODY,
        with_code=True,
    ),
    Act("decide.suspension_ended", _("The suspension ended"), EVERYBODY, with_code=True),
    Act("decide.kept_registration", _("The registration stays as it is"), EVERYBODY),
    Act("decide.revoked", _("The registration was revoked"), EVERYBODY, with_code=True),
    Act("decide.suspended_first", _("The registration was suspended before a hearing"), EVERYBODY, with_code=True),
    Act("decide.restored_registration", _("The registration was restored"), EVERYBODY, with_code=True),
    Act("decide.named_reviewer", _("Somebody from outside was named to decide the proposal"), EVERYBODY),
    Act("decide.set_aside", _("Set aside on appeal"), EVERYBODY, with_code=True),
    Act("decide.held_file", _("The file is kept longer than the normal period"), EVERYBODY),
    Act("decide.ended_hold", _("The file is kept for the normal period only"), EVERYBODY),
    Act("decide.named_network", _("The operator of an address was named"), OFFICERS),
    Act("decide.asked_operator", _("The operator was asked"), OFFICERS),
    Act("decide.read_case", _("File opened"), OFFICERS, seen=_("The whole file of the application")),
    Act("decide.read_contact", _("Contact shown"), OFFICERS, seen=_("The contact details")),
    Act(
        "decide.read_listed_name",
        _("Name on a list shown"),
        OFFICERS,
        seen=_("The name that a list has under your number"),
    ),
    Act(
        "decide.read_list",
        seen=_("One line in a list of applications: its number, with the name and the results or with an address"),
    ),
    Act(
        "decide.read_outcome",
        seen=_("Whether it was granted or refused, as one in a count. No name and no number was shown."),
    ),
    Act(
        "decide.read_search",
        _("Found by a search for its name or an address"),
        OFFICERS,
        seen=_("The number of your case, found by the name or an address in it"),
    ),
)
# What an applicant has written and not sent is nobody else's: the officer's history leaves it out.
declare_unshown("decide", "saved_answer_draft")
