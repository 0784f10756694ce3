"""Reads of tokens and kept answers. A person reaches their own and nobody else's."""

import datetime as dt

from django.db.models import QuerySet

from rahdari.people.models import User
from rahdari.vault import tokens

from . import rules
from .models import Attempt, Token


def token_shown(text: str, *, now: dt.datetime) -> Token | None:
    """The token that a program shows, while it counts and its owner's account is open."""
    if not tokens.looks_like_one(text):
        return None
    found = Token.objects.filter(
        digest=tokens.digest_of(text), revoked_at__isnull=True, ends_at__gt=now, owner__is_active=True
    )
    return found.select_related("owner").first()


def tokens_of(owner: User, *, now: dt.datetime) -> QuerySet[Token]:
    """Those that count, the newest first."""
    return Token.objects.filter(owner=owner, revoked_at__isnull=True, ends_at__gt=now).order_by("-made_at", "id")


def attempts_to_forget(*, now: dt.datetime) -> QuerySet[Attempt]:
    return Attempt.objects.filter(begun_at__lt=now - rules.REPLAYED_FOR)
