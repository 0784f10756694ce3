"""Once a year a holder says that a registration is still right. Reached through `actions` and `queries`.

Invariant: whoever says nothing keeps it. No act of this or another room, and nothing in the database, reads whether a
question was answered, but to ask again and to count (tests/safeguards/test_silence_ends_nothing.py).
"""

import datetime as dt

from django.db import transaction

from rahdari.journal import actions as journal
from rahdari.vault import links

from . import queries
from .models import Registration, YearlyQuestion

# Whoever has the letter: nobody signs in for it.
BY_LETTER = "letter"
LINK = "register.still_right"


def token_of(question: YearlyQuestion) -> str:
    """What the link of its letters holds: derived, and stored nowhere. The next question has another."""
    return links.token(LINK, _names(question))


def question_of_link(*, reference: str, token: str) -> YearlyQuestion | None:
    """The question that such a link belongs to; None for any other, an old one, and of a registration that is over."""
    registration = queries.registration_by_reference(reference)
    question = queries.yearly_question_of(registration) if registration is not None else None
    return question if question is not None and links.matches(LINK, _names(question), token) else None


def _names(question: YearlyQuestion) -> str:
    return f"{question.pk} {question.asked_at.astimezone(dt.UTC).isoformat()}"


def ask_whether_right(*, registration: Registration, next_at: dt.datetime | None, now: dt.datetime) -> YearlyQuestion:
    """Ask of one that the caller has locked; the letters are the caller's, in the same transaction."""
    asked = {"asked_at": now, "letters": 1, "next_at": next_at, "settled_at": None}
    question, _ = YearlyQuestion.objects.update_or_create(registration=registration, defaults=asked)
    journal.record(
        act="register.asked_whether_right", actor="clock", subject=f"registration:{registration.pk}", now=now
    )
    return question


def ask_again(*, question: YearlyQuestion, next_at: dt.datetime | None) -> YearlyQuestion:
    """One more letter about the same question, which the caller has locked."""
    question.letters += 1
    question.next_at = next_at
    question.save(update_fields=["letters", "next_at"])
    return question


@transaction.atomic
def say_right(*, registration: Registration, actor: str, now: dt.datetime) -> YearlyQuestion | None:
    """It is still right. Gives the question as it is now; said twice, or unasked, it changes nothing."""
    registration = Registration.objects.select_for_update().get(pk=registration.pk)
    if queries.open_yearly_question_of(registration) is not None:
        note_word(registration, now)
        journal.record(act="register.said_right", actor=actor, subject=f"registration:{registration.pk}", now=now)
    return queries.yearly_question_of(registration)


def note_word(registration: Registration, now: dt.datetime) -> None:
    """Its holder stands by it, as a change or a renewal shows too: nothing is asked any more until the next year."""
    Registration.objects.filter(pk=registration.pk).update(last_word_at=now)
    YearlyQuestion.objects.filter(registration=registration, settled_at__isnull=True).update(
        settled_at=now, next_at=None
    )
