"""Drafts of rules, what is said of them, and what is answered.

Invariants, each also held by the database: a version is never rewritten, and numbers have no gap; a comment, once its
sender has proved the address, is never rewritten or deleted, only hidden, with a reason, or counted with what is nearly
the same; a draft is adopted by a second person, after its time for comment, with an answer to each comment; when a
draft has ended no address of email is left. Officers and bodies are names in text: no table here leads to a person of
the register.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from rahdari.policy import Text
from rahdari.vault.fields import BlindIndexField, EncryptedTextField

from . import document
from .anchors import Fate, Quote
from .rules import Hidden, Outcome, State
from .rules import state as state_of


def both(text: dict[str, str]) -> Text:
    return Text(text["en"], text["ur"])


class Draft(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True)  # DR-2026-01
    key = models.CharField(max_length=60, unique=True)
    opened_at = models.DateTimeField()
    # A further version may move it, only ever to later.
    closes_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=60, blank=True)
    proposed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=10, choices=[(e, e) for e in (State.ADOPTED, State.WITHDRAWN)], blank=True)
    ended_by = models.CharField(max_length=60, blank=True)
    # Why it was withdrawn, in both languages.
    why = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-opened_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(closes_at__gt=F("opened_at")), name="draft_is_open_first"),
            models.CheckConstraint(
                condition=Q(ending="", ended_at__isnull=True, ended_by="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="") & ~Q(ending="")),
                name="draft_is_ended_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(ending=State.ADOPTED)
                | (~Q(proposed_by="") & ~Q(ended_by=F("proposed_by")) & Q(ended_at__gte=F("closes_at"))),
                name="draft_is_adopted_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(ending=State.WITHDRAWN) | Q(why__isnull=False), name="draft_is_withdrawn_for_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"draft:{self.reference}"

    @cached_property
    def said(self) -> int:
        """How many comments there are. A group of those that are the same, or nearly, counts once."""
        return self.comments.filter(proved_at__isnull=False, part_of__isnull=True, like__isnull=True).count()

    @cached_property
    def speaking(self) -> int:
        """How many addresses they come from."""
        return self.speakers.count()

    def state(self, now: dt.datetime) -> State:
        return state_of(closes_at=self.closes_at, ending=self.ending, now=now)


class Version(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    text = models.JSONField()
    digest = models.CharField(max_length=64)
    # The policy file that it would become: whole, and as `policy check` names it.
    policy_text = models.TextField()
    policy_version = models.CharField(max_length=200)
    policy_digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=60)
    # What it would have changed of past cases, as numbers (`rules.protected`), and when that was asked.
    replayed = models.JSONField(null=True, blank=True)
    replayed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["draft_id", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draft", "number"], name="version_has_its_number"),
        ]

    def __str__(self) -> str:
        return f"{self.draft.reference}/{self.number}"

    @cached_property
    def document(self) -> document.Document:
        return document.thawed(self.text)


class Hearing(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="hearings")
    held_at = models.DateTimeField()
    place = models.JSONField()
    announced_at = models.DateTimeField()
    minutes = models.JSONField(null=True, blank=True)
    minutes_at = models.DateTimeField(null=True, blank=True)
    # It is not held, and why, in both languages. It stays on the pages.
    called_off_at = models.DateTimeField(null=True, blank=True)
    called_off_why = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["held_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(called_off_at__isnull=True, called_off_why__isnull=True)
                | Q(called_off_at__isnull=False, called_off_why__isnull=False, called_off_at__lt=F("held_at")),
                name="hearing_is_called_off_before_it_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(called_off_at__isnull=True) | Q(minutes__isnull=True, minutes_at__isnull=True),
                name="hearing_that_was_held_has_minutes",
            ),
        ]

    def __str__(self) -> str:
        return f"hearing:{self.pk}"

    @property
    def place_text(self) -> Text:
        return both(self.place)

    @property
    def minutes_text(self) -> Text | None:
        return both(self.minutes) if self.minutes else None

    @property
    def called_off_text(self) -> Text | None:
        return both(self.called_off_why) if self.called_off_why else None


class Speaker(models.Model):
    """Whoever has proved an address of email for this draft. Emptied when the draft ends: then it only counts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="speakers")
    email = EncryptedTextField()
    email_index = BlindIndexField(of="email", purpose="consult.speaker", folded=True)
    language = models.CharField(max_length=2)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["draft", "email_index"], condition=~Q(email_index=""), name="speaker_is_known_once"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["draft", "id"], condition=~Q(email_index=""), name="speakers_with_an_address"),
        ]

    def __str__(self) -> str:
        return f"speaker:{self.pk}"


class Body(models.Model):
    """A ministry, board or association that the office asked to speak as such: by a letter to an address at the domain
    that it publishes as its own. Whoever answers by that letter speaks for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.JSONField()
    domain = models.CharField(max_length=253)
    invited_at = models.DateTimeField()
    invited_by = models.CharField(max_length=60)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["domain"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["domain"], condition=Q(ended_at__isnull=True), name="one_body_of_a_domain_speaks"
            ),
        ]

    def __str__(self) -> str:
        return f"body:{self.domain}"

    @property
    def name_text(self) -> Text:
        return both(self.name)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A change that an answer names and that is none: the clause reads in the latest version as in the one `before`, on
    which comments were written. `by` is the version that took it back; None: no later one has changed it."""

    answer: int
    clause: str
    before: int
    by: int | None


class Answer(models.Model):
    """What the office says to one comment or several that say the same. A later one may take the place of it."""

    # How many comments it answers, and how many signed them or sent nearly the same (`queries.answers`).
    of_comments: int
    signed: int
    # Where its change was taken back (`queries.answers`), and the earliest version that it answers.
    taken_back: Sequence["TakenBack"] = ()
    since: "Version"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveSmallIntegerField()
    point = models.JSONField()
    outcome = models.CharField(max_length=10, choices=[(each, each) for each in Outcome])
    text = models.JSONField()
    # What it changed: a clause of a version.
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    clause = models.CharField(max_length=20, blank=True)
    answered_at = models.DateTimeField()
    answered_by = models.CharField(max_length=60)

    class Meta:
        ordering: ClassVar[list[str]] = ["draft_id", "number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["draft", "number"], name="answer_has_its_number"),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.CHANGED, version__isnull=False) & ~Q(clause="")
                | (~Q(outcome=Outcome.CHANGED) & Q(version__isnull=True, clause="")),
                name="answer_says_what_changed",
            ),
        ]

    def __str__(self) -> str:
        return f"answer:{self.pk}"

    @property
    def point_text(self) -> Text:
        return both(self.point)

    @property
    def said(self) -> Text:
        return both(self.text)


class Comment(models.Model):
    # How many signed it, and how many more are nearly the same, where they were counted (`queries.with_counts`).
    signed: int
    alike: int
    # Its answer says that a passage changed, and that was taken back (`queries.with_taken_back`).
    taken_back: "TakenBack | None" = None
    # Since which version it is attached to nothing (`queries.with_counts`).
    loose_since: int | None = None
    # Of the form that was filled in: sent twice it is kept once.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    draft = models.ForeignKey(Draft, on_delete=models.PROTECT, related_name="comments")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="comments")
    # Counted when it is proved: nobody sees it before.
    number = models.PositiveIntegerField(null=True, blank=True)
    # What it is about: words of a clause, a clause, or, without one, the whole draft.
    clause = models.CharField(max_length=20, blank=True)
    language = models.CharField(max_length=2)
    exact = models.TextField(blank=True)
    prefix = models.CharField(max_length=40, blank=True)
    suffix = models.CharField(max_length=40, blank=True)
    words = models.TextField()
    # As somebody wants to be called. Empty: without a name.
    name = models.CharField(max_length=60, blank=True)
    # Of a body that spoke as such. None: a person, or whoever.
    body = models.ForeignKey(Body, on_delete=models.PROTECT, null=True, blank=True, related_name="comments")
    sent_at = models.DateTimeField()
    proved_at = models.DateTimeField(null=True, blank=True)
    speaker = models.ForeignKey(Speaker, on_delete=models.PROTECT, null=True, blank=True, related_name="comments")
    # Until the address is proved: where the code went, and its keyed hash.
    email = EncryptedTextField()
    code = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # The first that says the same of the same: this one signs it.
    sameness = models.CharField(max_length=64)
    part_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, db_index=False, related_name="signatures"
    )
    # Of one that others sign: up to which number they were told what last became of it. None: nobody is to be told.
    signers_told = models.PositiveIntegerField(null=True, blank=True)
    # The head of its group, which says nearly the same (`likeness`); what signs this one is in that group, too.
    like = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="members")
    # An officer took it out of a group: it stands by itself.
    apart_at = models.DateTimeField(null=True, blank=True)
    apart_by = models.CharField(max_length=60, blank=True)
    answer = models.ForeignKey(Answer, on_delete=models.PROTECT, null=True, blank=True, related_name="comments")
    # Its author was told of that answer.
    answer_told_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden = models.CharField(max_length=15, choices=[(each, each) for each in Hidden], blank=True)
    hidden_by = models.CharField(max_length=60, blank=True)
    # Why it was hidden, of one that a second officer had shown again; when and by whom stays where it is.
    was_hidden = models.CharField(max_length=15, choices=[(each, each) for each in Hidden], blank=True)
    # Its author disputes that, and another officer has looked at it.
    appealed_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["draft_id", "number", "sent_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["draft", "number"], condition=Q(number__isnull=False), name="comment_has_its_number"
            ),
            models.UniqueConstraint(
                fields=["draft", "clause", "sameness"],
                condition=Q(number__isnull=False, part_of__isnull=True, body__isnull=True),
                name="the_same_is_said_once",
            ),
            models.CheckConstraint(
                condition=Q(proved_at__isnull=True, number__isnull=True, speaker__isnull=True)
                | Q(proved_at__isnull=False, number__isnull=False, speaker__isnull=False, code=""),
                name="comment_is_proved_by_an_address",
            ),
            models.CheckConstraint(
                condition=Q(hidden="", was_hidden="", hidden_at__isnull=True, hidden_by="")
                | (
                    (~Q(hidden="") & Q(was_hidden="") | Q(hidden="", reviewed_at__isnull=False) & ~Q(was_hidden=""))
                    & ~Q(hidden_by="")
                    & Q(hidden_at__isnull=False)
                ),
                name="comment_is_hidden_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by="") | ~Q(reviewed_by=F("hidden_by")), name="comment_is_reviewed_by_another"
            ),
            models.CheckConstraint(
                condition=Q(part_of__isnull=True) | Q(hidden=""), name="comment_is_hidden_with_all_who_signed_it"
            ),
            models.CheckConstraint(
                condition=Q(like__isnull=True) | Q(body__isnull=True, proved_at__isnull=False) & ~Q(like=F("id")),
                name="comment_is_like_another",
            ),
            models.CheckConstraint(
                condition=Q(apart_at__isnull=True, apart_by="") | Q(apart_at__isnull=False) & ~Q(apart_by=""),
                name="comment_is_set_apart_by_somebody",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["sent_at"], condition=Q(proved_at__isnull=True), name="comments_not_proved"),
            models.Index(
                fields=["draft", "number"],
                condition=Q(proved_at__isnull=False, part_of__isnull=True),
                name="comments_of_draft",
            ),
            models.Index(
                fields=["draft"],
                condition=Q(proved_at__isnull=False, part_of__isnull=True, answer__isnull=True, hidden=""),
                name="comments_to_answer",
            ),
            models.Index(
                fields=["id"],
                condition=Q(answer__isnull=False, answer_told_at__isnull=True),
                name="answers_to_tell",
            ),
            models.Index(
                fields=["draft", "number"],
                condition=Q(hidden_at__isnull=False) | Q(reviewed_at__isnull=False) | Q(apart_at__isnull=False),
                name="comments_moderated",
            ),
            models.Index(fields=["part_of", "number"], condition=Q(part_of__isnull=False), name="signatures_of"),
            models.Index(fields=["id"], condition=Q(signers_told__isnull=False), name="signers_to_tell"),
        ]

    def __str__(self) -> str:
        return f"comment:{self.pk}"

    @property
    def who(self) -> str:
        """As it is called in addresses and files; pages say it in words."""
        return f"{self.draft.reference}/{self.number}"

    @property
    def claimed(self) -> "NameClaim | None":
        """None: nobody has said that the name is theirs."""
        return getattr(self, "claim", None)

    @property
    def said_in(self) -> "Comment":
        """The comment that stands for it: the first that says the same, or itself."""
        return self.part_of or self

    @property
    def is_hidden(self) -> bool:
        """Whether its words, and the name above them, are shown to nobody: hidden is a comment with all who signed it.
        The one answer that pages, feeds and files go by."""
        return bool(self.said_in.hidden)

    @property
    def shown_words(self) -> str:
        return "" if self.is_hidden else self.words

    @property
    def shown_exact(self) -> str:
        return "" if self.is_hidden else self.exact

    @property
    def is_withheld(self) -> bool:
        """Its name is away: until an officer has looked at a claim, or for good."""
        return self.claimed is not None and self.claimed.is_away

    @property
    def hidden_for(self) -> str:
        """Why it is hidden, or was until it was shown again."""
        return self.hidden or self.was_hidden

    @property
    def is_named(self) -> bool:
        """Whether a name stands above it that somebody chose. A body's is not chosen."""
        return bool(self.shown_name) and self.body_id is None and self.number is not None

    @property
    def shown_name(self) -> str:
        return "" if self.is_withheld or self.is_hidden else self.name

    @property
    def can_be_told(self) -> bool:
        """Whether there is an address to write to. None is left when its draft has ended."""
        return self.speaker is not None and bool(self.speaker.email)

    @property
    def quote(self) -> Quote | None:
        """None for one on the whole draft, or on a clause as such."""
        return Quote(self.clause, self.exact, self.prefix, self.suffix) if self.exact else None


class NameClaim(models.Model):
    """Somebody says that the name of a comment is theirs, and that they did not write it. Who that is, nobody asked."""

    class Outcome(models.TextChoices):
        ERASED = "erased", "erased"
        SHOWN = "shown", "shown"

    comment = models.OneToOneField(Comment, on_delete=models.PROTECT, related_name="claim")
    claimed_at = models.DateTimeField()
    due_at = models.DateTimeField()
    # Its author was asked, who answers until `due_at`. None: there was no address to ask.
    asked_at = models.DateTimeField(null=True, blank=True)
    # The author of the comment says that the name is theirs.
    contested_at = models.DateTimeField(null=True, blank=True)
    # Its author, who was asked, said nothing: the name is away from then on, until an officer decides.
    away_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=6, choices=Outcome.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["claimed_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(outcome="", decided_at__isnull=True, decided_by="")
                | (~Q(outcome="") & ~Q(decided_by="") & Q(decided_at__isnull=False)),
                name="claim_is_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(away_at__isnull=True)
                | Q(asked_at__isnull=False, away_at__gte=F("due_at"))
                & (Q(contested_at__isnull=True) | Q(contested_at__gte=F("away_at"))),
                name="name_goes_when_its_author_said_nothing",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["due_at"], condition=Q(outcome=""), name="claims_to_decide"),
        ]

    def __str__(self) -> str:
        return f"claim:{self.pk}"

    @property
    def is_away(self) -> bool:
        """Whether the name stands above the comment no more: for good, or until an officer decides."""
        return self.outcome == self.Outcome.ERASED or (not self.outcome and self.away_at is not None)


class Mark(models.Model):
    """By which a comment is found that is nearly the same (`likeness.marks`): of those alone that head a group, or
    could. So a flood of a million like one adds nothing to look through."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="marks")
    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="+")
    clause = models.CharField(max_length=20, blank=True)
    value = models.BigIntegerField()

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["draft", "clause", "value", "id"], name="marks_of_draft"),
        ]

    def __str__(self) -> str:
        return f"mark:{self.pk}"


class Anchor(models.Model):
    """What became of a comment's words in a later version. Never rewritten."""

    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, related_name="anchors")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="anchors")
    fate = models.CharField(max_length=10, choices=[(each, each) for each in Fate])
    clause = models.CharField(max_length=20, blank=True)
    prefix = models.CharField(max_length=40, blank=True)
    suffix = models.CharField(max_length=40, blank=True)
    # Its author was told of it.
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["id"], condition=Q(told_at__isnull=True), name="anchors_to_tell"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["comment", "version"], name="comment_has_one_place_in_a_version"),
        ]

    def __str__(self) -> str:
        return f"anchor:{self.pk}"


def frozen(text: Text) -> dict[str, Any]:
    return {"en": text.en, "ur": text.ur}
