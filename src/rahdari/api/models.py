"""Tokens of people's programs, answers that are given again, and webhooks with what goes to them.

Invariants, held by the database too: a token is found by a hash only; a person's key of idempotency stands once.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rahdari.people.models import User
from rahdari.programs import webhooks
from rahdari.programs.idempotency import Attempt
from rahdari.programs.tokens import Token


class AccessToken(Token):
    """Lets a program act for a person, within its scopes."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    scopes = ArrayField(models.CharField(max_length=30))

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["owner"], name="api_tokens_of_a_person")]


class IdempotentRequest(Attempt):
    """A person's request with an Idempotency-Key, and its answer."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["begun_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "key"], name="a_key_of_a_person_stands_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["begun_at"], name="api_attempts_to_forget")]


class Webhook(webhooks.Hook):
    """Where a person's program wants to hear of news."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # Which events; empty: all.
    events = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner"], condition=Q(ended_at__isnull=True), name="webhooks_of_a_person"),
        ]


class WebhookDelivery(webhooks.Delivery):
    """One event on its way to a webhook. `row` is that of the journal."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    row = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["webhook", "row"], name="an_event_goes_to_a_webhook_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="api_deliveries_due"),
            models.Index(fields=["webhook", "-made_at"], name="api_deliveries_of_a_webhook"),
            models.Index(fields=["made_at"], name="api_deliveries_to_forget"),
        ]


class JournalPosition(models.Model):
    """Up to which row of the journal everything was heard. There is one.

    It goes on to `next_row` when the transactions are over that were writing when that was the last row (`writers`).
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    row = models.BigIntegerField()
    next_row = models.BigIntegerField(null=True)
    writers: "models.JSONField[list[str], list[str]]" = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"heard up to {self.row}"


class RowHeardAhead(models.Model):
    """A row behind that one which was heard already: rows become visible in the order in which they are committed."""

    row = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"heard {self.row}"
