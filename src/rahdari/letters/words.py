"""What became of a letter or a note, in plain words for whoever reads its file."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from rahdari import optional
from rahdari.web import values

from .models import Letter, LetterState

# RFC 3463: the second figure says what it is about. A reader wants to know what to mend.
_MAILBOX = {"1": "address", "2": "mailbox"}


@dataclass(frozen=True)
class DeliveryStanding:
    """`tone` as the page has it: ok, wait, warn, bad, off."""

    tone: str
    text: str


def of_email(letter: Letter) -> DeliveryStanding:
    match letter.state:
        case LetterState.SENT:
            return DeliveryStanding("ok", _("Sent by email, %(when)s") % {"when": values.when(letter.sent_at)})
        case LetterState.FAILED:
            return DeliveryStanding("bad", why_no_email(letter))
        case LetterState.KEPT:
            return DeliveryStanding("off", _("Not sent by email: reminders by email are switched off."))
        case _ if letter.last_error:
            return DeliveryStanding("wait", _("The mail server has not accepted it yet. We try again."))
        case _:
            return DeliveryStanding("wait", _("The email has been sent."))


def why_no_email(letter: Letter) -> str:
    error = letter.last_error
    if error.startswith("Returned"):
        subject = error.removeprefix("Returned ").split(".")[1:2]
        about = _MAILBOX.get(subject[0] if subject else "", "")
        if about == "address":
            return _("The email came back: there is no such address.")
        if about == "mailbox":
            return _("The email came back: the mailbox accepts no mail.")
        return _("The email came back.")
    if error.startswith("SMTPRecipientsRefused 5"):
        return _("The mail server says that there is no such address.")
    if error == "TooLate":
        return _("It could not be sent in time.")
    return _("The email could not be delivered.")


def reached(letter: Letter, notes: Iterable[Any] | None = None) -> list[DeliveryStanding]:
    """By every channel that this letter took. `notes`: what `notes_about` found, where it was read."""
    also = optional.given(__package__, "standings_of")
    return [of_email(letter), *(one for each in also for one in each(letter, notes))]


def notes_about(about: str) -> QuerySet[Any] | None:
    """By which the letters about one subject also went, to be read with other things."""
    found: QuerySet[Any] | None = optional.ask(__package__, "notes_about", about)
    return found
