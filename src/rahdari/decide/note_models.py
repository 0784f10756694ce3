"""What officers write to each other about a case. Held by the database: never rewritten, never deleted, and neither
written by nor meant for an officer who is recused. Words are encrypted."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.people.models import User
from rahdari.vault.fields import EncryptedTextField

from .models import Case
from .rules import KeptBack


class Note(models.Model):
    """The holder reads it after the decision, unless its author said by which ground not."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    text = EncryptedTextField()
    kept_back = models.CharField(max_length=20, blank=True, choices=[(each.value, each.value) for each in KeptBack])
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(kept_back__in=["", *(each.value for each in KeptBack)]),
                name="note_is_kept_back_by_a_ground",
            ),
        ]

    def __str__(self) -> str:
        return f"note:{self.pk}"


class Mention(models.Model):
    """An officer whom a note is meant for. `seen_at`: when they opened the case after it."""

    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="mentions")
    officer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["note", "officer"], name="officer_is_mentioned_once_in_a_note"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["officer"], condition=Q(seen_at__isnull=True), name="mentions_not_seen"),
        ]

    def __str__(self) -> str:
        return f"mention:{self.pk}"
