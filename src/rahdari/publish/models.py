"""Streams of the feed, what each of them lists, and the operators who follow.

Invariants, held by the database too: a stream's sequences have no gaps within a session and go on through sessions; an
edition, once cut, is never changed but to note when it was published; what a stream lists of an entry is said once, and
then only ended; a file of a session has one content, whose bytes, while they are kept here, are what its hash says;
versions of metadata go up; receipts are only added.
"""

import secrets
import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from rahdari.feed import CredentialKind
from rahdari.feed.digest import STATE_BYTES
from rahdari.feed.repository import KINDS, kind_of
from rahdari.register.models import Change, Entry

from .rules import ReceiptStanding


def empty_state() -> bytes:
    return bytes(STATE_BYTES)


def random_name() -> str:
    return secrets.token_hex(16)


class Stream(models.Model):
    """What operators of equal rights get of one kind of entries: those of their networks, or all.

    It is filled from the register before it opens. It is `followed` while an operator has or is to have these rights:
    only then are there files of it. The streams of everything are there always.
    """

    role = models.CharField(max_length=20)
    everything = models.BooleanField(default=False)
    asns = ArrayField(models.BigIntegerField(), default=list, blank=True)
    followed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # Nobody has these rights any more: nothing is cut for it, and what it lists is deleted bit by bit.
    retired_at = models.DateTimeField(null=True, blank=True)
    # Where its metadata are kept, to be linked from there into the repositories.
    folder = models.CharField(max_length=32, unique=True, default=random_name)
    # Filling goes through what the stream of everything lists; None once it is done.
    filled_to = models.BigIntegerField(null=True, blank=True, default=0)
    # The highest version of its metadata ever reserved, and what was signed last.
    version = models.PositiveBigIntegerField(default=0)
    signed_version = models.PositiveBigIntegerField(default=0)
    signed_sha256 = models.CharField(max_length=64, blank=True)
    signed_length = models.PositiveIntegerField(default=0)
    signed_expires_at = models.DateTimeField(null=True, blank=True)
    # There are files of it that its metadata do not name yet.
    unnamed = models.BooleanField(default=False)
    signed_edition = models.ForeignKey(
        "Edition", null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["role", "everything", "asns"],
                condition=Q(retired_at=None),
                name="one_stream_of_equal_rights",
            ),
        ]
        indexes = [GinIndex(fields=["asns"], name="streams_by_network")]

    def __str__(self) -> str:
        return f"{self.role} of {'everything' if self.everything else self.asns}"

    @property
    def kind(self) -> str:
        return kind_of(self.role)

    @property
    def is_open(self) -> bool:
        return self.filled_to is None


class Session(models.Model):
    """A run of editions that agents follow by deltas. `state` is the digest's state after the last edition."""

    id = models.CharField(primary_key=True, max_length=32, default=random_name)
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="sessions")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    first_sequence = models.BigIntegerField()
    sequence = models.BigIntegerField()
    entries = models.BigIntegerField(default=0)
    state = models.BinaryField(default=empty_state)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream"], condition=Q(closed_at__isnull=True), name="one_session_of_a_stream_is_open"
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Edition(models.Model):
    """One step of a stream. That which opens a session leads from nothing."""

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="editions", db_index=False)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="editions", db_index=False)
    sequence = models.BigIntegerField()
    cut_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64)
    entries = models.BigIntegerField()
    changes = models.PositiveIntegerField()

    class Meta:
        ordering = ["stream", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "sequence"], name="a_sequence_of_a_stream_once"),
            models.UniqueConstraint(fields=["session", "sequence"], name="a_sequence_of_a_session_once"),
        ]
        indexes = [
            models.Index(fields=["stream", "sequence"], name="editions_to_publish", condition=Q(published_at=None)),
            models.Index(fields=["stream", "published_at"], name="editions_by_time"),
        ]

    def __str__(self) -> str:
        return f"edition {self.sequence}"


class Leaving(models.TextChoices):
    """Why an entry is to leave a stream that still lists it."""

    MOVED = "moved", "moved"  # its networks are others now: it stays until these have it
    ENDED = "ended", "ended"  # it has ended, and its removal is held


class Listing(models.Model):
    """That a stream lists an entry as `change` says it, from edition `from_sequence` on, before `until_sequence`.

    The rows that hold at an edition are the set of that edition, so that a snapshot of any edition, and the net
    difference of any two, can be read at any time.
    """

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="listings", db_index=False)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="listings", db_index=False)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="listings", db_index=False)
    from_sequence = models.BigIntegerField()
    until_sequence = models.BigIntegerField(null=True, blank=True)
    leaving = models.CharField(max_length=8, blank=True, choices=Leaving)
    leaving_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "entry"], condition=Q(until_sequence=None), name="a_stream_lists_an_entry_once"
            ),
            models.CheckConstraint(
                condition=Q(until_sequence=None) | Q(until_sequence__gte=models.F("from_sequence")),
                name="a_listing_ends_after_it_began",
            ),
        ]
        indexes = [
            models.Index(fields=["entry", "stream"], name="what_was_listed_of_an_entry"),
            models.Index(fields=["stream", "id"], name="what_a_stream_lists", condition=Q(until_sequence=None)),
            models.Index(fields=["stream", "from_sequence"], name="listed_from"),
            models.Index(
                fields=["stream", "until_sequence"], name="listed_until", condition=Q(until_sequence__isnull=False)
            ),
            models.Index(
                fields=["leaving", "stream", "leaving_since"],
                name="listings_that_leave",
                condition=Q(until_sequence=None) & ~Q(leaving=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} in {self.stream_id} from {self.from_sequence}"


class File(models.Model):
    """A delta or a snapshot of a session (a snapshot has no `from_sequence` and the width 0).

    It is made when it is to be written; `sha256` is noted at once when its bytes are kept here, else once it is in
    place. Metadata name it from then until `dropped_at`; a day later it is erased.
    """

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="files", db_index=False)
    path = models.CharField(max_length=160, unique=True)
    width = models.BigIntegerField()
    from_sequence = models.BigIntegerField(null=True, blank=True)
    to_sequence = models.BigIntegerField()
    operations = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    sha256 = models.CharField(max_length=64, blank=True)
    length = models.BigIntegerField(default=0)
    content = models.BinaryField(default=bytes)
    dropped_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "width", "to_sequence"],
                condition=Q(dropped_at=None) & ~Q(width=0),
                name="one_delta_between_two_editions",
            ),
        ]
        indexes = [
            models.Index(fields=["session", "width", "to_sequence"], name="live_files", condition=Q(dropped_at=None)),
            models.Index(fields=["dropped_at"], name="files_to_erase", condition=Q(erased_at=None)),
            models.Index(fields=["width"], name="files_to_write", condition=Q(dropped_at=None, sha256="")),
        ]

    def __str__(self) -> str:
        return self.path


class PendingChange(models.Model):
    """A committed change that no edition has yet.

    Written by a trigger on the register's changes, in the transaction of the change; taken out by the transaction that
    cuts the editions. To find what waits therefore costs the same however long the register's history is.
    """

    change = models.OneToOneField(Change, primary_key=True, on_delete=models.PROTECT, related_name="waiting")

    def __str__(self) -> str:
        return str(self.change_id)


class Operator(models.Model):
    """A network that follows the feed, or a gateway. `repository` is the name of its folder, which nobody can guess.

    The versions are the highest ever reserved for its own metadata. `due` says that it is to be signed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name_en = models.CharField(max_length=120)
    name_ur = models.CharField(max_length=120, blank=True)
    asns = ArrayField(models.BigIntegerField(), default=list, blank=True)
    gateway = models.BooleanField(default=False)
    # With which its mobile numbers began before numbers could be taken along (`30`, `370`): only to propose it.
    number_prefixes = ArrayField(models.CharField(max_length=6), default=list, blank=True)
    created_at = models.DateTimeField()
    active = models.BooleanField(default=True)
    repository = models.CharField(max_length=32, unique=True, default=random_name)
    snapshot_version = models.PositiveBigIntegerField(default=0)
    timestamp_version = models.PositiveBigIntegerField(default=0)
    due = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]
        indexes = [
            models.Index(fields=["due"], name="operators_due", condition=Q(due=True)),
            GinIndex(fields=["asns"], name="operators_by_network"),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def name(self) -> str:
        """In the language of the page."""
        return self.name_ur if self.name_ur and (get_language() or "").startswith("ur") else self.name_en


class Delegation(models.Model):
    """That an operator's repository leads to a stream. It changes to others only when all of these can be named."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="followings", db_index=False)
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="followings", db_index=False)
    since_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["operator", "stream"], condition=Q(left_at=None), name="an_operator_follows_a_stream_once"
            ),
        ]
        indexes = [
            models.Index(fields=["stream", "operator"], name="followers_of_a_stream", condition=Q(left_at=None)),
            models.Index(fields=["operator", "left_at"], name="streams_of_an_operator"),
        ]

    def __str__(self) -> str:
        return f"{self.operator_id} follows {self.stream_id}"


class Credential(models.Model):
    """What an operator shows at the feed: a token or a client certificate, of which the SHA-256 is kept alone.

    Several hold at the same time, so that one follows another without a gap.
    """

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="credentials")
    kind = models.CharField(max_length=12, choices=[(str(value), str(value)) for value in CredentialKind])
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["kind", "digest"], name="a_credential_is_one_operators")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name or self.digest[:12]}"


class AgentKey(models.Model):
    """The key that an agent signs its receipts with. It was first shown under a credential of this operator."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="agent_keys")
    key = models.CharField(max_length=64, unique=True)
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    # The terms of the feed that were last accepted where it signs, and since when it says so.
    terms = models.CharField(max_length=64, blank=True, default="", db_default="")
    terms_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.key[:16]


class Receipt(models.Model):
    """An operator's word that an edition of a stream is in force. `standing` is our answer to it."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="receipts", db_index=False)
    # None when there is no such session of ours.
    stream = models.ForeignKey(
        Stream, null=True, blank=True, on_delete=models.PROTECT, related_name="receipts", db_index=False
    )
    # None for what was said before agents signed.
    key = models.ForeignKey(
        AgentKey, null=True, blank=True, on_delete=models.PROTECT, related_name="receipts", db_index=False
    )
    session = models.CharField(max_length=32)
    sequence = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    applied_at = models.DateTimeField()
    received_at = models.DateTimeField()
    targets = models.JSONField(default=list)
    standing = models.CharField(max_length=12, choices=[(value, value) for value in ReceiptStanding])
    body_sha256 = models.CharField(max_length=64)
    # The agent's, as hex; empty: it came before these were kept.
    signature = models.CharField(max_length=128, blank=True, default="", db_default="")
    # The terms that were accepted there, and whether what is not listed was found to be dropped there.
    terms = models.CharField(max_length=64, blank=True, default="", db_default="")
    complement = models.BooleanField(default=False, db_default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["operator", "body_sha256"], name="the_same_receipt_once"),
        ]
        indexes = [
            models.Index(fields=["operator", "stream", "-id"], name="receipts_of_an_operator"),
            models.Index(
                fields=["operator", "stream", "sequence", "id"],
                name="good_receipts_by_sequence",
                condition=Q(standing=ReceiptStanding.GOOD),
            ),
            models.Index(fields=["operator", "received_at"], name="receipts_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.operator_id} {self.sequence} {self.standing}"


class RemovalHold(models.Model):
    """Removals that wait at the gate, because there are so many (see `holds`). A stream has one at a time.

    It ends when they went out, or when they are no longer so many. A cancelled one lets nothing out, and asks for
    nothing, until someone opens it again.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        APPROVED = "approved", "approved"
        CANCELLED = "cancelled", "cancelled"
        ENDED = "ended", "ended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="holds")
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    opened_at = models.DateTimeField()
    # Not before this, even when it was approved.
    due_at = models.DateTimeField()
    removals = models.PositiveBigIntegerField()
    entries = models.PositiveBigIntegerField()
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=120, blank=True)
    # How many had been waiting when it was approved: not many more go out by it.
    approved_removals = models.PositiveBigIntegerField(default=0)
    # Who opened a cancelled one again.
    asked_by = models.CharField(max_length=120, blank=True)
    reason = models.TextField(blank=True)
    # The editions that the removals went out with, the first and the last.
    session = models.CharField(max_length=32, blank=True)
    released_from = models.BigIntegerField(null=True, blank=True)
    released_in = models.BigIntegerField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["opened_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["stream"], condition=~Q(state="ended"), name="a_stream_has_one_hold")
        ]

    def __str__(self) -> str:
        return f"{self.removals} of {self.entries} in {self.stream_id}"


__all__ = [
    "KINDS",
    "AgentKey",
    "Credential",
    "Delegation",
    "Edition",
    "File",
    "Leaving",
    "Listing",
    "Operator",
    "PendingChange",
    "Receipt",
    "RemovalHold",
    "Session",
    "Stream",
]
