"""Decisions that were drawn by chance, or for their card number, and what was found when somebody else looked at them.

Invariants, each also held by the database: a decision is drawn once; whoever looks had no part in it (did not decide,
propose or second it, did not have the case, did not apply, is not recused), nor has whoever says what was done about a
disagreement, who is not the one who looked; what was found is never rewritten and never deleted.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.decide.decided import SHARED_CARD
from rahdari.decide.models import Decision
from rahdari.people.models import User
from rahdari.vault.fields import EncryptedTextField

from .rules import Done, Verdict

WHY = "second_look"


class SecondLook(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="+")
    by_rule = models.BooleanField()
    # Not where another account has given the same card number: of such a look no holder reads.
    by_chance = models.BooleanField(default=True, db_default=True)
    drawn_at = models.DateTimeField()
    # Who has the file before them now, and since when.
    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    taken_at = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    verdict = models.CharField(max_length=8, blank=True, choices=[(each.value, each.value) for each in Verdict])
    codes = models.JSONField(default=list)
    text = EncryptedTextField()
    agrees = models.BooleanField(null=True)
    # Of a disagreement: what a supervisor did about it.
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_as = models.CharField(max_length=8, blank=True, choices=[(each.value, each.value) for each in Done])
    closed_text = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["drawn_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(taken_by__isnull=True, taken_at__isnull=True)
                | Q(taken_by__isnull=False, taken_at__isnull=False),
                name="second_look_is_taken_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(looked_at__isnull=True, verdict="", agrees__isnull=True)
                | (Q(looked_at__isnull=False, taken_by__isnull=False, agrees__isnull=False) & ~Q(verdict="")),
                name="second_look_has_a_verdict",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, closed_as="")
                | (
                    Q(closed_at__isnull=False, closed_by__isnull=False, agrees=False)
                    & ~Q(closed_as="")
                    & ~Q(closed_by=F("taken_by"))
                ),
                name="disagreement_is_closed_by_another",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["drawn_at", "id"], condition=Q(looked_at__isnull=True), name="second_looks_waiting"),
            models.Index(
                fields=["looked_at", "id"],
                condition=Q(agrees=False, closed_at__isnull=True),
                name="disagreements_open",
            ),
            models.Index(
                fields=["looked_at"],
                include=["by_rule", "agrees"],
                condition=Q(looked_at__isnull=False),
                name="second_looks_counted",
            ),
        ]

    def __str__(self) -> str:
        return f"second look:{self.pk}"

    @property
    def why(self) -> str:
        """Why the file is read, as the journal keeps it. The holder reads the first of them."""
        return WHY if self.by_chance else SHARED_CARD


class DrawnUpTo(models.Model):
    """How far decisions were drawn from. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # The row of the journal that tells of the last decision about which chance has spoken.
    row = models.BigIntegerField()
    # The first day of the month from which on no officer was looked at for being drawn too seldom.
    month = models.DateField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(id=1), name="drawn_up_to_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"drawn up to {self.row}"
