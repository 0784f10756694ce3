"""A code that goes to a mobile number by SMS and comes back: how many go out, how long one counts.

Invariants: a code works once, for ten minutes, and three tries, counted in the row that waits for it and so for all
processes; it is kept and compared as a keyed hash, in constant time. Whoever uses this locks the row and saves it.
"""

import datetime as dt
import hmac
import secrets

from rahdari.delivery.rules import CODE_LASTS
from rahdari.errors import RahdariError
from rahdari.vault import index
from rahdari.web import limits

from . import actions, queries
from .models import PendingCode, Person
from .writing import NUMBER_CODE

TRIES = 3
# Codes for one person, to one number, and from one household, in an hour. Those to a number count for whoever asks, and
# once more for all together: of that nobody is told. All together have more than one asker, so that a stranger's codes
# leave some for the one whose number it is.
CODES_OF_A_PERSON, CODES_TO_A_NUMBER, CODES_OF_A_HOUSEHOLD, PER = 5, 4, 20, 3600
CODES_TO_A_NUMBER_BY_ALL = 2 * CODES_TO_A_NUMBER


class TooManyCodes(RahdariError):
    """So many codes were asked for that the next must wait. `.wait`"""

    says = "no further code for {wait}"
    wait: dt.timedelta


class SmsNotSetUp(Exception):
    """This register sends no SMS."""


class NoCodeWaiting(Exception):
    """No number waits for a code: none was asked for, or it was confirmed already."""


class CodeEnded(RahdariError):
    """The code is of no use any more. `.why` is "expired" or "tries"."""

    says = "the code is of no use any more ({why})"
    why: str


class CodeWrong(RahdariError):
    """Not this one. `.tries_left`"""

    says = "a wrong code; {tries_left} tries left"
    tries_left: int


def index_of(number: str) -> str:
    return index.blind("sms.contact_number", number)


def _hashed(user: Person, number: str, code: str) -> str:
    return index.blind("sms.number_code", f"{user.pk} {number} {code}")


def allow_code(*, user: Person, number: str, network: str) -> None:
    """Count a code to a number (in E.164), by what this person and household asked for. Raises SmsNotSetUp,
    TooManyCodes."""
    if not queries.is_set_up():
        raise SmsNotSetUp
    for key, rate in (
        (f"sms.number_code.person:{user.pk}", CODES_OF_A_PERSON),
        (f"sms.number_code.number:{index_of(number)}:{user.pk}", CODES_TO_A_NUMBER),
        (f"sms.number_code.network:{network}", CODES_OF_A_HOUSEHOLD),
    ):
        allowance = limits.take(key, rate=rate, per=PER)
        if not allowance.allowed:
            raise TooManyCodes(allowance.wait)


def send_code(
    *, kept: PendingCode, user: Person, number: str, language: str, now: dt.datetime, note: str = NUMBER_CODE
) -> None:
    """Put the code on its way, and what it is compared with into the row. `note`: the words around it. A number that
    had its codes of this hour gets no further one, and whoever asks reads the same."""
    code = f"{secrets.randbelow(10**6):06d}"
    kept.asked, kept.code = number, _hashed(user, number, code)
    kept.code_until, kept.tries = now + CODE_LASTS, 0
    if limits.allow(f"sms.number_code.number:{index_of(number)}", rate=CODES_TO_A_NUMBER_BY_ALL, per=PER):
        actions.write_number_code(to=user, number=number, language=language, code=code, now=now, note=note)


def has_ended(kept: PendingCode, now: dt.datetime) -> str:
    """Why the code of this row is of no use any more, "expired" or "tries"; "" while it is."""
    if kept.tries >= TRIES:
        return "tries"
    return "expired" if kept.code_until is None or kept.code_until <= now else ""


def take_code(*, kept: PendingCode, user: Person, code: str, now: dt.datetime) -> CodeWrong | CodeEnded | None:
    """Compare what came back. A wrong one is counted in the row and given back. Raises NoCodeWaiting, CodeEnded."""
    if not kept.code or kept.code_until is None:
        raise NoCodeWaiting
    if why := has_ended(kept, now):
        raise CodeEnded(why)
    if not hmac.compare_digest(kept.code, _hashed(user, kept.asked, code)):
        kept.tries += 1
        return CodeWrong(TRIES - kept.tries) if kept.tries < TRIES else CodeEnded("tries")
    kept.code, kept.code_until, kept.tries = "", None, 0
    return None
