"""Appeals and their points.

Invariants, each also held by the database: a decision is appealed against once; whoever had a part in it neither takes
nor decides the appeal; one who asked to be heard is heard, or did not come, before it is decided; a point is decided
once, with reasons; what was sent or decided is never rewritten. Words are encrypted.
"""

import datetime as dt
import uuid
from functools import cached_property
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rahdari.decide.models import Case, Decision, Revocation
from rahdari.decide.reviewer_models import Reviewer
from rahdari.decide.rules import HearingState
from rahdari.people.models import User
from rahdari.vault.fields import EncryptedTextField

from .rules import Against, Ground, Outcome, State, outcome_of

_STANDS = Q(withdrawn_at__isnull=True)
_OPEN = Q(sent_at__isnull=False, withdrawn_at__isnull=True, decided_at__isnull=True, closed_at__isnull=True)


class Appeal(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="appeals")
    # The how manieth of the case: with its number it names the appeal.
    number = models.PositiveSmallIntegerField()
    against = models.CharField(max_length=10, choices=[(each, each) for each in Against])
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, null=True, blank=True, related_name="appeals")
    revocation = models.ForeignKey(Revocation, on_delete=models.PROTECT, null=True, blank=True, related_name="appeals")
    begun_at = models.DateTimeField()
    grounds = ArrayField(models.CharField(max_length=10, choices=[(each, each) for each in Ground]), default=list)
    words = EncryptedTextField()
    # By telephone or video; else what is written is enough.
    to_be_heard = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    # As the journal names them: the appellant, or the officer who recorded what came by letter.
    sent_by = models.CharField(max_length=120, blank=True)
    # After the time to appeal: whether that is excused is decided first.
    late = models.BooleanField(default=False)
    excused = models.BooleanField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    assigned_to = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # When the hearing that was asked for was over (`decide.hearings`): held, or nobody came.
    hearing_over_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # Nobody else could have decided it.
    by_the_only_one = models.BooleanField(default=False)
    text = EncryptedTextField()
    # The office missed its time: when the appellant was told, and whether the registration stands meanwhile.
    overdue_at = models.DateTimeField(null=True, blank=True)
    stands_meanwhile = models.BooleanField(default=False)
    carry_out_by = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # Of addresses and lines that could not be restored, because somebody else has them.
    lost = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["begun_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["case", "number"], name="appeal_has_a_number"),
            models.UniqueConstraint(fields=["decision"], condition=_STANDS, name="decision_is_appealed_against_once"),
            models.UniqueConstraint(
                fields=["revocation"], condition=_STANDS, name="revocation_is_appealed_against_once"
            ),
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(against=Against.SILENCE, withdrawn_at__isnull=True, closed_at__isnull=True),
                name="silence_is_appealed_against_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(against=Against.REFUSAL, decision__isnull=False, revocation__isnull=True)
                | Q(against=Against.REVOCATION, decision__isnull=True, revocation__isnull=False)
                | Q(against=Against.SILENCE, decision__isnull=True, revocation__isnull=True),
                name="appeal_is_against_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True, decided_at__isnull=True, assigned_to__isnull=True)
                | (Q(sent_at__isnull=False, due_at__isnull=False) & ~Q(sent_by="") & ~Q(grounds=[])),
                name="appeal_was_sent_with_a_ground",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | (
                    Q(decided_at__isnull=False, decided_by__isnull=False)
                    & (Q(late=False) | Q(excused__isnull=False))
                    & (Q(to_be_heard=False) | Q(hearing_over_at__isnull=False) | Q(excused=False))
                ),
                name="appeal_is_heard_before_it_is_decided",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=_OPEN, name="appeals_open"),
            models.Index(
                fields=["carry_out_by"],
                condition=Q(decided_at__isnull=False, closed_at__isnull=True),
                name="appeals_to_carry_out",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        """How the journal names it, and the room of applications the papers that came with it."""
        return f"appeal:{self.pk}"

    @property
    def reference(self) -> str:
        return f"{self.case.application.reference}-P{self.number}"

    @property
    def state(self) -> State:
        if self.withdrawn_at is not None:
            return State.WITHDRAWN
        if self.closed_at is not None:
            return State.CLOSED
        if self.decided_at is not None:
            return State.DECIDED
        return State.DRAFT if self.sent_at is None else State.OPEN

    @property
    def hearing(self) -> HearingState:
        if not self.to_be_heard:
            return HearingState.NONE
        return HearingState.ASKED if self.hearing_over_at is None else HearingState.OVER

    @property
    def outcome(self) -> Outcome | None:
        """Of the whole; None before it is decided, and where it was not heard at all."""
        found = [Outcome(point.outcome) for point in self.points.all() if point.outcome]
        return outcome_of(found) if found else None

    @property
    def was_overtaken(self) -> bool:
        """The decision whose absence was appealed against came first."""
        return self.closed_at is not None and self.decided_at is None

    @cached_property
    def reviewer(self) -> Reviewer | None:
        """Somebody from outside who was named to decide it."""
        return Reviewer.of(self.subject)

    def is_overdue(self, now: dt.datetime) -> bool:
        end = self.due_at if self.state == State.OPEN else self.carry_out_by
        return self.state in {State.OPEN, State.DECIDED} and end is not None and now > end


class Point(models.Model):
    """One ground of an appeal, and what was decided about it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="points")
    ground = models.CharField(max_length=10, choices=[(each, each) for each in Ground])
    place = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, choices=[(each, each) for each in Outcome], blank=True)
    why = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["place"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["appeal", "ground"], name="ground_is_one_point"),
        ]

    def __str__(self) -> str:
        return f"point:{self.pk}"


class Served(models.Model):
    """The letter with a notice or a decision came back, and it was handed over in another way: the time to answer or to
    appeal runs from then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    on = models.DateField()
    how = EncryptedTextField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["on", "id"]

    def __str__(self) -> str:
        return f"served:{self.pk}"
