"""Incidents, the reports of which one consists, all that was said of it, and the packs of evidence.

Invariants, each also held by the database: an incident begins open and moves as `rules.MOVES` says; what is closed with
proof has one, what is merged has the other one; what happened is only added, and only its words are erased; a holder
reports a connection once in an incident. Of whom a report is says an opaque reference; words are encrypted.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.db.references import reference
from rahdari.publish.models import Operator
from rahdari.register.models import BlockField, Registration
from rahdari.vault.fields import EncryptedTextField

from .rules import ENDED, LIVE, By, Channel, OwnSide, Proof, Reason, Sees, State

_LIVE = Q(state__in=sorted(LIVE))


def make_reference() -> str:
    return reference("D")


class Incident(models.Model):
    """One cause by which registered connections are cut. Without an operator the desk has it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=11, unique=True, default=make_reference)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=20, choices=[(each, each) for each in State], default=State.OPEN)
    opened_at = models.DateTimeField()
    # When it was cut, as it was measured or else first reported; and since when it answers again.
    began_at = models.DateTimeField()
    back_at = models.DateTimeField(null=True, blank=True)
    # What the verdict says while it is cut, by which rule; empty: nobody measured.
    measured = models.CharField(max_length=20, blank=True)
    rule = models.CharField(max_length=60, blank=True)
    # The clock of whoever has it.
    answer_due_at = models.DateTimeField()
    mend_due_at = models.DateTimeField()
    report_due_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=20, blank=True, choices=[(each, each) for each in Reason])
    # When it was last said that it is over, by somebody who has to show it.
    claimed_at = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)
    # A supervisor was told: no answer, not mended, no report; and it was said to be mended and was not.
    late_answer_at = models.DateTimeField(null=True, blank=True)
    late_mend_at = models.DateTimeField(null=True, blank=True)
    late_report_at = models.DateTimeField(null=True, blank=True)
    unproved_at = models.DateTimeField(null=True, blank=True)
    disputes = models.PositiveSmallIntegerField(default=0)
    # Announced work covers it until then: nobody is alarmed before.
    muted_until = models.DateTimeField(null=True, blank=True)
    work = models.CharField(max_length=60, blank=True)
    overran_at = models.DateTimeField(null=True, blank=True)
    proof = models.CharField(max_length=10, blank=True, choices=[(each, each) for each in Proof])
    ended_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["opened_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=~Q(state=State.CLOSED_WITH_PROOF) | ~Q(proof=""), name="closed_with_proof_has_one"
            ),
            models.CheckConstraint(
                condition=Q(state=State.MERGED, merged_into__isnull=False)
                | (~Q(state=State.MERGED) & Q(merged_into__isnull=True)),
                name="merged_into_another_one",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(LIVE), ended_at__isnull=True)
                | Q(state__in=sorted({*ENDED, State.MERGED}), ended_at__isnull=False),
                name="over_when_it_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.RESOLVED) | (Q(claimed_at__isnull=False) & ~Q(reason="")),
                name="resolved_by_somebody_for_a_reason",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["operator", "opened_at"], name="incidents_of_operator"),
            models.Index(fields=["opened_at"], condition=_LIVE, name="incidents_live"),
            models.Index(fields=["ended_at"], condition=~_LIVE & Q(erased_at__isnull=True), name="incidents_to_erase"),
            models.Index(
                fields=["report_due_at"],
                condition=Q(report_due_at__isnull=False, reported_at__isnull=True, late_report_at__isnull=True),
                name="incidents_to_report",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"incident:{self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    def is_muted(self, now: dt.datetime) -> bool:
        return self.muted_until is not None and now < self.muted_until

    def lasted(self, now: dt.datetime) -> dt.timedelta:
        """How long it was cut, or is."""
        return (self.back_at or self.ended_at or now) - self.began_at


class Report(models.Model):
    """That one connection of one holder is cut. `subject` is how the room `watch` knows it."""

    # Of the form that was filled in: sent twice it is one.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="reports")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    holder = models.UUIDField(null=True, blank=True)
    subject = models.CharField(max_length=60, blank=True)
    block = BlockField(null=True, blank=True)
    # What runs there, as the register has it: "udp 51820".
    runs = models.CharField(max_length=200, blank=True)
    channel = models.CharField(max_length=10, choices=[(each, each) for each in Channel])
    sees = models.CharField(max_length=10, blank=True, choices=[(each, each) for each in Sees])
    own_side = models.CharField(max_length=10, blank=True, choices=[(each, each) for each in OwnSide])
    began_at = models.DateTimeField()
    reported_at = models.DateTimeField()
    # When its holder said so, themselves or by somebody who wrote it down; empty: only our looks did.
    said_at = models.DateTimeField(null=True, blank=True)
    works_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["reported_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["incident", "subject", "holder"],
                condition=Q(withdrawn_at__isnull=True) & ~Q(subject=""),
                name="a_holder_reports_a_connection_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["registration", "reported_at"], name="reports_of_registration"),
            models.Index(fields=["subject"], name="reports_of_connection"),
        ]

    def __str__(self) -> str:
        return f"report:{self.pk}"

    @property
    def is_of_the_holder(self) -> bool:
        return self.said_at is not None


class Happening(models.Model):
    """One thing that was done or said. What concerns one holder alone has their report, and is shown to nobody else but
    whoever mends it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="happenings")
    report = models.ForeignKey(Report, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()
    act = models.CharField(max_length=20)
    by = models.CharField(max_length=10, choices=[(each, each) for each in By])
    # Which one said it: it may have handed the incident back since. None where the desk mends.
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    code = models.CharField(max_length=20, blank=True)
    words = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["incident", "at"], name="what_happened")]

    def __str__(self) -> str:
        return f"{self.act} {self.incident_id}"


class Pack(models.Model):
    """The evidence of an incident for the holder of one registration: two encrypted files, of which the second holds
    the address and the port. It is made after it was asked for, since an authority for time is asked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, related_name="packs")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    # When the authority says that it was there; empty: no foreign time.
    stamped_at = models.DateTimeField(null=True, blank=True)
    evidence = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=32, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["asked_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["incident", "registration"],
                condition=Q(made_at__isnull=True, erased_at__isnull=True),
                name="a_pack_is_asked_for_once",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["asked_at"], condition=Q(made_at__isnull=True, erased_at__isnull=True), name="packs_to_make"
            )
        ]

    def __str__(self) -> str:
        return f"pack:{self.pk}"
