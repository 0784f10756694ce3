"""Tokens of people's programs, and the answers that are given again.

Invariants, held by the database too: a token is found by a hash only; a person's key of idempotency stands once.
"""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from rahdari.people.models import User
from rahdari.vault.fields import EncryptedTextField


class Token(models.Model):
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


class Attempt(models.Model):
    """A request with an Idempotency-Key: while `status` is empty it is under way, afterwards its answer is kept a day.

    The answer is encrypted: it may name people.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    begun_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    body = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["begun_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["owner", "key"], name="a_key_of_a_person_stands_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["begun_at"], name="api_attempts_to_forget")]

    def __str__(self) -> str:
        return f"attempt:{self.pk}"
