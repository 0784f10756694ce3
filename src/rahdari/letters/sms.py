"""What SMS adds to letters: the note that says that one is there, what became of it, and how it would read."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rahdari.sms import actions, queries, retention, segments, writing
from rahdari.sms.models import Message
from rahdari.web import values

from .catalogue import LETTERS, Title
from .models import Letter
from .samples import AT, DISRUPTION, REFERENCE, REGISTRATION
from .words import DeliveryStanding

forget_some = retention.forget_some
erase_about = retention.erase_about
is_set_up = queries.is_set_up


def write_note(letter: Letter, context: Mapping[str, Any], *, now: dt.datetime) -> None:
    kind = LETTERS[letter.template]
    message = kind.note and actions.write_note(
        to=letter.to,
        note=kind.note,
        about=letter.about,
        language=letter.language,
        context=context,
        urgent=kind.urgent,
        now=now,
    )
    if message:
        message.letters.create(letter=letter.pk)


def waiting(*, now: dt.datetime) -> dict[str, int]:
    return {"sms": queries.due(now=now).count()}


def oldest_waiting(*, now: dt.datetime) -> dict[str, dt.datetime | None]:
    return {"sms": queries.oldest_due(now=now)}


def given_up(*, since: dt.datetime) -> dict[str, int]:
    return {"sms": queries.failed_since(since=since)}


# -- what became of it -----------------------------------------------------------------------------------------------


def standings_of(letter: Letter, notes: Iterable[Any] | None = None) -> list[DeliveryStanding]:
    found: Iterable[Any] = Message.objects.filter(letters__letter=letter.pk) if notes is None else notes
    return [of_message(each) for each in found if notes is None or each.letter == letter.pk]


def notes_about(about: str) -> QuerySet[Message]:
    letters = Letter.objects.filter(about=about).order_by().values("pk")
    return Message.objects.filter(letters__letter__in=letters).annotate(letter=F("letters__letter"))


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


# -- how it would read -----------------------------------------------------------------------------------------------

# Each with its title and made-up facts.
NOTES: dict[str, tuple[Title, dict[str, Any]]] = {
    writing.CONTACT_CODE: (gettext_lazy("The code to the contact of a company or member"), {"code": "7kq2-m4xz"}),
    writing.NUMBER_CODE: (gettext_lazy("The code that confirms a mobile number"), {"code": "482915"}),
    writing.URGENT_CODE: (gettext_lazy("The code to list a new address"), {"code": "482915"}),
    writing.SPOKEN_CODE: (gettext_lazy("The code that a caller reads out to an officer"), {"code": "482915"}),
    writing.ENTRY_CODE: (
        gettext_lazy("The code to read what an officer entered for somebody"),
        {"code": "48291537", "reference": "E-K7M2-94QX"},
    ),
    "news": (gettext_lazy("There is news in a file"), {"reference": REFERENCE}),
    "disruption": (gettext_lazy("There is news of a disruption"), {"reference": DISRUPTION}),
    "answer_by": (
        gettext_lazy("An answer is due"),
        {"reference": REFERENCE, "due_at": AT + dt.timedelta(days=14)},
    ),
    "ends_on": (
        gettext_lazy("A registration ends"),
        {"reference": REGISTRATION, "valid_until": AT + dt.timedelta(days=30)},
    ),
}


@dataclass(frozen=True)
class Note:
    language: str
    text: str

    @property
    def parts(self) -> int:
        return segments.count(self.text)


def sample_note(name: str, language: str, facts: Mapping[str, Any]) -> Note | None:
    return Note(language, writing.compose(note=name, language=language, context=facts)) if name else None


def sample_notes(languages: Sequence[str]) -> list[tuple[Title, list[Note | None]]]:
    return [(title, [sample_note(name, each, facts) for each in languages]) for name, (title, facts) in NOTES.items()]
