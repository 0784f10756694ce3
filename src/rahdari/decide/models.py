"""Cases, what was asked, what was announced, and what was decided.

Invariants, each also held by the database: an application has one case; a case has one decision that stands; a status
moves only as `rules.MOVES` says; a rule decides nothing but grants; a refusal names its codes, rests on a notice whose
time was given, and is seconded by somebody else than who proposed it; a registration is taken back likewise, not before
a hearing that was asked for is over, and a suspension names its end; one before a hearing is short and not repeated;
what was asked, announced, heard or decided is never rewritten and never deleted. Words about a person are encrypted.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from rahdari.apply.models import Application
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.vault.fields import EncryptedTextField

from .rules import CaseStanding, HearingOutcome, HearingState, Lane, NoticeState, Outcome, QuestionState, Status

# The database lets none be longer, whatever the policy says; its own bound is a year, and the last day may be closed.
LONGEST_SUSPENSION = dt.timedelta(days=400)
# Nor one longer that begins before its holder is heard (`policy.before_hearing`).
LONGEST_BEFORE_HEARING = dt.timedelta(hours=72)
# After these a hearing is over; one that was moved is still to come.
HELD_OR_NOT = [HearingOutcome.ATTENDED.value, HearingOutcome.NOBODY_CAME.value]


def _choices(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(value), str(value)) for value in values]


class Case(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="case")
    lane = models.CharField(max_length=10, choices=_choices(Lane))
    status = models.CharField(max_length=12, choices=_choices(Status), default=Status.OPEN.value)
    opened_at = models.DateTimeField()
    # The officer's clock: from receipt, or from the last proof that the applicant still owed at receipt.
    started_at = models.DateTimeField()
    assigned_to = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    assigned_at = models.DateTimeField(null=True, blank=True)
    # When the rule last looked whether it could decide what no officer has touched.
    assessed_at = models.DateTimeField(null=True, blank=True)
    # When the time to decide was over: the applicant was told, and any officer may still decide.
    escalated_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # What the queue sorts, filters and counts by (`queue_columns`): computed from the rows below and the calendar,
    # written by each act that changes them. Of an open case, but for `words`. No page shows a time from here:
    # `case_clock.clock_of` tells it.
    waits_for = models.CharField(max_length=10, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    # From when on it is close to late, and when who has it was told.
    near_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    late_at = models.DateTimeField(null=True, blank=True)
    # Keyed hashes of the beginnings of the words of the holder's name, of the number and of the company's; once it is
    # closed, one of the whole name.
    words = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    # Of its application.
    service = models.CharField(max_length=60, blank=True)
    # Whose proposal to refuse stands, and the rank that its second officer must have; empty: any.
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    second_rank = models.CharField(max_length=10, blank=True)
    # Under which calendar they were computed.
    kept_under = models.CharField(max_length=64, blank=True)
    # What queues go by, in words: which kinds of check that a grant needs have failed and which wait (`failed:origin`:
    # the database writes these, with each answer), and what became of the case before (`policy.desk_queues.HAS`).
    marks = models.TextField(blank=True, default="", editable=False)
    addresses = models.PositiveSmallIntegerField(default=0)

    # Of one that an officer decided: what was in the way (`similar_cases`). The database writes it.
    likeness = models.CharField(max_length=300, blank=True, editable=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["started_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(status=Status.DECIDED.value, decided_at__isnull=False)
                | (~Q(status=Status.DECIDED.value) & Q(decided_at__isnull=True)),
                name="case_is_decided_at_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[Status.OPEN.value, Status.DECIDED.value], closed_at__isnull=True)
                | Q(status__in=[Status.NOT_PURSUED.value, Status.WITHDRAWN.value], closed_at__isnull=False),
                name="case_is_closed_at_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["started_at"], condition=Q(status=Status.OPEN.value), name="cases_open"),
            models.Index(fields=["assigned_to"], condition=Q(status=Status.OPEN.value), name="cases_of_an_officer"),
            # A page of the queue, however far behind, and the number of all that fit, are read from the index alone.
            models.Index(
                F("due_at").asc(nulls_first=True),
                "started_at",
                "id",
                include=["waits_for", "late_at", "assigned_to", "application", "service", "marks", "addresses"],
                condition=Q(status=Status.OPEN.value),
                name="cases_by_due_time",
            ),
            # What is only counted, by columns of which many have the same: PostgreSQL keeps each once.
            models.Index(fields=["waits_for", "late_at"], condition=Q(status=Status.OPEN.value), name="cases_counted"),
            models.Index(
                fields=["marks", "waits_for", "service", "addresses", "assigned_to", "late_at", "due_at"],
                condition=Q(status=Status.OPEN.value),
                name="cases_marked",
            ),
            models.Index(
                fields=["waits_for"],
                include=["proposed_by", "second_rank", "application"],
                condition=Q(status=Status.OPEN.value, proposed_by__isnull=False),
                name="cases_proposed",
            ),
            GinIndex(fields=["words"], condition=Q(status=Status.OPEN.value), name="cases_by_word"),
            models.Index(
                fields=["likeness", "-decided_at", "-id"],
                condition=Q(status=Status.DECIDED.value) & ~Q(likeness=""),
                name="cases_by_likeness",
            ),
            models.Index(fields=["near_at"], condition=Q(status=Status.OPEN.value), name="cases_near_late"),
            models.Index(fields=["kept_under"], condition=Q(status=Status.OPEN.value), name="cases_by_calendar"),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"case:{self.pk}"

    @property
    def standing(self) -> CaseStanding:
        """Computed from the rows, so that no column can contradict them."""
        question = next((one for one in self.questions.all() if one.answered_at is None), None)
        notice = next((one for one in self.notices.all() if one.is_standing), None)
        return CaseStanding(
            Status(self.status),
            QuestionState.NONE if question is None else question.state,
            NoticeState.NONE if notice is None else notice.state,
            HearingState.NONE if notice is None else notice.hearing,
        )


class SavedView(models.Model):
    """A filter of the queue that an officer has named for themselves. It holds no words that were searched for."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    officer = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    # Whatever the officer calls it: it may be about a person after all.
    name = EncryptedTextField()
    view = models.CharField(max_length=60, blank=True)
    service = models.CharField(max_length=60, blank=True)
    checks = models.CharField(max_length=60, blank=True)
    who = models.CharField(max_length=60, blank=True)
    queue = models.CharField(max_length=60, blank=True)

    def __str__(self) -> str:
        return f"view:{self.pk}"


class CaseQuestion(models.Model):
    """One question to the applicant. While it is open the officer's clock stands still."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="questions")
    code = models.CharField(max_length=20)
    text = EncryptedTextField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    extended = models.PositiveSmallIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = EncryptedTextField()
    # What the applicant has written and not sent. Empty once the answer is sent.
    draft = EncryptedTextField()
    lapsed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["asked_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(answered_at__isnull=True), name="case_has_one_open_question"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["due_at"],
                condition=Q(answered_at__isnull=True, lapsed_at__isnull=True),
                name="questions_unanswered",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        """How the room of applications knows the papers that go with the answer."""
        return f"question:{self.pk}"

    @property
    def state(self) -> QuestionState:
        if self.answered_at is not None:
            return QuestionState.NONE
        return QuestionState.OPEN if self.lapsed_at is None else QuestionState.LAPSED


class Notice(models.Model):
    """Told before a refusal, or before a registration is taken back: the codes, a sentence, and until when there is
    time to answer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices")
    codes = models.JSONField()
    text = EncryptedTextField()
    # What in the file shows it, named by the officer: always where a registration is to be taken back.
    evidence = EncryptedTextField()
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    answer_due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = EncryptedTextField()
    draft = EncryptedTextField()
    ran_out_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_why = EncryptedTextField()
    concluded_at = models.DateTimeField(null=True, blank=True)
    # Where a registration is to be taken back: until when that must be decided, or the proposal is dropped by itself.
    decide_by = models.DateTimeField(null=True, blank=True)
    # When the holder asked to be heard, and when that was over: held, or nobody came.
    hearing_asked_at = models.DateTimeField(null=True, blank=True)
    hearing_over_at = models.DateTimeField(null=True, blank=True)
    # The rank that whoever seconds it has; empty: any.
    rank = models.CharField(max_length=10, blank=True, default="")
    # It is proposed to suspend it at once, before its holder is heard.
    before_hearing = models.BooleanField(default=False)
    # A court ordered it: the number of the order and who gave it. There is no time to answer then.
    is_order = models.BooleanField(default=False)
    order_named = EncryptedTextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["sent_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["case"],
                condition=Q(withdrawn_at__isnull=True, concluded_at__isnull=True),
                name="case_has_one_standing_notice",
            ),
            models.CheckConstraint(condition=~Q(codes=[]), name="notice_names_a_code"),
            models.CheckConstraint(
                condition=Q(is_order=False, answer_due_at__gt=F("sent_at"))
                | Q(
                    is_order=True,
                    answer_due_at=F("sent_at"),
                    ran_out_at__isnull=False,
                    ran_out_at=F("sent_at"),
                    hearing_asked_at__isnull=True,
                ),
                name="notice_gives_time_to_answer_but_of_an_order",
            ),
            models.CheckConstraint(
                condition=Q(hearing_over_at__isnull=True)
                | Q(hearing_asked_at__isnull=False, hearing_over_at__gte=F("hearing_asked_at")),
                name="hearing_is_over_after_it_was_asked_for",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["answer_due_at"],
                condition=Q(
                    answered_at__isnull=True,
                    ran_out_at__isnull=True,
                    withdrawn_at__isnull=True,
                    concluded_at__isnull=True,
                ),
                name="notices_unanswered",
            ),
            models.Index(
                fields=["decide_by"],
                condition=Q(decide_by__isnull=False, withdrawn_at__isnull=True, concluded_at__isnull=True),
                name="notices_undecided",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"notice:{self.pk}"

    @property
    def shown_subject(self) -> str:
        """The same of the paper that the officer added to it: what shows it, or the certified copy of an order."""
        return f"shown:{self.pk}"

    @property
    def hearing(self) -> HearingState:
        if self.hearing_asked_at is None:
            return HearingState.NONE
        return HearingState.ASKED if self.hearing_over_at is None else HearingState.OVER

    @property
    def may_answer(self) -> bool:
        """Until a second officer decides, a late answer is better than none; the first one counts."""
        return self.is_standing and self.answered_at is None

    @property
    def is_standing(self) -> bool:
        return self.withdrawn_at is None and self.concluded_at is None

    @property
    def state(self) -> NoticeState:
        if not self.is_standing:
            return NoticeState.NONE
        return NoticeState.RUNNING if self.answered_at is None and self.ran_out_at is None else NoticeState.RIPE


class Decision(models.Model):
    """What was decided, by whom and by which rules. A grant that could not be entered is voided, never rewritten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="decisions")
    outcome = models.CharField(max_length=10, choices=_choices([Outcome.GRANTED, Outcome.REFUSED]))
    codes = models.JSONField(default=list)
    text = EncryptedTextField()
    decided_by = models.CharField(max_length=120)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    seconded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, null=True, blank=True, related_name="decision")
    rule_version = models.CharField(max_length=60)
    at = models.DateTimeField()
    appeal_until = models.DateTimeField(null=True, blank=True)
    entered_at = models.DateTimeField(null=True, blank=True)
    registration = models.ForeignKey(
        Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="decisions"
    )
    # A provisional grant: until when it stands, by which codes, and when what was awaited came.
    provisional_until = models.DateTimeField(null=True, blank=True)
    provisional_codes = models.JSONField(default=list)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_why = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(voided_at__isnull=True), name="case_has_one_decision_that_stands"
            ),
            models.CheckConstraint(
                condition=Q(provisional_until__isnull=True, provisional_codes=[], confirmed_at__isnull=True)
                | (Q(outcome=Outcome.GRANTED.value, provisional_until__gt=F("at")) & ~Q(provisional_codes=[])),
                name="provisional_grant_names_code_and_end",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.GRANTED.value) | ~Q(decided_by__startswith="rule:"),
                name="rule_never_refuses",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.GRANTED.value)
                | (
                    Q(
                        outcome=Outcome.REFUSED.value,
                        notice__isnull=False,
                        proposed_by__isnull=False,
                        seconded_by__isnull=False,
                        appeal_until__isnull=False,
                    )
                    & ~Q(proposed_by=F("seconded_by"))
                    & ~Q(codes=[])
                ),
                name="refusal_has_notice_codes_and_second_officer",
            ),
            models.CheckConstraint(
                condition=Q(entered_at__isnull=True, registration__isnull=True)
                | Q(outcome=Outcome.GRANTED.value, entered_at__isnull=False, registration__isnull=False),
                name="only_a_grant_is_entered",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["at"],
                condition=Q(outcome=Outcome.GRANTED.value, entered_at__isnull=True, voided_at__isnull=True),
                name="grants_not_entered",
            ),
            models.Index(
                fields=["provisional_until"],
                condition=Q(provisional_until__isnull=False, confirmed_at__isnull=True, voided_at__isnull=True),
                name="grants_provisional",
            ),
        ]

    def __str__(self) -> str:
        return f"decision:{self.pk}"

    @property
    def is_provisional(self) -> bool:
        return self.provisional_until is not None and self.confirmed_at is None


class Recusal(models.Model):
    """An officer has no part in a case any more: they said so, or the applicant asked for another one. Never
    rewritten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="recusals")
    officer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # Who asked for it, as the journal names them.
    asked_by = models.CharField(max_length=120)
    why = EncryptedTextField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["case", "officer"], name="officer_is_recused_once_from_a_case"),
        ]

    def __str__(self) -> str:
        return f"recusal:{self.pk}"

    @property
    def is_asked_for(self) -> bool:
        """Whether it was the applicant who asked."""
        return not self.asked_by.startswith(("officer:", "supervisor:", "appeal:"))


class Hearing(models.Model):
    """A day on which somebody is heard before something is decided against them, and what was said. One that is moved
    is closed and another one set. Never rewritten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # About what, as it is known elsewhere: `notice:<uuid>`, `appeal:<uuid>`.
    matter = models.CharField(max_length=60)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="hearings")
    starts_at = models.DateTimeField()
    # A room, or the address of a page.
    place = EncryptedTextField()
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=12, blank=True, choices=_choices(HearingOutcome))
    # Who was there, and what was said; of one that was moved, why.
    attended = EncryptedTextField()
    minutes = EncryptedTextField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar[list[str]] = ["set_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["matter"], condition=Q(closed_at__isnull=True), name="matter_has_one_hearing_to_come"
            ),
            models.UniqueConstraint(
                fields=["matter"], condition=Q(outcome__in=HELD_OR_NOT), name="matter_is_heard_once"
            ),
            models.CheckConstraint(
                condition=Q(matter__startswith="notice:") | Q(matter__startswith="appeal:"),
                name="hearing_is_about_a_notice_or_an_appeal",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True, outcome="")
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(outcome="")),
                name="hearing_is_closed_with_an_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=HELD_OR_NOT) | Q(closed_at__gte=F("starts_at")),
                name="hearing_is_over_after_it_began",
            ),
            models.CheckConstraint(condition=Q(starts_at__gt=F("set_at")), name="hearing_is_set_ahead"),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["matter"], name="hearings_of_matter")]

    def __str__(self) -> str:
        return f"hearing:{self.pk}"


class Revocation(models.Model):
    """A registration was suspended or struck out, against its holder's will; and perhaps restored, or its suspension
    ended by itself. Never rewritten."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="revocations")
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="revocations")
    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="revocations")
    # Nothing is decided yet: a suspension for some hours, before its holder is heard. A policy knows one ground for it,
    # what an officer found, so there is one of a registration.
    before_hearing = models.BooleanField(default=False)
    # suspension | striking_out, as the policy calls the kind of its code
    kind = models.CharField(max_length=20)
    codes = models.JSONField()
    text = EncryptedTextField()
    decided_by = models.CharField(max_length=120)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seconded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    rule_version = models.CharField(max_length=60)
    at = models.DateTimeField()
    appeal_until = models.DateTimeField()
    restored_at = models.DateTimeField(null=True, blank=True)
    restored_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    restored_why = EncryptedTextField()
    # Of a suspension: when it ends by itself, and when and by whom it did without an officer (clock | rule:). What was
    # before a hearing ends with what is decided, too.
    ends_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(kind="striking_out", ends_at__isnull=True)
                | Q(
                    kind="suspension",
                    ends_at__isnull=False,
                    ends_at__gt=F("at"),
                    ends_at__lte=F("at") + LONGEST_SUSPENSION,
                ),
                name="suspension_names_its_end",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by="")
                | (Q(kind="suspension", ended_at__isnull=False) & Q(ended_by__startswith="rule:"))
                | Q(kind="suspension", ended_by="clock", ended_at__isnull=False, ended_at__gte=F("ends_at"))
                | (Q(before_hearing=True, ended_at__isnull=False) & ~Q(ended_by="")),
                name="suspension_is_ended_by_the_clock_or_a_rule",
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=F("seconded_by")) & ~Q(codes=[]) & Q(kind__in=["suspension", "striking_out"]),
                name="revocation_has_code_and_second_officer",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__startswith="officer:")
                | Q(decided_by__startswith="supervisor:")
                | Q(decided_by__startswith="reviewer:"),
                name="rule_never_revokes",
            ),
            models.CheckConstraint(
                condition=Q(before_hearing=False) | Q(kind="suspension", ends_at__lte=F("at") + LONGEST_BEFORE_HEARING),
                name="suspension_before_a_hearing_is_short",
            ),
            models.UniqueConstraint(
                fields=["notice"], condition=Q(before_hearing=False), name="notice_leads_to_one_revocation"
            ),
            models.UniqueConstraint(
                fields=["registration"], condition=Q(before_hearing=True), name="suspended_before_a_hearing_once"
            ),
        ]

    def __str__(self) -> str:
        return f"revocation:{self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether it was restored, by an officer, the clock or a rule."""
        return self.restored_at is not None or self.ended_at is not None


# Django finds the models of a room here.
from . import note_models as note_models  # noqa: E402
from . import reviewer_models as reviewer_models  # noqa: E402
