"""The ledger of demands: whoever demands by law what is held about one file, what they asked, and what they got.

Invariants, each also held by the database: a demand is about one file at most; what was recorded is never rewritten;
nothing is given before a second officer agreed; a demand is hidden from the holder for a year at most. Words are
encrypted.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from rahdari.decide.models import Case
from rahdari.people.models import User
from rahdari.vault.fields import EncryptedTextField

# So long a demand may be hidden from the holder.
LONGEST_HIDDEN = dt.timedelta(days=365)


class Demand(models.Model):
    class Outcome(models.TextChoices):
        OPEN = "", ""
        GIVEN = "given"
        IN_PART = "in_part"
        REFUSED = "refused"
        # It asked for more than one file: refused by the program.
        BULK = "bulk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=40)
    body = models.CharField(max_length=60)
    provision = models.CharField(max_length=60)
    day = models.DateField()
    signed_by = EncryptedTextField()
    wanted = EncryptedTextField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    # The one file.
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.OPEN, blank=True)
    # What was given, or why it was refused.
    answer = EncryptedTextField()
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    agreed_at = models.DateTimeField(null=True, blank=True)
    # The last day on which the holder is not told, and the law or order that says so.
    hidden_until = models.DateField(null=True, blank=True)
    hidden_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["body", "number"], name="demand_is_recorded_once"),
            models.CheckConstraint(
                condition=Q(outcome="", answered_at__isnull=True)
                | Q(outcome__in=["given", "in_part", "refused", "bulk"], answered_at__isnull=False),
                name="demand_is_answered_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True, agreed_at__isnull=True)
                | (
                    Q(outcome__in=["given", "in_part"], case__isnull=False, agreed_at__isnull=False)
                    & ~Q(agreed_by=F("answered_by"))
                ),
                name="demand_is_given_by_two",
            ),
            models.CheckConstraint(
                condition=Q(hidden_until__isnull=True, hidden_by="")
                | (Q(hidden_until__isnull=False) & ~Q(hidden_by="")),
                name="demand_is_hidden_by_a_law",
            ),
            models.CheckConstraint(
                condition=Q(number__regex=r"\S", body__regex=r"\S", provision__regex=r"\S"),
                name="demand_has_number_body_and_provision",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["case"], condition=Q(case__isnull=False), name="demands_of_a_case"),
        ]

    def __str__(self) -> str:
        return f"demand:{self.pk}"

    @property
    def ground(self) -> str:
        """As the record of a look names it."""
        return ", ".join((self.number, self.body, self.provision, self.day.isoformat()))

    @property
    def waits_for_second(self) -> bool:
        return self.outcome in {self.Outcome.GIVEN, self.Outcome.IN_PART} and self.agreed_at is None

    def is_hidden(self, now: dt.datetime) -> bool:
        """From the holder. It ends with the day, whether any program runs or not."""
        return self.hidden_until is not None and timezone.localdate(now) <= self.hidden_until
