"""Mobile lines, and the list of each operator's own.

Invariants, held by the database too: a line whose operator has its own word for it has no number here; an operator's
word stands for one line; a list is numbered without gaps, and its changes are only added. No address is known of a
line: whatever it uses is shared by thousands. The feed cannot reach this room.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.register.models import Registration
from rahdari.sms.models import PendingCode
from rahdari.vault.fields import EncryptedTextField

from .rules import MobileState

STATES = [(state.value, state.value) for state in MobileState]
ACTS = [(act, act) for act in ("add", "name", "renew", "end")]


class MobileNumber(PendingCode):
    """One mobile number. `asked` holds it while it waits for its code, `number` until its operator has answered."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # What it is for: "application:<uuid>", or "registration:<uuid>" when a number was taken to another operator.
    subject = models.CharField(max_length=120, db_index=True)
    holder = models.UUIDField(db_index=True)
    state = models.CharField(max_length=9, choices=STATES, default=MobileState.TYPED)
    number = EncryptedTextField()
    operator = models.SlugField(max_length=60, blank=True)
    # The question at the operator's desk, by the number that both sides know.
    check_number = models.CharField(max_length=12, blank=True)
    check_due_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=8, blank=True)
    reason = models.CharField(max_length=30, blank=True)
    # The operator's own word, and a keyed hash to find it by.
    reference = EncryptedTextField()
    reference_index = models.CharField(max_length=64, blank=True)
    # The operator's word stands for another line already: an officer looks at it.
    is_taken = models.BooleanField(default=False)
    registration = models.ForeignKey(
        Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="mobile_lines"
    )
    # The line that it takes the place of, when the number went to another operator.
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    typed_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # What its operator was last told: from when, until when, in which number of its list.
    listed_at = models.DateTimeField(null=True, blank=True)
    listed_until = models.DateTimeField(null=True, blank=True)
    last_sequence = models.PositiveBigIntegerField(default=0)
    leaves_at = models.DateTimeField(null=True, blank=True)
    leave_reason = models.CharField(max_length=20, blank=True)
    # When its holder was told that the operator says it is no longer theirs.
    notified_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    erase_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-typed_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["reference_index"],
                condition=Q(ended_at__isnull=True, reference_index__gt=""),
                name="an_operators_word_stands_for_one_line",
            ),
            models.CheckConstraint(
                condition=(Q(state=MobileState.ENDED) & Q(ended_at__isnull=False))
                | (~Q(state=MobileState.ENDED) & Q(ended_at__isnull=True)),
                name="line_ends_at_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["operator", "id"], condition=Q(listed_at__isnull=False), name="lines_of_an_operator"),
            models.Index(fields=["erase_at"], condition=Q(erase_at__isnull=False), name="lines_to_erase"),
            models.Index(fields=["leaves_at"], condition=Q(ended_at__isnull=True), name="lines_leaving"),
        ]

    def __str__(self) -> str:
        return f"line:{self.pk}"

    @property
    def target(self) -> str:
        """How the other rooms name it."""
        return f"line:{self.pk}"

    @property
    def is_listed(self) -> bool:
        return self.listed_at is not None and self.ended_at is None

    @property
    def is_registered(self) -> bool:
        """On its operator's list, or off it while its registration is paused or suspended."""
        return self.registration_id is not None and self.ended_at is None


class OperatorList(models.Model):
    """How far an operator's list has come. `floor`: changes up to here are not told one by one any more."""

    operator = models.SlugField(primary_key=True, max_length=60)
    sequence = models.PositiveBigIntegerField(default=0)
    floor = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.operator} {self.sequence}"


class MobileListChange(models.Model):
    """One change of an operator's list. Added, never changed; the oldest go when their lines' words are erased."""

    id = models.BigAutoField(primary_key=True)
    operator = models.SlugField(max_length=60)
    sequence = models.PositiveBigIntegerField()
    line = models.ForeignKey(MobileNumber, on_delete=models.PROTECT, related_name="changes")
    act = models.CharField(max_length=5, choices=ACTS)
    until = models.DateTimeField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["operator", "sequence"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["operator", "sequence"], name="a_list_is_numbered_once"),
        ]

    def __str__(self) -> str:
        return f"{self.operator} {self.sequence} {self.act}"


class MobileListReceipt(models.Model):
    """That an operator has applied its list up to a number. Added, never changed."""

    id = models.BigAutoField(primary_key=True)
    operator = models.SlugField(max_length=60)
    sequence = models.PositiveBigIntegerField()
    by = models.CharField(max_length=120)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["operator", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["operator", "sequence"], name="a_number_is_receipted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.operator} {self.sequence}"
