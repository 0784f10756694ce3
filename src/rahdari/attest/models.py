"""What associations say of their members, who asked them, what it counted for, and what is disputed.

Invariants, held by the database too: an association has one attestation of a kind for a member that is not revoked;
what was revoked has its reason and moment; a matter is decided once. A member is found by keyed hashes of the number or
address that identifies them, which is not kept; name and member number are encrypted. Who waits for an answer is
unknown here: a subject is text that another room made up.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.inquiry.models import Inquiry
from rahdari.inquiry.rules import WAITING
from rahdari.vault.fields import EncryptedTextField

from .rules import UNDONE_WITHIN, Answer, AttestationState, Reply, ReviewKind, ReviewOutcome, Tie, state_of

KINDS = [(each.value, each.value) for each in ReviewKind]
REPLIES = [(each.value, each.value) for each in Reply]
OUTCOMES = [(each.value, each.value) for each in ReviewOutcome]
TIES = [(each.value, each.value) for each in Tie]


class MemberList(models.Model):
    """A file of members: looked at by row first, counted when it is sent; its content is deleted after some days.

    With a `revocation` it takes attestations back, and `made` counts those; without one it attests.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    association = models.SlugField(max_length=60)
    claim = models.SlugField(max_length=60)
    method = models.SlugField(max_length=60)
    content = EncryptedTextField()
    name = models.CharField(max_length=120, blank=True)
    uploaded_at = models.DateTimeField()
    uploaded_by = models.CharField(max_length=120)
    sent_at = models.DateTimeField(null=True, blank=True)
    emptied_at = models.DateTimeField(null=True, blank=True)
    made = models.PositiveIntegerField(default=0)
    renewed = models.PositiveIntegerField(default=0)
    # Of a list of members whose attestations are taken back: why, and the sentence that each of them reads.
    revocation = models.SlugField(max_length=60, blank=True)
    explanation = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-uploaded_at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["association", "-uploaded_at"], name="lists_of_an_association"),
        ]

    def __str__(self) -> str:
        return f"members:{self.pk}"


class Attestation(models.Model):
    """An association says something of a member, until a day, as long as it does not take it back."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=12, unique=True)
    association = models.SlugField(max_length=60)
    claim = models.SlugField(max_length=60)
    # How the association checked: a key of the policy. With the member number it is the evidence.
    method = models.SlugField(max_length=60)
    name = EncryptedTextField()
    member_number = EncryptedTextField()
    member_index = models.CharField(max_length=64)
    identifier_kind = models.CharField(max_length=8)
    identifier_index = models.CharField(max_length=64)
    valid_from = models.DateField()
    valid_until = models.DateField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=120)
    member_list = models.ForeignKey(MemberList, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # When the association last gave it another last day.
    renewed_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=120, blank=True)
    revocation = models.SlugField(max_length=60, blank=True)
    explanation = EncryptedTextField()
    # The line has not looked yet at what rests on it since it was revoked or given back.
    to_follow = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["association", "claim", "identifier_index"],
                condition=Q(revoked_at__isnull=True),
                name="a_member_is_attested_once",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revocation="") | (Q(revoked_at__isnull=False) & ~Q(revocation="")),
                name="attestation_is_revoked_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__gte=models.F("valid_from")), name="attestation_ends_after_it_begins"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["association", "member_index"], name="attestations_of_a_number"),
            models.Index(fields=["identifier_index"], name="attestations_of_a_person"),
            models.Index(fields=["association", "valid_until"], name="attestations_by_their_end"),
            models.Index(fields=["revoked_at"], condition=Q(to_follow=True), name="attestations_to_follow"),
        ]

    def __str__(self) -> str:
        return self.number

    def state(self, today: dt.date) -> AttestationState:
        return state_of(
            valid_from=self.valid_from, valid_until=self.valid_until, revoked=self.revoked_at is not None, today=today
        )

    def is_live(self, today: dt.date) -> bool:
        return self.state(today) is AttestationState.LIVE


class MembershipInquiry(Inquiry):
    """An applicant names the association, and it has no attestation that fits: is this a member?"""

    association = models.SlugField(max_length=60)
    service = models.SlugField(max_length=60)
    name = EncryptedTextField()
    # With which the applicant signs in: whoever answers sees who applies in the member's name.
    email = EncryptedTextField()
    member_number = EncryptedTextField()
    member_index = models.CharField(max_length=64)
    # The best of what identifies the applicant; an attestation given in answer holds for it.
    identifier_kind = models.CharField(max_length=8)
    identifier_index = models.CharField(max_length=64)
    # Every keyed hash by which the applicant may stand in a list.
    indexes = models.JSONField(default=list)
    answered_by = models.CharField(max_length=120, blank=True)
    # Of a no: in the association's own words, for the officers.
    why = EncryptedTextField()
    attestation = models.ForeignKey(Attestation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # An attestation was made that may fit; the line has not compared yet.
    match_again = models.BooleanField(default=False)

    class Meta(Inquiry.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Inquiry.Meta.constraints,
            models.UniqueConstraint(fields=["subject"], name="attest_subject_is_asked_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            *Inquiry.Meta.indexes,
            models.Index(fields=["association", "due_at"], condition=Q(state=WAITING), name="requests_that_wait"),
            models.Index(
                fields=["asked_at"],
                condition=Q(match_again=True, erased_at__isnull=True),
                name="requests_to_match_again",
            ),
        ]

    def __str__(self) -> str:
        return f"request:{self.pk}"

    def can_be_withdrawn(self, now: dt.datetime) -> bool:
        """Whether it was answered by a no of the association's, less than a day ago."""
        if self.state != Answer.NOT_MEMBER or self.ended_at is None or self.erased_at is not None:
            return False
        return now <= self.ended_at + UNDONE_WITHIN


class AttestationUse(models.Model):
    """What an attestation counts for: an application, and with which weight.

    With no `tie` it is under a number that the applicant only typed: it counts for nothing, and they are not told.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attestation = models.ForeignKey(Attestation, on_delete=models.PROTECT, related_name="uses")
    subject = models.CharField(max_length=120)
    # Whose application it is, a person or an organisation; and who applied.
    holder = models.UUIDField()
    person = models.CharField(max_length=120)
    weight = models.CharField(max_length=12)
    # What shows that the applicant is the one attested.
    tie = models.CharField(max_length=12, choices=TIES, blank=True)
    at = models.DateTimeField()
    # The application is decided: from now on it stands, whatever becomes of the attestation.
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["attestation", "subject"], name="attestation_counts_once"),
            models.CheckConstraint(condition=Q(tie__in=["", *Tie]), name="use_has_a_known_tie"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["holder"], name="attestations_used_for"),
            models.Index(fields=["at"], condition=Q(closed_at__isnull=True), name="uses_not_closed"),
        ]

    def __str__(self) -> str:
        return f"use:{self.pk}"


class AttestationReview(models.Model):
    """Something about an attestation that an officer decides: it was revoked after it counted, or it is disputed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=12, unique=True)
    attestation = models.ForeignKey(Attestation, on_delete=models.PROTECT, related_name="matters")
    kind = models.CharField(max_length=10, choices=KINDS)
    # What rests on the attestation; empty for an attestation that was not used.
    subject = models.CharField(max_length=120, blank=True)
    # Whose matter it is, a person or an organisation; and who applied, or disputed it.
    holder = models.UUIDField()
    person = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    objection = EncryptedTextField()
    objected_at = models.DateTimeField(null=True, blank=True)
    reply_due_at = models.DateTimeField(null=True, blank=True)
    reply = models.CharField(max_length=10, choices=REPLIES, blank=True)
    reply_text = EncryptedTextField()
    replied_at = models.DateTimeField(null=True, blank=True)
    replied_by = models.CharField(max_length=120, blank=True)
    outcome = models.CharField(max_length=14, choices=OUTCOMES, blank=True)
    decision = EncryptedTextField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=120, blank=True)
    proof_due_at = models.DateTimeField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    # Another proof came, or the whole matter has become groundless.
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["opened_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["attestation", "subject", "holder"],
                condition=Q(closed_at__isnull=True),
                name="one_open_matter_about_an_attestation",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True) | (~Q(outcome="") & Q(decided_at__isnull=False)),
                name="matter_is_decided_at_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["opened_at"], condition=Q(closed_at__isnull=True), name="matters_open"),
            models.Index(fields=["holder"], name="matters_of_a_holder"),
        ]

    def __str__(self) -> str:
        return self.number

    def awaits_association(self, now: dt.datetime) -> bool:
        return (
            self.objected_at is not None
            and not self.reply
            and not self.outcome
            and self.closed_at is None
            and (self.reply_due_at is None or now < self.reply_due_at)
        )

    def awaits_officer(self, now: dt.datetime) -> bool:
        return not self.outcome and self.closed_at is None and not self.awaits_association(now)
