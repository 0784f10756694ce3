"""One address that was listed before its papers, for a holder who is cut off, and how the holder was known.

Invariants, each also held by the database: a holder has one that is open; it is listed once the holder was known, by a
code or by a call, and for 30 days at most; on the telephone two officers who are two persons and not the holder agreed,
the second in time; none is begun as given, what was given is never rewritten, and one that is closed stays closed.

The address is here only until it is on the register; of one that was not listed it is gone.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.people.models import User
from rahdari.register.models import BlockField, Entry, Registration
from rahdari.sms.models import PendingCode

from .rules import MOST, OPEN, State, Way

STATES = [(each.value, each.value) for each in State]
WAYS = [(each.value, each.value) for each in Way]


class UrgentEntry(PendingCode):
    """`asked` holds the number while its code is on its way, or while it is called back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="urgent_entries")
    holder = models.UUIDField(db_index=True)
    # Whose number it is; None once the register has forgotten whose the registration was.
    person = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    way = models.CharField(max_length=4, choices=WAYS)
    state = models.CharField(max_length=9, choices=STATES, default=State.ASKED)
    # The address that is cut off: the same runs at the new one.
    cut_off = models.ForeignKey(Entry, on_delete=models.SET_NULL, null=True, related_name="+")
    block = BlockField(null=True, blank=True)
    # None again once the register has forgotten the addresses of what has ended.
    entry = models.ForeignKey(Entry, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=20)
    rule_version = models.CharField(max_length=20)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    seconded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    # The code came back, or the holder was reached at the number.
    known_at = models.DateTimeField(null=True, blank=True)
    second_by = models.DateTimeField(null=True, blank=True)
    given_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-asked_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["holder"], condition=Q(closed_at__isnull=True), name="holder_has_one_urgent_entry"
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(OPEN), closed_at__isnull=True)
                | (~Q(state__in=sorted(OPEN)) & Q(closed_at__isnull=False)),
                name="urgent_entry_closes_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(given_at__isnull=True, until__isnull=True, entry__isnull=True)
                | (
                    Q(known_at__isnull=False, until__gt=F("given_at"), until__lte=F("given_at") + MOST)
                    & (Q(entry__isnull=False) | Q(closed_at__isnull=False))
                ),
                name="urgent_entry_is_of_a_known_holder_for_30_days",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[State.GIVEN, State.CONFIRMED, State.ENDED]) | Q(given_at__isnull=False),
                name="urgent_entry_was_given",
            ),
            models.CheckConstraint(
                condition=Q(way=Way.PAGE, opened_by__isnull=True, seconded_by__isnull=True)
                | (
                    ~Q(way=Way.PAGE)
                    & Q(opened_by__isnull=False)
                    & (
                        Q(given_at__isnull=True)
                        | (Q(seconded_by__isnull=False, given_at__lte=F("second_by")) & ~Q(seconded_by=F("opened_by")))
                    )
                ),
                name="urgent_entry_by_telephone_needs_two_in_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["state", "asked_at"], condition=Q(closed_at__isnull=True), name="urgent_open"),
            models.Index(fields=["given_at"], condition=Q(given_at__isnull=False), name="urgent_given"),
        ]

    def __str__(self) -> str:
        return f"urgent:{self.pk}"

    @property
    def subject(self) -> str:
        return f"registration:{self.registration_id}"

    @property
    def origin(self) -> str:
        """By which the register knows its entry (`register.rules.URGENT`)."""
        return f"urgent:{self.pk}"
