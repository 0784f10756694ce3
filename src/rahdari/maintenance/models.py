"""Announced work, what it affects, and what each consumer was told.

Invariants, each also held by the database: work moves as `rules.MOVES` says and never back; what was announced is not
deleted; once it runs its window stays, and the expected end is never before that of the window; a consumer's sequences
begin at 0 and go up by one, and none is rewritten; each consumer hears once of a version.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language

from rahdari.address import Part, Protocol
from rahdari.db.references import reference
from rahdari.inquiry.models import Inquiry
from rahdari.inquiry.rules import WAITING
from rahdari.publish.models import Operator
from rahdari.register.models import BlockField, Registration
from rahdari.vault.fields import EncryptedTextField

from .rules import (
    LETTERS_A_DAY,
    OPEN,
    STAYS,
    Component,
    Impact,
    Reason,
    State,
    Status,
    Stays,
    Words,
    status_of,
    wording_key,
    words_of,
    worst,
)

LEADS_AWAY = r"://|www\.|\S@\S"


def make_reference() -> str:
    return reference("PW")


class Wording(models.Model):
    """What an operator writes to holders, for an officer to read: once, however often it is written again. `key` is of
    its words (`rules.wording_key`), so that another figure in them is the same wording."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    # As it was written first.
    text_en = models.CharField(max_length=500, blank=True)
    text_ur = models.CharField(max_length=500, blank=True)
    written_at = models.DateTimeField()
    # None until an officer has read it.
    is_shown = models.BooleanField(null=True)
    read_at = models.DateTimeField(null=True, blank=True)
    read_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["written_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["operator", "key"], name="a_wording_of_an_operator_once"),
            models.CheckConstraint(
                condition=Q(is_shown__isnull=True, read_at__isnull=True, read_by="")
                | Q(is_shown__isnull=False, read_at__isnull=False, read_by__gt=""),
                name="somebody_has_read_what_is_shown",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["written_at", "id"], condition=Q(is_shown__isnull=True), name="wordings_to_read"),
        ]

    def __str__(self) -> str:
        return f"wording:{self.pk}"


class Work(models.Model):
    """Work of an operator on its networks; without one, of the regulator.

    `version` counts what was said of it, from 0; a draft has none. `told_at` is when what holds now was first said: the
    notice that a holder has is counted from it. `expected_end_at` moves while it runs, `ends_at` does not.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True, default=make_reference)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    # What the operator's own program calls it (X-MAINTNOTE-MAINTENANCE-ID), and the last SEQUENCE that was read of it.
    own_id = models.CharField(max_length=120, blank=True)
    own_sequence = models.IntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=[(each, each) for each in State], default=State.DRAFT)
    is_tentative = models.BooleanField(default=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    expected_end_at = models.DateTimeField(null=True, blank=True)
    # How long an address is without an answer at most, where that is shorter than the window.
    minutes = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=10, choices=[(each, each) for each in Reason])
    text_en = models.CharField(max_length=500, blank=True)
    text_ur = models.CharField(max_length=500, blank=True)
    # Of an operator's: what an officer reads before holders do.
    wording = models.ForeignKey(Wording, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField()
    version = models.IntegerField(null=True, blank=True)
    announced_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # When what each consumer is to be told was last worked out, and of which version.
    spread_at = models.DateTimeField(null=True, blank=True)
    spread_version = models.IntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["operator", "own_id"], condition=~Q(own_id=""), name="operators_own_number_once"
            ),
            models.CheckConstraint(
                condition=Q(state=State.DRAFT)
                | Q(starts_at__isnull=False, ends_at__isnull=False, version__isnull=False, told_at__isnull=False),
                name="work_is_announced_with_a_window",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True) | Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="work_ends_after_it_begins",
            ),
            # So that the notice that holders have is never less than nothing.
            models.CheckConstraint(
                condition=Q(told_at__isnull=True) | Q(starts_at__gt=F("told_at")), name="work_is_told_before_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(expected_end_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(expected_end_at__gte=F("ends_at")),
                name="work_takes_its_window_or_longer",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[State.COMPLETED, State.CANCELLED], ended_at__isnull=False)
                | Q(state__in=[State.DRAFT, *OPEN], ended_at__isnull=True),
                name="work_that_is_over_has_its_end",
            ),
            models.CheckConstraint(
                condition=Q(text_en__gt="") | Q(text_ur__gt="") | Q(state=State.DRAFT), name="work_says_why"
            ),
            # Of what `people.quoting` knows, the plainest: an operator's words are no way to a site of somebody's.
            models.CheckConstraint(
                condition=Q(operator__isnull=True) | ~(Q(text_en__iregex=LEADS_AWAY) | Q(text_ur__iregex=LEADS_AWAY)),
                name="an_operators_words_lead_nowhere",
            ),
            models.CheckConstraint(
                condition=Q(operator__isnull=True) | Q(state=State.DRAFT) | Q(wording__isnull=False),
                name="an_operators_words_are_read_first",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["operator", "-made_at"], name="works_of_an_operator"),
            models.Index(fields=["ends_at"], condition=Q(state__in=OPEN), name="works_open"),
            models.Index(
                fields=["starts_at", "ends_at"], condition=~Q(state=State.DRAFT), name="works_by_their_window"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def subject(self) -> str:
        return f"work:{self.pk}"

    @property
    def status(self) -> Status:
        return status_of(self.state, is_tentative=self.is_tentative)

    @property
    def text(self) -> str:
        """In the language of the page, or in the one that there is."""
        return in_one_language(self.text_en, self.text_ur)

    @property
    def words(self) -> Words:
        """Whether holders read the text, or would. Of a draft whose wording nobody has read: that it waits."""
        if self.operator_id is None:
            return Words.SHOWN
        return words_of(self.wording.is_shown if self.wording is not None else None)

    @property
    def components(self) -> list[Component]:
        return [each.component for each in self.affected.all()]

    @property
    def impact(self) -> Impact:
        return worst(each.impact for each in self.components)

    def is_overrun(self, now: dt.datetime) -> bool:
        """Past the end of its window, and nobody has said that it is over."""
        return self.state in OPEN and self.ends_at is not None and now >= self.ends_at


def in_one_language(english: str, urdu: str) -> str:
    return (urdu or english) if (get_language() or "").startswith("ur") else (english or urdu)


class DeletedDraft(models.Model):
    """The last SEQUENCE that was read of a maintenance id whose draft was deleted: what comes late makes none again."""

    id = models.BigAutoField(primary_key=True)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+", db_index=False)
    own_id = models.CharField(max_length=120)
    own_sequence = models.IntegerField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["operator", "own_id"], name="a_deleted_draft_is_known_once"),
        ]

    def __str__(self) -> str:
        return self.own_id


class Affected(models.Model):
    """A component of work: a prefix or one service at it, or an entry by its feed id, as it stood when it was named."""

    work = models.ForeignKey(Work, on_delete=models.CASCADE, related_name="affected")
    block = BlockField()
    protocol = models.CharField(max_length=8, default=Protocol.ANY)
    port = models.PositiveIntegerField(null=True, blank=True)
    feed_id = models.CharField(max_length=32, blank=True)
    impact = models.CharField(max_length=20, choices=[(each, each) for each in Impact])

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(port__isnull=True) | Q(port__range=(1, 65535), protocol__in=["udp", "tcp"]),
                name="component_has_a_port_of_its_protocol",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.block} {self.impact}"

    @property
    def component(self) -> Component:
        part = Part(Protocol(self.protocol), self.port)
        return Component(self.block, Impact(self.impact), part, self.feed_id)


class Notice(models.Model):
    """What one consumer was told of one version, with its own objects alone.

    A consumer is a holder; its account is the number of the registration that was first affected. `affected` are pairs:
    an address with what runs there (`203.0.113.41 udp 51820`), and the impact on it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="notices", db_index=False)
    holder = models.UUIDField()
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="+")
    version = models.IntegerField()
    sequence = models.IntegerField()
    status = models.CharField(max_length=12, choices=[(each, each) for each in Status])
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    minutes = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=10)
    text_en = models.CharField(max_length=500, blank=True)
    text_ur = models.CharField(max_length=500, blank=True)
    affected = models.JSONField()
    said_at = models.DateTimeField()
    # The letter is written, and programs are told.
    told_at = models.DateTimeField(null=True, blank=True)
    # Its own letter is one of those that this announcer has a day for this holder; else it waits for one with others.
    announcer = models.CharField(max_length=60, blank=True)
    letter_on = models.DateField(null=True, blank=True)
    letter_number = models.PositiveSmallIntegerField(null=True, blank=True)
    is_gathered = models.BooleanField(default=False)
    gathered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["said_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["holder", "announcer", "letter_on", "letter_number"], name="a_letter_of_a_day_once"
            ),
            models.CheckConstraint(
                condition=Q(letter_on__isnull=True, letter_number__isnull=True)
                | Q(letter_on__isnull=False, letter_number__range=(1, LETTERS_A_DAY), is_gathered=False),
                name="an_announcer_has_so_many_letters_a_day",
            ),
            models.CheckConstraint(
                condition=Q(gathered_at__isnull=True) | Q(is_gathered=True), name="what_was_gathered_waited_for_it"
            ),
            models.UniqueConstraint(fields=["work", "holder", "sequence"], name="a_sequence_of_a_consumer_once"),
            models.UniqueConstraint(fields=["work", "holder", "version"], name="a_consumer_hears_once_of_a_version"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["said_at", "id"], condition=Q(told_at__isnull=True), name="notices_to_tell"),
            models.Index(fields=["holder", "work", "-sequence"], name="notices_of_a_holder"),
            models.Index(
                fields=["registration", "-gathered_at"], condition=Q(is_gathered=True), name="notices_gathered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_id} {self.sequence}"

    @property
    def subject(self) -> str:
        return f"notice:{self.pk}"

    @property
    def account(self) -> str:
        return self.registration.reference

    @property
    def text(self) -> str:
        """What holders read; "" of an operator's words that no officer has let through."""
        return in_one_language(self.text_en, self.text_ur) if self.words is Words.SHOWN else ""

    @property
    def words(self) -> Words:
        wording = self.work.wording
        if self.work.operator_id is None:
            return Words.SHOWN
        # Between a change of the work and what is told of it the wording is that of the change.
        if wording is None or wording.key != wording_key(self.text_en, self.text_ur):
            return Words.WAIT
        return words_of(wording.is_shown)

    @property
    def status_word(self) -> Status:
        return Status(self.status)

    @property
    def impact(self) -> Impact:
        return worst(Impact(impact) for _what, impact in self.affected)

    @property
    def addresses(self) -> dict[str, Impact]:
        """The worst impact on each address, whatever runs there."""
        found: dict[str, Impact] = {}
        for what, impact in self.affected:
            address = what.partition(" ")[0]
            found[address] = worst([found.get(address, Impact.NO_IMPACT), Impact(impact)])
        return found


class AnotherNight(Inquiry):
    """A holder asks whoever announced work to move it, once for each notice: `subject` is the notice.

    `why` and `night` are theirs; `code` and `words` are why it stays. Who it was goes with what they were told.
    """

    work = models.ForeignKey(Work, on_delete=models.PROTECT, related_name="requests", db_index=False)
    holder = models.UUIDField(null=True, blank=True)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    asked_by = models.CharField(max_length=120, blank=True)
    why = EncryptedTextField()
    night = models.DateField(null=True, blank=True)
    code = models.CharField(max_length=12, blank=True, choices=[(each, each) for each in Stays])
    words = models.CharField(max_length=300, blank=True)

    class Meta(Inquiry.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Inquiry.Meta.constraints,
            models.UniqueConstraint(fields=["subject"], name="asked_once_for_a_notice"),
            models.UniqueConstraint(
                fields=["work", "holder"], condition=Q(state=WAITING), name="a_holder_waits_for_one_answer"
            ),
            models.CheckConstraint(condition=~Q(state=STAYS) | ~Q(code=""), name="it_stays_for_a_reason"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            *Inquiry.Meta.indexes,
            models.Index(fields=["work", "holder", "-asked_at"], name="requests_about_work"),
        ]

    def __str__(self) -> str:
        return f"maintenance:{self.pk}"


class CalendarFeed(models.Model):
    """A holder's calendar of announced work, at an address that nobody can guess. The address is derived, and not
    kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    holder = models.UUIDField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=120)
    language = models.CharField(max_length=2, default="en")
    ended_at = models.DateTimeField(null=True, blank=True)
    # How often, and on which day last: whoever made it sees whether somebody else reads it.
    reads = models.PositiveBigIntegerField(default=0)
    read_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["holder"], condition=Q(ended_at__isnull=True), name="a_holder_has_one_calendar"
            ),
        ]

    def __str__(self) -> str:
        return f"calendar:{self.pk}"
