"""What is known of how a letter travelled, forgotten when its time is over. Reached through `actions`.

The letter itself stays with its file and goes with it (`erase_letters`), and so does whether and when it went out:
deadlines count from that. How often it was tried, what the mail server answered, and the notes by SMS with their
providers are of no use after a year.
"""

import datetime as dt
from collections.abc import Callable, Collection

from django.db import transaction
from django.db.models import Q

from rahdari import optional
from rahdari.archive.actions import Box

from .models import Letter, LetterState

SETTLED = (LetterState.SENT, LetterState.FAILED, LetterState.KEPT)
AT_ONCE = 1_000


def forget_deliveries(*, before: dt.datetime) -> int:
    """Of all that was settled before then; returns of how many letters and notes. Done twice it is done once."""
    some = (*optional.given(__package__, "forget_some"), _codes, _letters)
    return sum(_until_none(each, before) for each in some)


def _until_none(forget: Callable[[dt.datetime], int], before: dt.datetime) -> int:
    count = 0
    while done := forget(before):
        count += done
    return count


def erase_letters(*, subjects: Collection[str], box: Box) -> int:
    """Letters about these, which go with the file; returns how many."""
    due = Letter.objects.filter(about__in=subjects, state__in=SETTLED)
    box.take(due)
    found, _ = due.delete()
    for erase_about in optional.given(__package__, "erase_about"):
        erase_about(subjects)
    return found


@transaction.atomic
def _codes(before: dt.datetime) -> int:
    """Letters to nobody's file: code and address are gone long since, and the row with them now."""
    due = Letter.objects.filter(to__isnull=True, state__in=SETTLED, written_at__lt=before).order_by("written_at")
    found = list(due.values_list("pk", flat=True)[:AT_ONCE])
    Letter.objects.filter(pk__in=found).delete()
    return len(found)


def _letters(before: dt.datetime) -> int:
    told = Q(tries__gt=0) | Q(last_error__gt="") | Q(taken_at__isnull=False) | Q(expires_at__isnull=False)
    due = Letter.objects.filter(told, state__in=SETTLED, written_at__lt=before).order_by("written_at")
    found = list(due.values_list("pk", flat=True)[:AT_ONCE])
    nothing = {"tries": 0, "last_error": "", "taken_at": None, "taken_by": None, "expires_at": None}
    return Letter.objects.filter(pk__in=found).update(**nothing)
