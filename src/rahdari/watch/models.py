"""Who agreed to be measured, what was seen, and what it came to.

Invariants, held by the database too: an endpoint is measured by one consent at a time; a person's at most hourly; a
place's last sight of an endpoint is one row; facts have one conclusion by each version of the rules. Subjects and
holders are opaque: whose they are is not known here.
"""

import datetime as dt
import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from rahdari.vault.fields import EncryptedTextField

# Nobody is looked at more often, and a person's endpoint not more often than that.
LEAST_EVERY = dt.timedelta(minutes=5)
PERSONS_EVERY = dt.timedelta(hours=1)


class Consent(models.Model):
    """The word of whoever proved an endpoint that it may be measured: how often, and from where.

    `asks` is what a look asks for, as JSON: the address and the claim of a probe. It goes with the consent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    feed_id = models.CharField(max_length=32)
    holder = models.UUIDField()
    personal = models.BooleanField()
    every = models.DurationField()
    outside = models.BooleanField(default=True)
    inside = models.BooleanField(default=True)
    agent = models.BooleanField(default=False)
    asks = EncryptedTextField()
    given_at = models.DateTimeField()
    given_by = models.CharField(max_length=120)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    # When its holder asked for one look more (`asking`), and when that was made.
    asked_at = models.DateTimeField(null=True, blank=True)
    looked_for_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["given_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["feed_id"], condition=Q(withdrawn_at__isnull=True), name="one_consent_an_endpoint"
            ),
            models.CheckConstraint(
                condition=Q(every__gte=LEAST_EVERY, personal=False) | Q(every__gte=PERSONS_EVERY),
                name="persons_are_measured_hourly_at_most",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["feed_id"], name="consents_of_an_endpoint"),
            models.Index(
                fields=["asked_at"],
                name="looks_asked_for",
                condition=Q(asked_at__isnull=False, looked_for_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"entry:{self.feed_id}"


class Spell(models.Model):
    """A place saw the same of an endpoint from `began_at` on; the one that goes on is open. Without a consent: of our
    own control endpoint. `sketch` is how long it took (`Sketch`): of a person it stands in the open one alone."""

    id = models.BigAutoField(primary_key=True)
    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, null=True, related_name="spells")
    place = models.CharField(max_length=60)
    network = models.CharField(max_length=16)
    side = models.CharField(max_length=8)
    # Of `probe.Outcome`; empty: the place said nothing usable.
    outcome = models.CharField(max_length=12, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    sketch = ArrayField(models.PositiveIntegerField(), default=list, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["began_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["consent", "place"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="a_place_sees_one_thing",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["ended_at"], name="spells_to_erase", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.outcome or 'absent'}"


class SeenFacts(models.Model):
    """The facts of a minute in which something became other (`facts.Facts.as_data`). Added, never changed."""

    id = models.BigAutoField(primary_key=True)
    consent = models.ForeignKey(Consent, on_delete=models.CASCADE, related_name="seen")
    at = models.DateTimeField()
    facts = models.JSONField()

    class Meta:
        ordering: ClassVar[list[str]] = ["at", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["consent", "-at"], name="facts_of_an_endpoint"),
            models.Index(fields=["at"], name="facts_by_time"),
        ]

    def __str__(self) -> str:
        return f"facts:{self.pk}"


class Conclusion(models.Model):
    """What facts came to by one version of the rules. It holds until the next facts of the same consent."""

    id = models.BigAutoField(primary_key=True)
    seen = models.ForeignKey(SeenFacts, on_delete=models.CASCADE, related_name="conclusions")
    version = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16)
    rule = models.CharField(max_length=20)
    # `verdicts.Verdict.as_data`
    verdict = models.JSONField()

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["seen", "version"], name="one_conclusion_a_version"),
        ]

    def __str__(self) -> str:
        return f"{self.state} ({self.rule}, version {self.version})"


class Report(models.Model):
    """What the holder's agent said last: of the way out of their network, and of its own endpoint."""

    consent = models.OneToOneField(Consent, on_delete=models.CASCADE, primary_key=True, related_name="report")
    at = models.DateTimeField()
    received_at = models.DateTimeField(db_index=True)
    outcome = models.CharField(max_length=12)
    control = models.CharField(max_length=12)
    latency_ms = models.PositiveIntegerField()
    sent = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"report:{self.pk}"


class Measured(models.Model):
    """A time in which we measured. One that `failed`: no place reached our own control, so that nothing was said."""

    id = models.BigAutoField(primary_key=True)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField(db_index=True)
    failed = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar[list[str]] = ["began_at", "id"]

    def __str__(self) -> str:
        return f"measured:{self.pk}"


class Day(models.Model):
    """How the endpoints of a group stood on a day, as it is published (`daily`). Without `reached`, in thousandths of
    the time, they were too few; 1000 is a day in order."""

    id = models.BigAutoField(primary_key=True)
    date = models.DateField()
    # Of `daily.count`; empty: all.
    group = models.CharField(max_length=60, blank=True)
    endpoints = models.PositiveIntegerField(default=0)
    reached = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["date", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["date", "group"], name="a_day_is_counted_once"),
            models.CheckConstraint(
                condition=Q(reached__isnull=True, endpoints=0) | Q(reached__lte=1000), name="few_endpoints_say_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.group}"

    @property
    def percent(self) -> float | None:
        return None if self.reached is None else self.reached / 10


class Comparison(models.Model):
    """What a body outside published with the kit that compares, as it was published. A correction is one of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    body = models.CharField(max_length=120)
    url = models.CharField(max_length=500)
    rules_version = models.PositiveIntegerField()
    content = models.TextField()
    sha256 = models.CharField(max_length=64, unique=True)
    # The rows of `content`: week, protocol, finding, and its numbers.
    findings = models.JSONField()
    corrects = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="correction")
    taken_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["-taken_at", "-id"]

    def __str__(self) -> str:
        return f"comparison:{self.pk}"
