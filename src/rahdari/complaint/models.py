"""Complaints about what is registered: reports of misuse, and corrections that somebody else asks for.

Invariants, each also held by the database: what was sent is never rewritten; it is decided once, by somebody who had no
part in the case and did not send it, and not before the holder has answered or had the time to; only what nobody
confirmed is deleted. Words, addresses and numbers are encrypted, and there is no column for what flows over a line.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.db.references import reference
from rahdari.decide.models import Case, Notice
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.vault.fields import EncryptedTextField

from .rules import CONTESTS, About, Answer, Kind, Outcome, State

_OPEN = Q(received_at__isnull=False, decided_at__isnull=True)


def make_reference() -> str:
    return reference("C")


class Complaint(models.Model):
    # Of the form that was filled in: sent twice it is kept once.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Its number at the desk and for the holder; and that of the sender. A holder who sends complaints of others would
    # learn from one number for both how many registrations were found.
    reference = models.CharField(max_length=11, unique=True, default=make_reference)
    receipt = models.CharField(max_length=11, unique=True, default=make_reference)
    kind = models.CharField(max_length=10, choices=[(each, each) for each in Kind])
    about = models.CharField(max_length=15, choices=[(each, each) for each in About])
    # The registration number, address, name, card number or company number that was given.
    target = EncryptedTextField()
    words = EncryptedTextField()
    # Where to answer to; empty: it is anonymous, or its time of keeping is over.
    email = EncryptedTextField()
    is_anonymous = models.BooleanField(default=False)
    language = models.CharField(max_length=2, default="en")
    # Whoever has this email address here, so that they do not decide it.
    sender = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # As it was claimed; nobody has verified it.
    public_body = EncryptedTextField()
    body_reference = EncryptedTextField()
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField(null=True, blank=True)
    # Of one with files: until then its sender adds them, and nobody is asked before.
    files_until = models.DateTimeField(null=True, blank=True)
    # Of one that is about several registrations: the one that was sent.
    copy_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="copies")
    # The first of those that say the same of the same registration: that one is decided.
    part_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="others")
    # Found by code from what was given; the sender never learns of it.
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, blank=True, related_name="complaints")
    looked_up_at = models.DateTimeField(null=True, blank=True)
    answer_due_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    answer = EncryptedTextField()
    answered_at = models.DateTimeField(null=True, blank=True)
    lapsed_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    outcome = models.CharField(max_length=20, choices=[(each, each) for each in Outcome], blank=True)
    why = EncryptedTextField()
    # The proposal to take the registration back that came of it.
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    overdue_at = models.DateTimeField(null=True, blank=True)
    # Since when the public check says because of it that the name is contested: whoever decides complaints said so.
    contested_at = models.DateTimeField(null=True, blank=True)
    # Its sender says no more what it says, and it contests nothing by who sent it. Whoever decides it reads that.
    taken_back_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["sent_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["registration", "kind", "about"],
                condition=_OPEN & Q(part_of__isnull=True, registration__isnull=False, kind=Kind.MISUSE),
                name="same_report_is_open_once",
            ),
            models.CheckConstraint(
                condition=Q(received_at__isnull=True, decided_at__isnull=True)
                | Q(received_at__isnull=False, answer_due_at__isnull=False, due_at__isnull=False),
                name="complaint_has_its_times",
            ),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True, outcome="")
                | (Q(decided_at__isnull=False, decided_by__isnull=False) & ~Q(outcome="")),
                name="complaint_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(kind=Kind.MISUSE) | ~Q(outcome=Outcome.MALICIOUS), name="only_a_report_is_malicious"
            ),
            models.CheckConstraint(
                condition=Q(contested_at__isnull=True)
                | Q(about__in=CONTESTS, looked_up_at__isnull=False, part_of__isnull=True),
                name="what_contests_a_name_is_about_one",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=_OPEN, name="complaints_open"),
            models.Index(fields=["case"], name="complaints_of_case"),
            models.Index(fields=["sent_at"], condition=Q(received_at__isnull=True), name="complaints_to_confirm"),
            models.Index(
                fields=["received_at"],
                condition=Q(received_at__isnull=False, looked_up_at__isnull=True),
                name="complaints_to_look_up",
            ),
            models.Index(
                fields=["due_at"],
                condition=Q(decided_at__isnull=False, told_at__isnull=True),
                name="complaints_to_tell",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"complaint:{self.pk}"

    @property
    def papers(self) -> str:
        """Under which name `apply` has the files that came with it."""
        return f"complaint:{self.copy_of_id or self.pk}"

    @property
    def answer_papers(self) -> str:
        """The same of those that the holder sends with the answer: of each copy another holder's."""
        return f"complaint_answer:{self.pk}"

    def takes_files(self, now: dt.datetime) -> bool:
        return self.state == State.OPEN and self.files_until is not None and now < self.files_until

    @property
    def state(self) -> State:
        if self.decided_at is not None:
            return State.CLOSED
        return State.UNCONFIRMED if self.received_at is None else State.OPEN

    @property
    def holder_answer(self) -> Answer:
        if self.answered_at is not None:
            return Answer.ANSWERED
        if self.looked_up_at is None:
            return Answer.UNKNOWN
        if self.case_id is None:
            return Answer.NOBODY
        return Answer.ASKED if self.lapsed_at is None else Answer.SILENT

    def is_overdue(self, now: dt.datetime) -> bool:
        return self.state == State.OPEN and self.due_at is not None and now > self.due_at
