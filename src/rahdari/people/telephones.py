"""A person's mobile number: asked for, confirmed by a code that came by SMS, taken away.

Invariants: a number is used for nothing before the code that was sent to it came back, and the one confirmed before
stays in use until then; how a code works stands in `number_codes`. Signing in never needs it: that code goes by email.
"""

import datetime as dt

from django.db import transaction

from rahdari.journal import actions as journal

from . import number_codes
from .models import ContactNumber, User
from .number_codes import (
    CODE_LASTS,
    CODES_OF_A_HOUSEHOLD,
    CODES_OF_A_PERSON,
    CODES_TO_A_NUMBER,
    TRIES,
    CodeEnded,
    CodeWrong,
    NoCodeWaiting,
    SmsNotSetUp,
    TooManyCodes,
    sms_is_set_up,
)

__all__ = [
    "CODES_OF_A_HOUSEHOLD",
    "CODES_OF_A_PERSON",
    "CODES_TO_A_NUMBER",
    "CODE_LASTS",
    "TRIES",
    "CodeEnded",
    "CodeWrong",
    "NoCodeWaiting",
    "SmsNotSetUp",
    "TooManyCodes",
    "ask_for_number",
    "choose_notes",
    "confirm_number",
    "remove_number",
    "sms_is_set_up",
]


def ask_for_number(*, user: User, number: str, network: str, language: str, now: dt.datetime) -> ContactNumber:
    """Send a code to a number (in E.164). Raises SmsNotSetUp, TooManyCodes."""
    number_codes.allow_code(user=user, number=number, network=network)
    with transaction.atomic():
        kept, _new = ContactNumber.objects.select_for_update().get_or_create(user=user)
        number_codes.send_code(kept=kept, user=user, number=number, language=language, now=now)
        kept.save()
        journal.record(act="people.asked_for_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now)
    return kept


def confirm_number(*, user: User, code: str, now: dt.datetime) -> ContactNumber:
    """The code came back. Raises NoCodeWaiting, CodeEnded, CodeWrong; each try of a wrong one is counted."""
    with transaction.atomic():
        kept = ContactNumber.objects.select_for_update().filter(user=user).first()
        if kept is None:
            raise NoCodeWaiting
        wrong = number_codes.take_code(kept=kept, user=user, code=code, now=now)
        if wrong is not None:
            kept.save(update_fields=["tries"])
        else:
            kept.number, kept.index = kept.asked, number_codes.index_of(kept.asked)
            kept.asked, kept.confirmed_at, kept.notes = "", now, True
            kept.save()
            journal.record(
                act="people.confirmed_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now
            )
    if wrong is not None:
        raise wrong  # after the count was committed
    return kept


@transaction.atomic
def remove_number(*, user: User, now: dt.datetime) -> None:
    """The number is deleted at once; what was sent to it remembers none."""
    if ContactNumber.objects.filter(user=user).delete()[0]:
        journal.record(act="people.removed_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now)


def choose_notes(*, user: User, wanted: bool) -> None:
    """Whether notes go to the number. A preference, so no row in the journal."""
    ContactNumber.objects.filter(user=user, confirmed_at__isnull=False).update(notes=wanted)
