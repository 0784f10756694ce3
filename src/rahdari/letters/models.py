"""Letters and short messages: what was written to whom, and whether it went out.

Invariants: a letter is never rewritten; its words are encrypted; a letter that was confirmed as sent is never sent
again; a letter with a sign-in code belongs to no person's file and forgets code and address once it is settled. A short
message forgets its number as soon as a provider took it or all gave it up, and a code with it.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from rahdari.vault.fields import EncryptedTextField


class LetterState(models.TextChoices):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    # A reminder to somebody who wants none by mail: it stands in the inbox.
    KEPT = "kept"


class ReminderOptOut(models.Model):
    """A person who wants no reminders by mail. Whatever else is written to them goes out as ever."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"no-reminders:{self.pk}"


class Message(models.Model):
    """A short note by SMS: that a letter is there, or the code that confirms a number."""

    class State(models.TextChoices):
        QUEUED = "queued"
        SENDING = "sending"
        SENT = "sent"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="messages_by_sms")
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


class ProviderHealth(models.Model):
    """How a provider of SMS, or the mail server, has done of late, for all processes. Named as in `sms.toml`."""

    name = models.CharField(max_length=40, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    rests_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=80, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)
    last_taken_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return f"carrier:{self.pk}"


class Letter(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="letters"
    )
    # Only for a sign-in code, which may go to an address that has no account yet.
    address = EncryptedTextField()
    language = models.CharField(max_length=2)
    template = models.CharField(max_length=60)
    about = models.CharField(max_length=80, blank=True)
    # Set for a letter that may be written once only about its subject: "expires_soon:30".
    once = models.CharField(max_length=80, blank=True)
    subject = EncryptedTextField()
    text = EncryptedTextField()
    html = EncryptedTextField()
    written_at = models.DateTimeField()
    # The note by SMS that says that this letter is there; one note may say it of several.
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, blank=True, related_name="letters")
    read_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=LetterState, default=LetterState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    # Where a stranger who was asked something says that nobody shall write again.
    stop_url = EncryptedTextField()
    # The class of the last error and the answer code of the mail server, never its words: they repeat the address.
    last_error = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-written_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["to", "-written_at"], name="letters_of_person"),
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="letters_not_settled",
            ),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["to", "about", "once"], condition=models.Q(once__gt=""), name="letter_is_written_once"
            ),
            models.CheckConstraint(
                # A letter that came back was sent and has failed.
                condition=models.Q(state=LetterState.SENT, sent_at__isnull=False)
                | models.Q(state=LetterState.FAILED)
                | models.Q(state__in=[LetterState.QUEUED, LetterState.SENDING, LetterState.KEPT], sent_at__isnull=True),
                name="letter_sent_at_if_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"letter:{self.pk}"
