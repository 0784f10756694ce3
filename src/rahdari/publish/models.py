"""Editions of the feed, the operators who follow it, and their receipts.

Invariants, held by the database too: sequences have no gaps and go on through sessions; an edition, once cut, is never
changed (what is filled in later is filled in once: its snapshot's hash, and when it was published); each change of the
register goes into exactly one edition; an edition has at most one delta, whose bytes are kept here until its file is
erased, so that there can be no second one; receipts are only added.
"""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from rahdari.proof.digest import STATE_BYTES
from rahdari.register.models import Change

from .rules import ReceiptStanding


def empty_state() -> bytes:
    return bytes(STATE_BYTES)


class Session(models.Model):
    """A run of editions that agents follow by deltas. `state` is the digest's state after the last edition."""

    id = models.CharField(primary_key=True, max_length=32)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    sequence = models.BigIntegerField()
    entries = models.BigIntegerField(default=0)
    state = models.BinaryField(default=empty_state)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.ExpressionWrapper(Q(closed_at__isnull=True), output_field=models.BooleanField()),
                condition=Q(closed_at__isnull=True),
                name="one_session_is_open",
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Edition(models.Model):
    """One step of the feed. The opening edition of a session has a snapshot and no delta, every other has a delta."""

    sequence = models.BigIntegerField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="editions")
    cut_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    digest_before = models.CharField(max_length=64)
    digest_after = models.CharField(max_length=64)
    entries = models.BigIntegerField()
    changes = models.PositiveIntegerField()
    delta_path = models.CharField(max_length=160, blank=True)
    delta_sha256 = models.CharField(max_length=64, blank=True)
    delta_length = models.BigIntegerField(default=0)
    delta = models.BinaryField(default=bytes)
    snapshot_path = models.CharField(max_length=160, blank=True)
    snapshot_sha256 = models.CharField(max_length=64, blank=True)
    snapshot_length = models.BigIntegerField(default=0)
    # When its files were erased, a day after the metadata stopped naming them; `delta` is emptied with them.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["sequence"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(delta_path="") | ~Q(snapshot_path=""), name="an_edition_has_a_delta_or_a_snapshot"
            ),
        ]
        indexes = [
            models.Index(fields=["sequence"], name="editions_to_publish", condition=Q(published_at__isnull=True)),
            models.Index(fields=["sequence"], name="editions_with_snapshot", condition=~Q(snapshot_path="")),
            models.Index(fields=["sequence"], name="editions_with_files", condition=Q(erased_at__isnull=True)),
            models.Index(fields=["published_at"], name="editions_by_time"),
        ]

    def __str__(self) -> str:
        return f"edition {self.sequence}"


class EditionChange(models.Model):
    """That a change of the register is in an edition, and at which place of it."""

    change = models.OneToOneField(Change, primary_key=True, on_delete=models.PROTECT, related_name="published_in")
    edition = models.ForeignKey(Edition, on_delete=models.PROTECT, related_name="edition_changes")
    position = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edition", "position"], name="one_change_at_a_place")]

    def __str__(self) -> str:
        return f"{self.change_id} in {self.edition_id}"


class WaitingChange(models.Model):
    """A committed change that no edition has yet.

    Written by a trigger on the register's changes, in the transaction of the change; taken out by the transaction that
    cuts the edition. To find what waits therefore costs the same however long the register's history is.
    """

    change = models.OneToOneField(Change, primary_key=True, on_delete=models.PROTECT, related_name="waiting")

    def __str__(self) -> str:
        return str(self.change_id)


class MetadataVersion(models.Model):
    """The highest version of a role that was ever signed, kept apart from the files: agents refuse a lower one."""

    role = models.CharField(primary_key=True, max_length=40)
    version = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.role} {self.version}"


class Operator(models.Model):
    """A network that follows the feed. The token is kept as its SHA-256 only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name_en = models.CharField(max_length=120)
    name_ur = models.CharField(max_length=120, blank=True)
    asns = ArrayField(models.BigIntegerField(), default=list)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug

    @property
    def name(self) -> str:
        """In the language of the page."""
        return self.name_ur if self.name_ur and (get_language() or "").startswith("ur") else self.name_en


class Receipt(models.Model):
    """An operator's word that an edition is in force. `standing` is our answer to it."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="receipts")
    session = models.CharField(max_length=32)
    sequence = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    applied_at = models.DateTimeField()
    received_at = models.DateTimeField()
    targets = models.JSONField(default=list)
    standing = models.CharField(max_length=12, choices=[(value, value) for value in ReceiptStanding])
    body_sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "body_sha256"], name="the_same_receipt_once"),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="receipts_of_an_operator"),
            models.Index(
                fields=["operator", "sequence", "id"],
                name="good_receipts_by_sequence",
                condition=Q(standing=ReceiptStanding.GOOD),
            ),
            models.Index(fields=["operator", "received_at"], name="receipts_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.operator_id} {self.sequence} {self.standing}"
