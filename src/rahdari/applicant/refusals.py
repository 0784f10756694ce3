"""Why an act was not done: one sentence for each reason, and its code, which programs get beside the sentence."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rahdari import optional
from rahdari.appeal import actions as appeals
from rahdari.apply import drafts, renewal
from rahdari.apply import late_evidence as apply_late_evidence
from rahdari.apply import sending as apply_sending
from rahdari.complaint import actions as complaints
from rahdari.control import attempts, challenges
from rahdari.decide import ending, hearings, questions, recusing, transitions
from rahdari.incident import actions as incidents
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.register import changes

REFUSALS: dict[type[Exception], tuple[str, str | Promise]] = {}


def why(error: type[Exception]) -> str:
    return str(REFUSALS[error][1])


def refusal(code: str, words: str | Promise, *errors: type[Exception]) -> None:
    """Says what these errors of the rooms come to."""
    REFUSALS.update(dict.fromkeys(errors, (code, words)))


refusal("service_not_open", _("This service accepts no applications at the moment."), drafts.ServiceNotOpen)
refusal("not_a_draft", _("This application was sent, so its answers stay as they are."), drafts.NotADraft)
refusal(
    "terms_changed",
    _("The rules have changed since you began. Read the service and your application again."),
    apply_sending.TermsChanged,
)
refusal("decided", _("It was decided before you withdrew it. Nothing was changed."), apply_sending.MoveNotAllowed)
refusal(
    "not_awaited",
    _("We are not waiting for anything from you. Your application shows its status."),
    apply_late_evidence.NothingAwaited,
    apply_late_evidence.ProofNotAccepted,
)
refusal("answered", _("Your first answer has already arrived, and it is the one we use."), transitions.AlreadyAnswered)
refusal("no_more_time", _("More time was given already."), questions.NoMoreTime)
refusal(
    "asked_before",
    _("You asked for another officer before, and somebody else decides now. You can ask once."),
    recusing.AskedBefore,
)
refusal(
    "nobody_else",
    _(
        "At the moment this office has no other officer who could decide your application. Nothing was changed. If the "
        "decision goes against you, write it in your appeal."
    ),
    recusing.NobodyElse,
)
refusal(
    "no_officer",
    _(
        "No officer has your application at the moment, so there is nobody to replace. If we told you that it may be "
        "refused, write it in your answer."
    ),
    recusing.NotWithAnOfficer,
)
refusal(
    "nothing_to_appeal",
    _("There is nothing to appeal against, or your appeal was sent already."),
    appeals.NothingToAppeal,
)
refusal("decided", _("The complaint was answered or decided before. Nothing was changed."), complaints.NotPossibleNow)
refusal(
    "changed_meanwhile",
    _("The disruption changed in the meantime. This is its status now."),
    incidents.NotPossibleNow,
)
refusal("decided", _("The appeal was decided before you withdrew it. Nothing was changed."), appeals.NotPossibleNow)
refusal(
    "too_late",
    _("It is too late for this answer. Apply again: it costs nothing."),
    questions.TooLateToReopen,
    transitions.NotPossibleNow,
)

refusal(
    "no_hearing",
    _("A court ordered it, and that court hears you. You can answer here in writing."),
    hearings.NoHearing,
)
refusal(
    "hearing_not_offered",
    _("No hearing belongs to the reasons in this notice. You can answer here in writing, with documents."),
    hearings.NotOffered,
)
refusal(
    "not_valid",
    _("This registration is not valid now. Nothing was changed."),
    changes.NotValid,
    renewal.RegistrationOver,
)
refusal(
    "shared",
    _("This address is shared. Add the other protocol or port, and remove this one."),
    changes.SharedWithOthers,
)
refusal("too_early", _("Renewal opens later."), renewal.TooEarlyToRenew)
refusal("not_at_request", _("The holder did not end or suspend it. Read the letter about it."), ending.NotYours)
refusal("too_late", _("This cannot be undone any more. You can apply again."), ending.TooLate)

refusal(
    "not_open",
    _("The time to answer has ended, or they no longer ask. Nothing has changed for you."),
    NoLongerOpen,
)
refusal("too_soon", _("We checked a moment ago. Try again a little later."), attempts.TooSoonToLook)
refusal(
    "too_many_looks",
    _("We have reached the limit of checks for this method. Choose another method."),
    attempts.TooManyLooks,
)
refusal(
    "not_pending",
    _("This method is closed: the address is proved, or the time for it has ended."),
    challenges.ChallengeNotPending,
)
optional.load(__package__)  # with their own
