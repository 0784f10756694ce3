"""What became of a letter or a note, in plain words for whoever reads its file."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from rahdari.web import values

from .models import Letter, LetterState, Message

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


def of_message(message: Message) -> DeliveryStanding:
    when = values.when(message.closed_at or message.sent_at)
    match message.state:
        case Message.State.DELIVERED:
            return DeliveryStanding("ok", _("SMS delivered, %(when)s") % {"when": when})
        case Message.State.SENT if message.unclear:
            return DeliveryStanding("warn", _("SMS sent, but the provider did not confirm it."))
        case Message.State.SENT:
            return DeliveryStanding("wait", _("SMS sent, %(when)s") % {"when": when})
        case Message.State.FAILED:
            return DeliveryStanding("bad", why_no_message(message))
        case _:
            return DeliveryStanding("wait", _("SMS waits until %(when)s") % {"when": values.when(message.next_try_at)})


def why_no_message(message: Message) -> str:
    reason = message.reason
    if reason == "the number is not taken" or reason.startswith("SMPP 11"):
        return _("No SMS: the network does not know this number.")
    if reason.startswith("EXPIRED"):
        return _("No SMS: the telephone was switched off for too long.")
    if reason == "too late":
        return _("The SMS could not be sent in time.")
    return _("The SMS could not be delivered.")


def reached(letter: Letter) -> list[DeliveryStanding]:
    """By every channel that this letter took."""
    found = [of_email(letter)]
    if letter.message is not None:
        found.append(of_message(letter.message))
    return found
