"""How many people work over a gateway from elsewhere, and the lines of those who let theirs be registered.

Invariants, each also held by the database: a number tells a line apart within its registration, and nothing else
does; a line that was agreed to has the moment and the words; one that stands has its entry. No name, no address of
email and no telephone number is ever here; the network address stands in the entry alone.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.register.models import Entry, Registration

from .rules import HomeConnectionState


class StaffGateway(models.Model):
    """How many people the organisation says work over what is registered, from elsewhere."""

    registration = models.OneToOneField(Registration, on_delete=models.PROTECT, primary_key=True, related_name="+")
    workers = models.PositiveIntegerField()
    notified_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.workers} work from elsewhere"


class HomeConnection(models.Model):
    """One link that was made for one person, and what became of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    state = models.CharField(
        max_length=10,
        choices=[(str(one), str(one)) for one in HomeConnectionState],
        default=HomeConnectionState.OFFERED.value,
    )
    # The keyed hash of the link's token: finds the line, and gives the token to nobody who reads the table.
    link_index = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    link_ends_at = models.DateTimeField()
    agreed_at = models.DateTimeField(null=True, blank=True)
    agreed_to = models.CharField(max_length=20, blank=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # When its address became another one, last.
    changed_at = models.DateTimeField(null=True, blank=True)
    changes = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["registration", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["registration", "number"], name="a_number_tells_a_line_apart"),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True, agreed_to="") | (Q(agreed_at__isnull=False) & ~Q(agreed_to="")),
                name="a_line_is_agreed_to_in_words",
            ),
            models.CheckConstraint(
                condition=~Q(state=HomeConnectionState.STANDING.value)
                | Q(entry__isnull=False, agreed_at__isnull=False),
                name="a_standing_line_was_agreed_to",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[HomeConnectionState.WITHDRAWN.value, HomeConnectionState.ENDED.value],
                    ended_at__isnull=False,
                )
                | (
                    ~Q(state__in=[HomeConnectionState.WITHDRAWN.value, HomeConnectionState.ENDED.value])
                    & Q(ended_at__isnull=True)
                ),
                name="a_line_is_over_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"line:{self.pk}"

    @property
    def stands(self) -> bool:
        """On the register now: its registration may have ended meanwhile."""
        return self.state == HomeConnectionState.STANDING and self.entry is not None and self.entry.ended_at is None
