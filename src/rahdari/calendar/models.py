"""Corrections of the calendar. Held by the database: who entered one does not confirm it; what is confirmed or dropped
is never rewritten, none is deleted, and one is replaced once."""

import datetime as dt
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.people.models import User
from rahdari.policy.corrections import Correction, Kind
from rahdari.policy.days import week_of

# A season with hours of its own is no longer; nor is an office closed for longer by one order.
LONGEST = dt.timedelta(days=92)


class CalendarCorrection(models.Model):
    class Status(models.TextChoices):
        ESTIMATED = "estimated"  # such as a day that the moon decides
        NOTIFIED = "notified"

    kind = models.CharField(max_length=10, choices=[(each.value, each.value) for each in Kind])
    first = models.DateField()
    last = models.DateField()
    # The part of a day that is closed, or the hours of one that is worked.
    begins = models.TimeField(null=True, blank=True)
    ends = models.TimeField(null=True, blank=True)
    # Other hours: of each day of the week, Monday first, a list like ["09:00-13:00", "14:00-16:00"].
    week = models.JSONField(default=list)
    title_en = models.CharField(max_length=120)
    title_ur = models.CharField(max_length=120)
    # The number of the notification, or the office's own order.
    source = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=Status)
    # The one that it replaces from the moment it is confirmed, and why.
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="replacements", db_index=False
    )
    why = models.CharField(max_length=400, blank=True)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    dropped_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)
    dropped_why = models.CharField(max_length=400, blank=True)

    # When another one replaced it: of what `queries` reads of those that were confirmed.
    replaced_by: "CalendarCorrection | None" = None

    class Meta:
        ordering: ClassVar[list[str]] = ["first", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | (Q(confirmed_at__isnull=False, confirmed_by__isnull=False) & ~Q(confirmed_by=F("proposed_by"))),
                name="correction_is_confirmed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(dropped_at__isnull=True, dropped_by__isnull=True)
                | Q(dropped_at__isnull=False, dropped_by__isnull=False, confirmed_at__isnull=True),
                name="correction_is_confirmed_or_dropped",
            ),
            models.CheckConstraint(
                condition=Q(last__gte=F("first"), last__lte=F("first") + LONGEST), name="correction_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(begins__isnull=True, ends__isnull=True)
                | Q(begins__isnull=False, ends__isnull=False, ends__gt=F("begins")),
                name="correction_of_a_part_of_a_day",
            ),
            models.CheckConstraint(
                condition=(Q(kind=Kind.HOURS.value, begins__isnull=True) & ~Q(week=[]))
                | (Q(kind__in=[Kind.CLOSED.value, Kind.WORKED.value], week=[])),
                name="correction_of_hours_has_a_week",
            ),
            models.CheckConstraint(
                condition=~Q(source="") & ~Q(title_en="") & ~Q(title_ur=""), name="correction_has_a_source"
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | ~Q(why=""),
                name="correction_is_replaced_for_a_reason",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=Q(confirmed_at__isnull=False), name="correction_is_replaced_once"
            ),
        ]

    def __str__(self) -> str:
        return f"calendar:{self.pk}"

    @property
    def replaced_at(self) -> dt.datetime | None:
        return self.replaced_by.confirmed_at if self.replaced_by is not None else None

    @property
    def waits(self) -> bool:
        return self.confirmed_at is None and self.dropped_at is None

    @property
    def in_words(self) -> Correction:
        """What it says, for the arithmetic. Raises ValueError for one that is not confirmed."""
        if self.confirmed_at is None:
            raise ValueError(f"{self} is not in force")
        return Correction(
            Kind(self.kind),
            self.first,
            self.last,
            self.confirmed_at,
            self.replaced_at,
            self.begins,
            self.ends,
            week_of(self.week) if self.week else (),
        )

    def title_in(self, language: str) -> str:
        return self.title_ur if language == "ur" else self.title_en
