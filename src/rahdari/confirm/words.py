"""What operators say, and why an answer was not taken, in sentences of the reader's language."""

from collections.abc import Callable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.probe.hook import HookOutcome

from .models import CallbackDelivery, SubscriberQuestion
from .rules import REASONS, AnswerTrouble, FileTrouble, OperatorAnswer, QuestionKind

_REASONS: dict[str, Callable[[], str]] = {
    "another_subscriber": lambda: _("Another subscriber has it"),
    "not_our_address": lambda: _("The address is not ours"),
    "unknown_subscriber": lambda: _("The subscriber number is unknown"),
    "line_closed": lambda: _("The line is closed"),
    "not_our_number": lambda: _("The number is not ours"),
}


def reason(key: str) -> str:
    return _REASONS[key]() if key in _REASONS else ""


def reasons(kind: str) -> list[tuple[int, str, str]]:
    """Each reason of a kind of question: its number, its key, its words."""
    return [(place, key, reason(key)) for place, key in enumerate(REASONS[QuestionKind(kind)], start=1)]


def answer_text(question: SubscriberQuestion) -> str:
    """An operator's last answer, in a few words."""
    if question.answer == OperatorAnswer.YES:
        return _("Yes, our subscriber")
    if question.answer == OperatorAnswer.NO:
        return _("No: %(reason)s") % {"reason": reason(question.reason)}
    if question.answer == OperatorAnswer.UNKNOWN:
        return _("We cannot tell")
    return _("Not answered yet")


# What is wrong with an answer, and how to mend it. Looked up a thousand times in one request.
_TROUBLES = {
    AnswerTrouble.UNKNOWN_ANSWER: gettext_lazy("The answer is yes, no or unknown. Enter one of these."),
    AnswerTrouble.NO_REASON: gettext_lazy("If the answer is no, give a reason. Enter its number or its name."),
    AnswerTrouble.UNKNOWN_REASON: gettext_lazy(
        "There is no such reason for this kind of check. See the list of reasons."
    ),
    AnswerTrouble.REASON_WITHOUT_NO: gettext_lazy(
        "Give a reason only if the answer is no. Remove it, or change the answer."
    ),
    AnswerTrouble.UNKNOWN_CHECK: gettext_lazy(
        "There is no check with this number for your network. Copy the number again."
    ),
    AnswerTrouble.CLOSED: gettext_lazy("This check is closed. It no longer needs an answer."),
    AnswerTrouble.TWICE: gettext_lazy("This check is answered twice. Keep one of the answers."),
    AnswerTrouble.NO_REFERENCE: gettext_lazy(
        "If the answer about a mobile number is yes, give your own reference for the line."
    ),
    AnswerTrouble.REFERENCE_UNUSABLE: gettext_lazy(
        "A reference has 8 to 64 letters, digits and the characters . _ ~ -"
    ),
    AnswerTrouble.REFERENCE_SAYS_THE_NUMBER: gettext_lazy(
        "This reference contains the number. Use one that means nothing to us."
    ),
    AnswerTrouble.OWN: gettext_lazy(
        "This check is about your own application. Somebody else at the operator must answer it."
    ),
    AnswerTrouble.REFERENCE_NOT_WANTED: gettext_lazy(
        "Give a reference only if the answer about a mobile number is yes. Remove it."
    ),
}


def trouble(found: AnswerTrouble) -> str:
    return str(_TROUBLES[found])


def file_trouble(found: FileTrouble) -> str:
    """Why a file cannot be read at all, and how to mend it."""
    return {
        FileTrouble.EMPTY: _("The file has no rows. Choose the file with your answers."),
        FileTrouble.TOO_LARGE: _("The file is too large. Send 5,000 rows at most, and the others afterwards."),
        FileTrouble.TOO_MANY_ROWS: _("The file has more than 5,000 rows. Send the others afterwards."),
        FileTrouble.NOT_TEXT: _("This is not a CSV file. In a spreadsheet, save it as CSV UTF-8."),
        FileTrouble.NO_COLUMNS: _(
            "The first row must name the columns: check and answer. Begin with the file from this page."
        ),
    }[found]


def callback_trouble(found: HookOutcome) -> str:
    """Why an address cannot be called, and which can."""
    return {
        HookOutcome.NOT_HTTPS: _("Enter an address that begins with https://"),
        HookOutcome.BAD_PORT: _("Use the usual port, or 8443."),
        HookOutcome.NOT_GLOBAL: _("This address is not on the public internet. Use one that we can reach."),
    }.get(found) or _("This is not an address that we can call. It looks like https://answers.operator.example/hook")


def delivered(delivery: CallbackDelivery) -> tuple[str, str]:
    """How an event fared: a tone, and words."""
    if delivery.delivered_at is not None:
        return "ok", _("Delivered")
    if not delivery.finding:
        return "wait", _("Being sent")
    what = {
        HookOutcome.REDIRECTED: _("The address redirected us; we do not follow redirects"),
        HookOutcome.REFUSED_IT: _("The server answered with an error"),
        HookOutcome.NO_SUCH_NAME: _("The name was not found"),
        HookOutcome.NOT_GLOBAL: _("The name points to no public address"),
        HookOutcome.CERTIFICATE: _("The certificate does not match the name"),
        HookOutcome.TIMED_OUT: _("No answer in 10 seconds"),
        HookOutcome.MALFORMED: _("The answer was not HTTP"),
    }.get(HookOutcome(delivery.finding) if delivery.finding in set(HookOutcome) else HookOutcome.UNREACHABLE)
    return ("warn" if delivery.next_at else "bad"), what or _("The server could not be reached")
