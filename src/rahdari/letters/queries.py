"""Reads of letters. `letters_of` is the gatekeeper: a person sees their own and nobody else's."""

import datetime as dt
import uuid

from django.db.models import Q, QuerySet

from rahdari.people.models import User

from .models import Letter, State
from .previews import InOneLanguage
from .previews import letter as preview
from .previews import letters as previews
from .previews import notes as note_previews
from .rules import LEFT_ALONE
from .writing import UnknownLetter

__all__ = [
    "InOneLanguage",
    "LetterNotFound",
    "UnknownLetter",
    "failed_since",
    "left_alone",
    "letter_for",
    "letters_about",
    "letters_of",
    "note_previews",
    "preview",
    "previews",
    "unread_count",
]


class LetterNotFound(Exception):
    """There is no such letter, or it is not yours: nobody learns which. `.id` is what was asked for."""

    def __init__(self, id: uuid.UUID) -> None:
        super().__init__(f"no letter {id} for this person")
        self.id = id


def letters_of(user: User) -> QuerySet[Letter]:
    """A person's letters, newest first. Sign-in codes are in no one's file."""
    return Letter.objects.filter(to=user).order_by("-written_at", "-id")


def letter_for(user: User, id: uuid.UUID) -> Letter:
    letter = letters_of(user).filter(pk=id).first()
    if letter is None:
        raise LetterNotFound(id)
    return letter


def unread_count(user: User) -> int:
    return letters_of(user).filter(read_at__isnull=True).count()


def letters_about(about: str) -> QuerySet[Letter]:
    """All letters about one subject ("application:<uuid>"), for the file that an officer sees."""
    return Letter.objects.filter(about=about).order_by("-written_at", "-id")


def left_alone(*, now: dt.datetime) -> QuerySet[Letter]:
    """Letters that should have been settled by now: their process died, or their job was lost."""
    long_ago = now - LEFT_ALONE
    return Letter.objects.filter(
        Q(state=State.SENDING, taken_at__lt=long_ago) | Q(state=State.QUEUED, next_try_at__lt=long_ago)
    ).order_by("written_at", "id")


def failed_since(*, since: dt.datetime) -> int:
    """How many letters were given up on: `rahdari doctor` and the administrator's page say so."""
    return Letter.objects.filter(state=State.FAILED, written_at__gte=since).count()
