"""What an officer entered for somebody who called or came, until that person takes it over, or it is erased.

Invariants, each also held by the database: it lasts three days at most; nothing of it is rewritten but how often its
code was tried. It is an application once its holder has taken it over, and not before: nobody decides or counts it.
There is no field for a voice, a file or a card number.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.people.models import Language, User
from rahdari.vault.fields import EncryptedTextField

MOST = dt.timedelta(days=3)


class Way(models.TextChoices):
    """How somebody came to the officer."""

    TELEPHONE = "telephone"
    PAPER = "paper"


class DeskEntry(models.Model):
    """`said`: what was entered, as `entered.Said` has it. `contact`: an email address, or a mobile number in E.164,
    that the person named. `code`: a hash of the code that went there, and to nobody else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=20, unique=True)
    entered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    entered_at = models.DateTimeField()
    until = models.DateTimeField(db_index=True)
    way = models.CharField(max_length=10, choices=Way)
    language = models.CharField(max_length=2, choices=Language)
    contact = EncryptedTextField()
    said = EncryptedTextField()
    code = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["entered_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(until__gt=F("entered_at"), until__lte=F("entered_at") + MOST),
                name="desk_entry_lasts_three_days_at_most",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def subject(self) -> str:
        return f"entry:{self.pk}"


class DeskEntryCount(models.Model):
    """How many entries were made in a month, and what became of those that ended in it. It names nobody."""

    month = models.DateField()
    outcome = models.CharField(max_length=20)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["month", "outcome"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["month", "outcome"], name="desk_entries_are_counted_in_one_row"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.outcome}: {self.number}"
