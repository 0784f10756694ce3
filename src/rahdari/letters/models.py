"""Letters: what was written to whom, and whether it went out.

Invariants: a letter is never rewritten; its words are encrypted; a letter that was confirmed as sent is never sent
again; a letter with a sign-in code belongs to no person's file and forgets code and address once it is settled.
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
    # A calendar file that goes with it by mail.
    calendar = EncryptedTextField()
    written_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=LetterState, default=LetterState.QUEUED)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    # Whose connection to the database took it (`db.connections.backend_of`).
    taken_by = models.IntegerField(null=True, blank=True)
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
            models.Index(fields=["about", "-written_at"], condition=~models.Q(about=""), name="letters_about"),
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="letters_not_settled",
            ),
            models.Index(
                fields=["expires_at", "next_try_at"],
                condition=models.Q(state__in=["queued", "sending"]),
                name="letters_in_turn",
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
