"""One question to a client or employer, and who wants no mail from us.

Invariants, each also held by the database: a subject is asked once; what was answered stays answered; a question that
is over has the moment at which it ended; the address is encrypted, and gone some time after the question is over.
Who wants no mail is a keyed hash and nothing else: it cannot be read back, and it is kept because they asked for it.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.vault.fields import EncryptedTextField

from .rules import ReferenceState


class ReferenceRequest(models.Model):
    """Does this person work for you? `subject` is whatever another room waits for an answer to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=120, unique=True)
    # The name that the person asked reads; it goes with the address.
    name = EncryptedTextField()
    address = EncryptedTextField()
    address_index = models.CharField(max_length=64)
    domain = models.CharField(max_length=253)
    language = models.CharField(max_length=2)
    asked_by = models.CharField(max_length=120)
    # The keyed hash of the link's token: finds the question, and gives the token to nobody who reads the table.
    link_index = models.CharField(max_length=64, unique=True)
    state = models.CharField(
        max_length=8, choices=[(str(one), str(one)) for one in ReferenceState], default=ReferenceState.WAITING.value
    )
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    remind_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True, blank=True)
    sent_again_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    carried_at = models.DateTimeField(null=True, blank=True)
    forget_at = models.DateTimeField()
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["asked_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state=ReferenceState.WAITING.value, answered_at__isnull=True)
                | (~Q(state=ReferenceState.WAITING.value) & Q(answered_at__isnull=False)),
                name="question_is_over_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(carried_at__isnull=True) | ~Q(state=ReferenceState.WAITING.value),
                name="only_an_answer_is_carried",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["asked_at"], condition=Q(carried_at__isnull=True), name="questions_not_carried"),
            models.Index(fields=["ends_at"], condition=Q(state=ReferenceState.WAITING.value), name="questions_to_end"),
            models.Index(
                fields=["answered_at"],
                condition=Q(answered_at__isnull=False, carried_at__isnull=True),
                name="questions_to_carry",
            ),
            models.Index(fields=["forget_at"], condition=Q(forgotten_at__isnull=True), name="questions_to_forget"),
            models.Index(fields=["address_index", "asked_at"], name="questions_to_an_address"),
            models.Index(fields=["domain", "asked_at"], name="questions_to_a_domain"),
            models.Index(fields=["asked_by", "asked_at"], name="questions_of_a_person"),
        ]

    def __str__(self) -> str:
        return f"question:{self.pk}"


class MailOptOut(models.Model):
    """An address that wants no mail from us, as a keyed hash."""

    address_index = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"stop:{self.address_index[:8]}"
