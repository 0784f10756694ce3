"""Tokens of people's programs, answers that are given again, and webhooks with what goes to them.

Invariants, held by the database too: a token is found by a hash only; a person's key of idempotency stands once.
"""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rahdari.people.models import User
from rahdari.programs.idempotency import Attempt
from rahdari.vault.fields import EncryptedTextField


class AccessToken(models.Model):
    """Lets a program act for a person, within its scopes. Shown once; kept as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    scopes = ArrayField(models.CharField(max_length=30))
    digest = models.CharField(max_length=64, unique=True)
    begins = models.CharField(max_length=20)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["owner"], name="api_tokens_of_a_person")]

    def __str__(self) -> str:
        return f"token:{self.pk}"


class IdempotentRequest(Attempt):
    """A person's request with an Idempotency-Key, and its answer."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["begun_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "key"], name="a_key_of_a_person_stands_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["begun_at"], name="api_attempts_to_forget")]


class Webhook(models.Model):
    """Where a person's program wants to hear of news. While a secret is changed, events are signed by both."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=500)
    # Which events; empty: all.
    events = ArrayField(models.CharField(max_length=40), default=list)
    secret = EncryptedTextField()
    old_secret = EncryptedTextField()
    old_secret_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    # Since when nothing arrives; and when it was stopped because nothing did for long.
    failing_since = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner"], condition=Q(ended_at__isnull=True), name="webhooks_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"webhook:{self.pk}"


class WebhookDelivery(models.Model):
    """One event on its way to a webhook, tried until it is taken or given up. `row` is that of the journal."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    row = models.BigIntegerField(null=True, blank=True)
    happened_at = models.DateTimeField()
    made_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=30, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)

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

    def __str__(self) -> str:
        return f"{self.event} {self.finding}"


class JournalPosition(models.Model):
    """Up to which row of the journal everything was heard. There is one."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    row = models.BigIntegerField()
    moved_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"heard up to {self.row}"


class RowHeardAhead(models.Model):
    """A row behind that one which was heard already: rows become visible in the order in which they are committed."""

    row = models.BigIntegerField(primary_key=True)

    def __str__(self) -> str:
        return f"heard {self.row}"
