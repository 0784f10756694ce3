"""Checks and their evidence, rosters and their rows.

Invariants: a subject is checked once for a kind and a target; one import of a roster is in use at a time; a roster
holds no identifier and no readable name. Who asked, and why, is unknown here: a subject is text of another room.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.vault.fields import EncryptedTextField

from .evidence import Evidence, Facts


class Outcome(models.TextChoices):
    WAITING = "waiting"
    PASSED = "passed"
    FAILED = "failed"


class Check(models.Model):
    """One question asked about a subject, its answer, and what the answer rests on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    target = models.CharField(max_length=200)
    position = models.PositiveSmallIntegerField(default=0)
    required = models.BooleanField(default=True)
    title = models.JSONField(default=dict)
    # What is needed to answer it again, without any identifier or name.
    facts: "models.JSONField[Facts, Facts]" = models.JSONField(default=dict)
    # The policy's code for the case that this check fails on the facts.
    reason = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.WAITING)
    # While it waits: whether the house may find the answer by itself. Otherwise somebody brings it.
    is_looked_for = models.BooleanField(default=True, db_default=True)
    # The code that applies now: empty when passed, waiting, or when the check could not be made.
    reason_code = models.CharField(max_length=20, blank=True)
    finding = models.CharField(max_length=40, blank=True)
    evidence: "models.JSONField[Evidence, Evidence]" = models.JSONField(default=dict)
    how = EncryptedTextField()
    opened_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["subject", "position", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["subject", "kind", "target"], name="one_check_a_kind_and_target"),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.WAITING, answered_at__isnull=True)
                | (~Q(outcome=Outcome.WAITING) & Q(answered_at__isnull=False)),
                name="check_is_answered_at_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["kind", "opened_at"], name="checks_awaited", condition=Q(outcome=Outcome.WAITING)),
            models.Index(
                fields=["opened_at"], name="checks_looked_for", condition=Q(outcome=Outcome.WAITING, is_looked_for=True)
            ),
            models.Index(fields=["answered_at"], name="checks_answered", condition=Q(answered_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target} {self.outcome}"


class Roster(models.Model):
    """One import of a roster. The newest good one is in use; the rows of the others are gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40)
    in_use = models.BooleanField(default=True)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    accepted = models.PositiveIntegerField()
    rejected = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-imported_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["name"], condition=Q(in_use=True), name="one_import_of_a_roster_in_use"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.imported_at:%Y-%m-%d}"


class RosterLoad(models.Model):
    """An import under way, or one that was cut off: how far into which file it came. Its rows are not in use yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40, unique=True)
    sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=120)
    offset = models.BigIntegerField()
    line = models.BigIntegerField()
    accepted = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} up to line {self.line}"


class RosterRejection(models.Model):
    """What is wrong in a row, by its line and the reason; never what stood in it. `other`: the line that it repeats or
    contradicts."""

    id = models.BigAutoField(primary_key=True)
    load = models.ForeignKey(RosterLoad, on_delete=models.CASCADE, related_name="rejections")
    line = models.BigIntegerField()
    reason = models.CharField(max_length=20)
    other = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class RosterRow(models.Model):
    """One member of a roster, found by the keyed hash of its number only.

    `email` and `mobile` are where the keeper of the list reaches the member: a code goes there to whoever says that
    they speak for it. `domain` is the keyed hash of the domain of its addresses of email. On lists of firms `name_key`
    is a part of the keyed hash of its name (`names.name_key`).

    The table is partitioned by import: a roster of millions is put in use, and taken out of use, at once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    roster = models.ForeignKey(
        Roster, on_delete=models.DO_NOTHING, related_name="rows", db_constraint=False, db_index=False
    )
    key = models.BinaryField()
    name = EncryptedTextField()
    active = models.BooleanField(default=True)
    valid_until = models.DateField(null=True, blank=True)
    email = EncryptedTextField()
    mobile = EncryptedTextField()
    domain = models.BinaryField(null=True, blank=True)
    name_key = models.BinaryField(null=True, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["roster", "key"], name="a_number_stands_once_in_a_roster"),
        ]

    def __str__(self) -> str:
        return f"row:{self.pk}"
