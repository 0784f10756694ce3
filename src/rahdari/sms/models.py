"""Short messages: what was written to which number, and what became of it; and the numbers that people confirmed.

Invariants: numbers and words are encrypted. A message forgets its number as soon as a provider took it or all gave it
up, and a code with it.
"""

import uuid
from typing import Any, ClassVar

from django.db import models

from rahdari.vault.fields import EncryptedTextField

# Whoever has a key: people stand above this room.
Person = Any


class Message(models.Model):
    """A short note by SMS: that a letter is there, or the code that confirms a number."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Whose it is: people stand above this room, so it keeps their keys.
    person = models.UUIDField()
    number = EncryptedTextField()
    language = models.CharField(max_length=2)
    note = models.CharField(max_length=60)
    about = models.CharField(max_length=80, blank=True)
    text = EncryptedTextField()
    urgent = models.BooleanField(default=False)
    written_at = models.DateTimeField()

    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    # Whose connection to the database took it (`db.connections.backend_of`).
    taken_by = models.IntegerField(null=True, blank=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    provider = models.CharField(max_length=40, blank=True)
    parts = models.PositiveSmallIntegerField(default=0)
    # Whether nobody knows that the provider took it: it is not sent again, so that nobody gets it twice.
    unclear = models.BooleanField(default=False)
    # Why it was given up: a word of ours or a code of the network's.
    reason = models.CharField(max_length=80, blank=True)
    # Each provider that was asked: when, which, and what it answered.
    attempts = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar[list[str]] = ["-written_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="messages_not_settled",
            ),
            models.Index(
                fields=["expires_at", "next_try_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="messages_in_turn",
            ),
            models.Index(fields=["about", "-written_at"], name="messages_about"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(state__in=["sent", "delivered"], sent_at__isnull=False)
                | models.Q(state="failed")
                | models.Q(state__in=["queued", "sending"], sent_at__isnull=True),
                name="message_sent_at_if_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"message:{self.pk}"


class NotedLetter(models.Model):
    """A letter of which a message says that it is there; one message may say it of several."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="letters")
    letter = models.UUIDField(db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"noted-letter:{self.pk}"


class SmsSegment(models.Model):
    """One part of a message, under the reference by which its provider will tell what became of it."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="pieces")
    provider = models.CharField(max_length=40)
    reference = models.CharField(max_length=80)
    outcome = models.CharField(max_length=10, default="waiting")

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["provider", "reference"], name="part_by_reference"),
        ]

    def __str__(self) -> str:
        return f"part:{self.pk}"


class EarlyDeliveryReport(models.Model):
    """A report that came before we knew of its message: a provider may be quicker than our own note of its answer."""

    provider = models.CharField(max_length=40)
    reference = models.CharField(max_length=80)
    outcome = models.CharField(max_length=10)
    reason = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["provider", "reference"], name="early_report_by_reference"),
        ]

    def __str__(self) -> str:
        return f"early-report:{self.pk}"


class PendingCode(models.Model):
    """What waits for a code that was sent to a mobile number (`codes`)."""

    asked = EncryptedTextField()
    # A keyed hash of number and code: a copy of the database holds no code.
    code = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        abstract = True


class ContactNumber(PendingCode):
    """A person's mobile number, for short notes: confirmed by a code, or (in `asked`) waiting for one.

    Numbers are encrypted; the blind index finds equal ones, for the limit on codes to one number. One number may be
    several persons': families and offices share telephones.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.UUIDField(unique=True)
    number = EncryptedTextField()
    index = models.CharField(max_length=64, blank=True, db_index=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    # Whether short notes go there. Letters by email go out all the same.
    notes = models.BooleanField(default=True)
    # Whether a note goes there when a registered connection is cut, too: off until somebody wants it.
    disruptions = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(confirmed_at__isnull=True, index="")
                | models.Q(confirmed_at__isnull=False, index__gt=""),
                name="number_is_confirmed_if_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"contact-number:{self.pk}"
