"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same request is done once and answered the same.

Reached through `actions`. An attempt is claimed before anything is done, in a transaction of its own, so that a second
request sees it; its answer is kept when the act is done. Whoever works on it holds an advisory lock of the database,
which ends with the connection: a process that dies in between, or breaks, leaves the claim and no lock, and the next
request takes it over: the acts find done what was done, since what they make is named after the attempt.
After a day the key is new again, and what it makes is new.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from rahdari.db.locks import Lock, held
from rahdari.people.models import User

from . import queries, rules
from .models import IdempotentRequest
from .rules import Claim


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
def working_on(*, owner: User, key: str) -> Iterator[bool]:
    """Whether nobody else works on this key now; if so, nobody does before the block ends, or its connection."""
    with held(Lock.ATTEMPT, f"{owner.pk} {key}", wait=False) as ours:
        yield ours


def claim(*, owner: User, key: str, fingerprint: str, ours: bool, now: dt.datetime) -> IdempotentRequest | Kept:
    """The attempt that is now ours, or the answer that was given before. `ours`: as `working_on` says.

    Raises KeyReused, InProgress.
    """
    if ours:
        # Who does not hold the lock may come before who holds it has written.
        with suppress(IntegrityError), transaction.atomic():
            return IdempotentRequest.objects.create(owner=owner, key=key, fingerprint=fingerprint, begun_at=now)
    with transaction.atomic():
        found = IdempotentRequest.objects.select_for_update().filter(owner=owner, key=key).first()
        if found is None:  # given up meanwhile
            raise InProgress
        same, done = found.fingerprint == fingerprint, found.status is not None
        match rules.claim(same=same, done=done, ours=ours, begun_at=found.begun_at, now=now):
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
                return IdempotentRequest.objects.create(owner=owner, key=key, fingerprint=fingerprint, begun_at=now)
    return Kept(found.status or 200, found.headers, bytes.fromhex(json.loads(found.body)))


def keep(attempt: IdempotentRequest, *, status: int, headers: dict[str, str], body: bytes) -> None:
    """Remember the answer, or, of what was not done, that the key is free again."""
    if not rules.is_kept(status):
        attempt.delete()
        return
    attempt.status, attempt.headers, attempt.body = status, headers, json.dumps(body.hex())
    attempt.save(update_fields=["status", "headers", "body"])


def give_up(attempt: IdempotentRequest) -> None:
    """It was refused: nothing was done, and the key is free."""
    attempt.delete()


def forget_attempts(*, now: dt.datetime) -> int:
    return queries.attempts_to_forget(now=now).delete()[0]
