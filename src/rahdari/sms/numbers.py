"""A person's mobile number: asked for, confirmed by a code that came by SMS, taken away.

Invariants: a number is used for nothing before the code that was sent to it came back, and the one confirmed before
stays in use until then; how a code works stands in `codes`. Signing in never needs it: that code goes by email.
"""

import datetime as dt

from django.db import transaction

from rahdari.journal import actions as journal

from . import codes
from .models import ContactNumber, Person


def ask_for_number(*, user: Person, number: str, network: str, language: str, now: dt.datetime) -> ContactNumber:
    """Send a code to a number (in E.164). Raises SmsNotSetUp, TooManyCodes."""
    codes.allow_code(user=user, number=number, network=network)
    with transaction.atomic():
        kept, _new = ContactNumber.objects.select_for_update().get_or_create(person=user.pk)
        codes.send_code(kept=kept, user=user, number=number, language=language, now=now)
        kept.save()
        journal.record(act="sms.asked_for_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now)
    return kept


def confirm_number(*, user: Person, code: str, now: dt.datetime) -> ContactNumber:
    """The code came back. Raises NoCodeWaiting, CodeEnded, CodeWrong; each try of a wrong one is counted."""
    with transaction.atomic():
        kept = ContactNumber.objects.select_for_update().filter(person=user.pk).first()
        if kept is None:
            raise codes.NoCodeWaiting
        wrong = codes.take_code(kept=kept, user=user, code=code, now=now)
        if wrong is not None:
            kept.save(update_fields=["tries"])
        else:
            kept.number, kept.index = kept.asked, codes.index_of(kept.asked)
            kept.asked, kept.confirmed_at, kept.notes = "", now, True
            kept.save()
            journal.record(act="sms.confirmed_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now)
    if wrong is not None:
        raise wrong  # after the count was committed
    return kept


def forget_number(user: Person) -> bool:
    """Whether there was one. No journal row: the act that forgets the person has its own."""
    return bool(ContactNumber.objects.filter(person=user.pk).delete()[0])


@transaction.atomic
def remove_number(*, user: Person, now: dt.datetime) -> None:
    """The number is deleted at once; what was sent to it remembers none."""
    if forget_number(user):
        journal.record(act="sms.removed_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now)


def choose_notes(*, user: Person, wanted: bool, of_disruptions: bool = False) -> None:
    """Whether notes go to the number, or those of disruptions beside the others. A preference, so no row in the
    journal."""
    kept = ContactNumber.objects.filter(person=user.pk, confirmed_at__isnull=False)
    kept.update(**{"disruptions" if of_disruptions else "notes": wanted})
