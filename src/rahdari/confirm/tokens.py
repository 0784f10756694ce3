"""Tokens of operators' systems."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from rahdari.db.locks import Lock, hold
from rahdari.journal import actions as journal
from rahdari.people import actions as people_actions
from rahdari.people import queries as people
from rahdari.people.models import User
from rahdari.programs import idempotency, tokens

from . import callbacks, queries
from .models import ApiToken, OperatorRequest, SubscriberQuestion

VALID_FOR = dt.timedelta(days=365)


@transaction.atomic
def make_token(*, operator: str, name: str, sandbox: bool, by: str, now: dt.datetime) -> tuple[ApiToken, str]:
    """A token, and its text, which is shown this once. Raises TooManyTokens."""
    hold(Lock.OPERATORS_TOKENS, operator)  # what is counted stays so
    prefix = "rahdari_test" if sandbox else "rahdari_op"
    facts = {"operator": operator, "sandbox": sandbox, "made_by": by}
    ours = ApiToken.objects.filter(operator=operator)
    token, text = tokens.issue(ours, prefix=prefix, name=name, valid_for=VALID_FOR, now=now, **facts)
    detail = {"token": str(token.pk), "sandbox": sandbox, "by": by}
    journal.record(
        act="confirm.made_token", actor=f"operator:{operator}", subject=f"operator:{operator}", now=now, detail=detail
    )
    return token, text


@transaction.atomic
def revoke_token(*, operator: str, id: uuid.UUID, by: str, now: dt.datetime) -> bool:
    """End one of the operator's tokens at once. Returns whether there was one to end."""
    ended = tokens.end(ApiToken.objects.filter(operator=operator), id=id, now=now)
    if ended:
        journal.record(
            act="confirm.revoked_token",
            actor=f"operator:{operator}",
            subject=f"operator:{operator}",
            now=now,
            detail={"token": str(id), "by": by},
        )
    return ended


@transaction.atomic
def end_keys_made_by(*, operator: str, user: User, by: str, now: dt.datetime) -> int:
    """End the operator's keys that somebody made whose post ends. Returns how many."""
    made = list(queries.keys_made_by(operator=operator, user=user, now=now).values_list("pk", flat=True))
    return sum(revoke_token(operator=operator, id=id, by=by, now=now) for id in made)


@transaction.atomic
def end_operator(*, operator: str, actor: str, now: dt.datetime) -> None:
    """An operator follows no more: its tokens, its callback and the posts of its people end. Twice changes nothing.

    What it was asked and has not answered stays open, as with one that is silent: an officer decides.
    """
    for id in list(ApiToken.objects.filter(operator=operator, revoked_at__isnull=True).values_list("pk", flat=True)):
        revoke_token(operator=operator, id=id, by=actor, now=now)
    callbacks.end_callback(operator=operator, by=actor, now=now)
    for post in people.posts_at_operator(operator):
        people_actions.end_post(post=post, actor=actor, now=now)


@transaction.atomic
def note_fetched(*, questions: Sequence[SubscriberQuestion], token: ApiToken, now: dt.datetime) -> None:
    """The operator's own system got these: on record for whoever is asked about, once a day however often it asks."""
    today = timezone.localtime(now).date()
    fresh = [each for each in questions if each.fetched_on != today]
    SubscriberQuestion.objects.filter(pk__in=[each.pk for each in fresh]).update(fetched_on=today)
    actor = f"operator:{token.operator}"
    journal.record_list(
        act="confirm.fetched",
        actor=actor,
        where=actor,
        shown=(each.subject for each in fresh),
        detail={"token": str(token.pk)},
        now=now,
    )


def forget_requests(*, now: dt.datetime) -> int:
    return idempotency.forget_attempts(OperatorRequest, now=now)
