"""What every inquiry has: what it is about, how far it is, and its clocks. Each kind has a table of its own.

Invariants, held by the database too: an inquiry that is over has the moment at which it ended; only what is over is
delivered. What is sealed is encrypted, and goes when its time is over.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from .rules import WAITING, WITHDRAWN


class Inquiry(models.Model):
    """Somebody outside is asked once. `subject` is whatever another room waits for an answer to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=120)
    state = models.CharField(max_length=12, default=WAITING)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    remind_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Whoever waited for it has the answer.
    delivered_at = models.DateTimeField(null=True, blank=True)
    erase_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering: ClassVar[list[str]] = ["asked_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(state=WAITING, ended_at__isnull=True) | (~Q(state=WAITING) & Q(ended_at__isnull=False)),
                name="%(app_label)s_inquiry_ends_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(delivered_at__isnull=True) | Q(ended_at__isnull=False),
                name="%(app_label)s_only_an_end_is_delivered",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(state=WAITING), name="%(app_label)s_waiting"),
            models.Index(
                fields=["remind_at"],
                condition=Q(state=WAITING, reminded_at__isnull=True),
                name="%(app_label)s_to_remind",
            ),
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False, delivered_at__isnull=True),
                name="%(app_label)s_to_deliver",
            ),
            models.Index(
                fields=["erase_at"],
                condition=Q(erased_at__isnull=True, ended_at__isnull=False),
                name="%(app_label)s_to_erase",
            ),
            models.Index(
                fields=["asked_at"],
                condition=Q(delivered_at__isnull=True) | Q(state=WITHDRAWN),
                name="%(app_label)s_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"inquiry:{self.pk}"

    @property
    def is_waiting(self) -> bool:
        return self.state == WAITING
