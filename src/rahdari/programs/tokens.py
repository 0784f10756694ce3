"""Tokens of programs: shown once, kept as a hash, held to a rate. The room that has them says whose they are."""

import datetime as dt
import uuid
from typing import Any

from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from rahdari.vault.tokens import digest_of, looks_like_one, make
from rahdari.web import visitor

from .answers import wait_for
from .problems import too_many

MOST = 10


class Token(models.Model):
    """Lets a program act for somebody. Shown once; kept as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    digest = models.CharField(max_length=64, unique=True)
    begins = models.CharField(max_length=20)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_on = models.DateField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"token:{self.pk}"


class TooManyTokens(Exception):
    """There are as many as anybody may have; one must be ended first."""


def live[T: Token](tokens: QuerySet[T], *, now: dt.datetime) -> QuerySet[T]:
    """Those of them that count, the newest first."""
    return tokens.filter(revoked_at__isnull=True, ends_at__gt=now).order_by("-made_at", "id")


def shown[T: Token](tokens: QuerySet[T], text: str, *, now: dt.datetime) -> T | None:
    """The token that a program shows, while it counts."""
    return live(tokens, now=now).filter(digest=digest_of(text)).first() if looks_like_one(text) else None


def issue[T: Token](
    tokens: QuerySet[T], *, prefix: str, name: str, valid_for: dt.timedelta, now: dt.datetime, **more: Any
) -> tuple[T, str]:
    """One more of these, and its text, which is shown this once. The caller holds a lock on whose they are.

    Raises TooManyTokens.
    """
    if live(tokens, now=now).count() >= MOST:
        raise TooManyTokens
    text = make(prefix)
    facts = {"digest": digest_of(text), "begins": text[: len(prefix) + 5], "made_at": now, "ends_at": now + valid_for}
    return tokens.create(name=name.strip()[:60], **facts, **more), text


def end(tokens: QuerySet[Any], *, id: uuid.UUID, now: dt.datetime) -> bool:
    """End one of these at once. Returns whether there was one to end."""
    return bool(tokens.filter(pk=id, revoked_at__isnull=True).update(revoked_at=now))


def hold_rate(
    request: HttpRequest, token: Token | None, *, room: str, rate: int, per: int, unknown_rate: int, now: dt.datetime
) -> None:
    """How often a token may ask; and, by household, whoever shows none that counts. Notes the day of its last use.

    Raises Problem.
    """
    if token is None:
        key, rate = f"{room}.unknown:{visitor.household(request)}", unknown_rate
    else:
        key = f"{room}.token:{token.pk}"
    if seconds := wait_for(key, rate=rate, per=per):
        raise too_many(seconds)
    if token is not None and token.used_on != now.date():
        type(token)._default_manager.filter(pk=token.pk).update(used_on=now.date())
