"""A body's campaign: it invites, and sends the links itself. Nobody who is invited is in here.

Invariants, each also held by the database: it is bounded in size and time; while it runs it counts how many finished,
never who, and of staff nobody; when it has ended the count is gone, and what is told is none or 20 and more in steps of
5, and of one that ran to its day alone; the office withdraws one with a reason.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.vault.fields import EncryptedTextField

from .rules import FEWEST, End, Whom, Why

# No file of rules may let a campaign have more links (policy/inviting.py).
MOST_LINKS = 20_000


class Campaign(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Whose it is, as rooms above know it: "association:sample", "holder:<uuid>".
    inviter = models.CharField(max_length=80)
    name = EncryptedTextField()
    whom = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Whom])
    links = models.PositiveIntegerField()
    begun_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    end = models.CharField(max_length=10, blank=True, choices=[(each.value, each.value) for each in End])
    ended_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=10, blank=True, choices=[(each.value, each.value) for each in Why])
    finished = models.PositiveIntegerField(null=True, default=0)
    told = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-begun_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(links__gte=1, links__lte=MOST_LINKS, ends_at__gt=F("begun_at")), name="campaign_is_bounded"
            ),
            models.CheckConstraint(
                condition=Q(end=End.RUNS, ended_at__isnull=True, finished__isnull=False, told__isnull=True)
                | (~Q(end=End.RUNS) & Q(ended_at__isnull=False, finished__isnull=True)),
                name="campaign_counts_while_it_runs",
            ),
            models.CheckConstraint(
                condition=~Q(whom=Whom.STAFF) | Q(finished__isnull=True) | Q(finished=0),
                name="campaign_counts_nobody_of_staff",
            ),
            models.CheckConstraint(
                condition=Q(told__isnull=True)
                | (Q(end=End.OVER, told__gte=FEWEST, told=F("told") / 5 * 5) & ~Q(whom=Whom.STAFF)),
                name="campaign_tells_no_small_number",
            ),
            models.CheckConstraint(
                condition=Q(end=End.WITHDRAWN) & ~Q(why="") | ~Q(end=End.WITHDRAWN) & Q(why=""),
                name="campaign_is_withdrawn_with_a_reason",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["ends_at"], condition=Q(end=""), name="campaigns_running"),
            models.Index(fields=["inviter", "begun_at"], name="campaigns_of_an_inviter"),
        ]

    def __str__(self) -> str:
        return f"campaign:{self.pk}"
