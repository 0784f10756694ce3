"""A person's mobile number: asked for, confirmed by a code that came by SMS, taken away.

Invariants: a number is used for nothing before the code that was sent to it came back, and the one confirmed before
stays in use until then; a code works once, for ten minutes, and three tries, counted in the row and so for all
processes; it is compared as a keyed hash, in constant time. Signing in never needs it: that code goes by email.
"""

import datetime as dt
import hmac
import secrets

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from rahdari.journal import actions as journal
from rahdari.page import limits
from rahdari.vault import index

from .models import ContactNumber, User

CODE_LASTS = dt.timedelta(minutes=10)
TRIES = 3
# Codes for one person, to one number (whoever asks), and from one household, in an hour.
CODES_OF_A_PERSON, CODES_TO_A_NUMBER, CODES_OF_A_HOUSEHOLD, PER = 5, 4, 20, 3600


class TooManyCodes(Exception):
    """So many codes were asked for that the next must wait. `.wait`"""

    def __init__(self, wait: dt.timedelta) -> None:
        super().__init__(f"no further code for {wait}")
        self.wait = wait


class SmsNotSetUp(Exception):
    """This register sends no SMS."""


class NoCodeWaiting(Exception):
    """No number waits for a code: none was asked for, or it was confirmed already."""


class CodeEnded(Exception):
    """The code is of no use any more. `.why` is "expired" or "tries"."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the code is of no use any more ({why})")
        self.why = why


class CodeWrong(Exception):
    """Not this one. `.tries_left`"""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"a wrong code; {tries_left} tries left")
        self.tries_left = tries_left


def sms_is_set_up() -> bool:
    """Asked of the room that writes letters; it stands above this one, so the settings name its query."""
    return bool(import_string(settings.SMS_IS_SET_UP)())


def _index(number: str) -> str:
    return index.blind("people.contact_number", number)


def _hashed(user: User, number: str, code: str) -> str:
    return index.blind("people.number_code", f"{user.pk} {number} {code}")


def ask_for_number(*, user: User, number: str, network: str, language: str, now: dt.datetime) -> ContactNumber:
    """Send a code to a number (in E.164). Raises SmsNotSetUp, TooManyCodes."""
    if not sms_is_set_up():
        raise SmsNotSetUp
    for key, rate in (
        (f"people.number_code.person:{user.pk}", CODES_OF_A_PERSON),
        (f"people.number_code.number:{_index(number)}", CODES_TO_A_NUMBER),
        (f"people.number_code.network:{network}", CODES_OF_A_HOUSEHOLD),
    ):
        allowance = limits.take(key, rate=rate, per=PER)
        if not allowance.allowed:
            raise TooManyCodes(allowance.wait)
    code = f"{secrets.randbelow(10**6):06d}"
    with transaction.atomic():
        kept, _new = ContactNumber.objects.select_for_update().get_or_create(user=user)
        kept.asked, kept.code = number, _hashed(user, number, code)
        kept.code_until, kept.tries = now + CODE_LASTS, 0
        kept.save()
        journal.record(act="people.asked_for_number", actor=f"person:{user.pk}", subject=f"person:{user.pk}", now=now)
        import_string(settings.NUMBER_CODE_MESSAGE)(to=user, number=number, language=language, code=code, now=now)
    return kept


def confirm_number(*, user: User, code: str, now: dt.datetime) -> ContactNumber:
    """The code came back. Raises NoCodeWaiting, CodeEnded, CodeWrong; each try of a wrong one is counted."""
    wrong: CodeWrong | CodeEnded | None = None
    with transaction.atomic():
        kept = ContactNumber.objects.select_for_update().filter(user=user).first()
        if kept is None or not kept.code or kept.code_until is None:
            raise NoCodeWaiting
        if kept.tries >= TRIES:
            raise CodeEnded("tries")
        if kept.code_until <= now:
            raise CodeEnded("expired")
        if not hmac.compare_digest(kept.code, _hashed(user, kept.asked, code)):
            kept.tries += 1
            kept.save(update_fields=["tries"])
            wrong = CodeWrong(TRIES - kept.tries) if kept.tries < TRIES else CodeEnded("tries")
        else:
            kept.number, kept.index, kept.confirmed_at, kept.notes = kept.asked, _index(kept.asked), now, True
            kept.asked, kept.code, kept.code_until, kept.tries = "", "", None, 0
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
