"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same request is done once and answered the same.

An attempt is claimed before anything is done, in a transaction of its own, so that a second
request sees it; its answer is kept when the act is done. Whoever works on it holds an advisory lock of the database,
which ends with the connection: a process that dies in between, or breaks, leaves the claim and no lock, and the next
request takes it over: the acts find done what was done, since what they make is named after the attempt, or was kept
together with its answer.
After a day the key is new again, and what it makes is new.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import IntegrityError, models, transaction

from rahdari.db.locks import Lock, held
from rahdari.vault.fields import EncryptedTextField

KEY = r"^[\x21-\x7e]{1,200}$"
REPLAYED_FOR = dt.timedelta(hours=24)
# Who works on an attempt holds a lock that ends with the connection. The machine of a process may be gone without the
# database knowing of it: an attempt that has not ended after this is taken over all the same.
ATTEMPT_TAKES = dt.timedelta(seconds=90)


class Attempt(models.Model):
    """A request with an Idempotency-Key: while `status` is empty it is under way, afterwards its answer is kept a day.

    The answer is encrypted: it may name people. Whoever keeps some adds `owner`, and that an owner's key stands once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner: Any
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    body = EncryptedTextField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"attempt:{self.pk}"


class Claim(StrEnum):
    """What becomes of a request with a key that was seen before."""

    REPLAY = "replay"
    OTHER = "other"
    IN_PROGRESS = "in_progress"
    AGAIN = "again"
    ANEW = "anew"


def claim_of(*, same: bool, done: bool, ours: bool, begun_at: dt.datetime, now: dt.datetime) -> Claim:
    """What a request with a known key may do: `same`: the same request; `done`: it was answered; `ours`: this process
    began it.
    """
    if now - begun_at >= REPLAYED_FOR:
        return Claim.ANEW
    if not same:
        return Claim.OTHER
    if done:
        return Claim.REPLAY
    return Claim.AGAIN if ours or now - begun_at >= ATTEMPT_TAKES else Claim.IN_PROGRESS


class KeyReused(Exception):
    """The key came before with another request."""


class InProgress(Exception):
    """The first request with this key is not answered yet."""


@dataclass(frozen=True)
class Kept:
    """An answer that was given before."""

    status: int
    headers: dict[str, str]
    body: bytes


def fingerprint(*, method: str, path: str, content: bytes) -> str:
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), content])).hexdigest()


@contextmanager
def working_on(*, owner: models.Model, key: str) -> Iterator[bool]:
    """Whether nobody else works on this key now; if so, nobody does before the block ends, or its connection."""
    with held(Lock.ATTEMPT, f"{owner.pk} {key}", wait=False) as ours:
        yield ours


def claim[A: Attempt](
    attempts: type[A], *, owner: models.Model, key: str, fingerprint: str, ours: bool, now: dt.datetime
) -> A | Kept:
    """The attempt that is now ours, or the answer that was given before. `ours`: as `working_on` says.

    Raises KeyReused, InProgress.
    """
    if ours:
        # Who does not hold the lock may come before who holds it has written.
        with suppress(IntegrityError), transaction.atomic():
            return attempts._default_manager.create(owner=owner, key=key, fingerprint=fingerprint, begun_at=now)
    with transaction.atomic():
        found = attempts._default_manager.select_for_update().filter(owner=owner, key=key).first()
        if found is None:  # given up meanwhile
            raise InProgress
        same, done = found.fingerprint == fingerprint, found.status is not None
        match claim_of(same=same, done=done, ours=ours, begun_at=found.begun_at, now=now):
            case Claim.OTHER:
                raise KeyReused
            case Claim.IN_PROGRESS:
                raise InProgress
            case Claim.AGAIN:
                found.begun_at = now
                found.save(update_fields=["begun_at"])
                return found
            case Claim.ANEW:
                found.delete()
                return attempts._default_manager.create(owner=owner, key=key, fingerprint=fingerprint, begun_at=now)
    return Kept(found.status or 200, found.headers, bytes.fromhex(json.loads(found.body)))


def keep(attempt: Attempt, *, status: int, headers: dict[str, str], body: bytes) -> None:
    """Remember the answer, or, of what was not done, that the key is free again."""
    if not 200 <= status < 300:
        attempt.delete()
        return
    attempt.status, attempt.headers, attempt.body = status, headers, json.dumps(body.hex())
    attempt.save(update_fields=["status", "headers", "body"])


def give_up(attempt: Attempt) -> None:
    """It was refused: nothing was done, and the key is free."""
    attempt.delete()


def forget_attempts(attempts: type[Attempt], *, now: dt.datetime) -> int:
    """Delete attempts older than `REPLAYED_FOR`. Returns how many."""
    return attempts._default_manager.filter(begun_at__lt=now - REPLAYED_FOR).delete()[0]
