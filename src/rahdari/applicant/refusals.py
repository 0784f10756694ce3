"""Why an act was not done: one sentence for each reason, and its code, which programs get beside the sentence."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from rahdari import optional
from rahdari.apply import actions as apply
from rahdari.control import actions as control
from rahdari.decide import actions as decide
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.register import actions as register

REFUSALS: dict[type[Exception], tuple[str, str | Promise]] = {}


def why(error: type[Exception]) -> str:
    return str(REFUSALS[error][1])


def refusal(code: str, words: str | Promise, *errors: type[Exception]) -> None:
    """Says what these errors of the rooms come to."""
    REFUSALS.update(dict.fromkeys(errors, (code, words)))


refusal("service_not_open", _("This service accepts no applications at the moment."), apply.ServiceNotOpen)
refusal("not_a_draft", _("This application was sent, so its answers stay as they are."), apply.NotADraft)
refusal(
    "terms_changed",
    _("The rules have changed since you began. Read the service and your application again."),
    apply.TermsChanged,
)
refusal("decided", _("It was decided before you withdrew it. Nothing was changed."), apply.MoveNotAllowed)
refusal(
    "not_awaited",
    _("We are not waiting for anything from you. Your application shows its status."),
    apply.NothingAwaited,
    apply.ProofNotAccepted,
)
refusal("answered", _("Your first answer has already arrived, and it is the one we use."), decide.AlreadyAnswered)
refusal("no_more_time", _("More time was given already."), decide.NoMoreTime)
refusal(
    "too_late",
    _("It is too late for this answer. Apply again: it costs nothing."),
    decide.TooLateToReopen,
    decide.NotPossibleNow,
)

refusal(
    "not_valid",
    _("This registration is not valid now. Nothing was changed."),
    register.NotValid,
    apply.RegistrationOver,
)
refusal(
    "shared",
    _("This address is shared. Add the other protocol or port, and remove this one."),
    register.SharedWithOthers,
)
refusal("too_early", _("Renewal opens later."), apply.TooEarlyToRenew)
refusal("not_at_request", _("The holder did not end or suspend it. Read the letter about it."), decide.NotYours)
refusal("too_late", _("This cannot be undone any more. You can apply again."), decide.TooLate)

refusal(
    "not_open",
    _("The time to answer has ended, or they no longer ask. Nothing has changed for you."),
    NoLongerOpen,
)
refusal("too_soon", _("We checked a moment ago. Try again a little later."), control.TooSoonToLook)
refusal(
    "too_many_looks",
    _("We have reached the limit of checks for this method. Choose another method."),
    control.TooManyLooks,
)
refusal(
    "not_pending",
    _("This method is closed: the address is proved, or the time for it has ended."),
    control.ChallengeNotPending,
)
optional.load(__package__)  # with their own
