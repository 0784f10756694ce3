"""Making and ending tokens."""

import datetime as dt
import uuid
from collections.abc import Iterable

from django.db import transaction
from django.urls import reverse

from rahdari.db.locks import Lock, hold
from rahdari.journal import actions as journal
from rahdari.letters import actions as letters
from rahdari.people.access import actor_of
from rahdari.people.models import User
from rahdari.programs import idempotency, tokens

from . import queries, rules
from .models import AccessToken, IdempotentRequest
from .rules import Scope


@transaction.atomic
def make_token(
    *, owner: User, name: str, scopes: Iterable[str], valid_for: dt.timedelta, now: dt.datetime
) -> tuple[AccessToken, str]:
    """A token, and its text, which is shown this once. Raises TooManyTokens."""
    hold(Lock.PERSONS_TOKENS, str(owner.pk))  # what is counted stays so
    chosen = sorted(Scope(each) for each in scopes)
    mine, facts = AccessToken.objects.filter(owner=owner), {"owner": owner, "scopes": chosen}
    token, text = tokens.issue(mine, prefix=rules.PREFIX, name=name, valid_for=valid_for, now=now, **facts)
    detail = {"token": str(token.pk), "scopes": chosen}
    journal.record(act="api.made_token", actor=actor_of(owner), subject=actor_of(owner), now=now, detail=detail)
    letters.write_letter(
        to=owner,
        template="program_allowed",
        about=f"holder:{owner.holder_ref}",
        context={"name": token.name, "until": token.ends_at, "url": reverse("api:programs")},
        now=now,
    )
    return token, text


@transaction.atomic
def revoke_token(*, owner: User, id: uuid.UUID, now: dt.datetime) -> bool:
    """End one of the person's tokens at once. Returns whether there was one to end."""
    ended = tokens.end(AccessToken.objects.filter(owner=owner), id=id, now=now)
    if ended:
        detail = {"token": str(id)}
        journal.record(act="api.revoked_token", actor=actor_of(owner), subject=actor_of(owner), now=now, detail=detail)
    return ended


def end_tokens_of(*, owner: User, now: dt.datetime) -> int:
    """End all of the person's tokens: they signed out everywhere, or lost what they sign in with."""
    live = list(queries.tokens_of(owner, now=now))
    return sum(revoke_token(owner=owner, id=token.pk, now=now) for token in live)


def forget_attempts(*, now: dt.datetime) -> int:
    return idempotency.forget_attempts(IdempotentRequest, now=now)
