"""Registrations, their entries, and the changes that the publisher reads.

Invariants, each also held by the database: no two holders have overlapping active entries, unless they share exactly
that block and each of them is a sharer of it; one endpoint is listed under one feed id; a holder has an endpoint once;
`valid_from < valid_until`; an entry that has ended stays ended; changes are only added; a part is of the registration
and at the block of the entry that it is a part of.
Spans are half open: an entry counts from `valid_from` and no longer at `valid_until`.
"""

import datetime as dt
import secrets
import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Deferrable, F, Q
from django.db.models.functions import Coalesce, Now

from rahdari.address import Part, Protocol

from .fields import BlockField as BlockField  # types of this room's face: other rooms have columns of them too
from .fields import PartsField as PartsField

PROTOCOLS = ("any", "udp", "tcp", "esp", "gre")
# An address that stays, one that a router at home reports, one that is entered to see whether it is enforced.
KINDS = ("static", "dynamic", "canary")
WITH_PORTS = ("udp", "tcp")
# The feed writes times in whole seconds.
A_TERM = Q(valid_until__gte=F("valid_from") + dt.timedelta(seconds=1))


def random_feed_id() -> str:
    return secrets.token_hex(16)


class Registration(models.Model):
    """What a holder was given: a public reference, a term, and one or more entries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reference = models.CharField(max_length=12, unique=True)
    holder = models.UUIDField(db_index=True)
    category = models.CharField(max_length=60)
    origin = models.CharField(max_length=120, unique=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    # Its entries stay so long after the term, for whoever renews late. Empty: they end with the term.
    grace_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    # When its holder was last known to stand by it: granted, changed, renewed, or said to be still right. No ground of
    # anything: it says whom to ask (`still_right`).
    last_word_at = models.DateTimeField(db_default=Now())
    struck_out_at = models.DateTimeField(null=True, blank=True)
    struck_out_code = models.CharField(max_length=20, blank=True)
    struck_out_by = models.CharField(max_length=120, blank=True)
    # For now it is in nobody's feed: for which code of the policy, and until when, if that is known.
    suspended_at = models.DateTimeField(null=True, blank=True)
    suspended_code = models.CharField(max_length=20, blank=True)
    suspended_by = models.CharField(max_length=120, blank=True)
    suspended_until = models.DateTimeField(null=True, blank=True)
    expired_at = models.DateTimeField(null=True, blank=True)
    # It stands provisionally: for which code of the policy, and until when if what is awaited does not come.
    provisional_code = models.CharField(max_length=20, blank=True)
    provisional_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=A_TERM, name="registration_has_a_term"),
            models.CheckConstraint(
                condition=Q(provisional_code="", provisional_until__isnull=True)
                | (~Q(provisional_code="") & Q(provisional_until=F("valid_until"))),
                name="provisional_registration_has_code_and_ends_with_its_term",
            ),
            models.CheckConstraint(
                condition=Q(grace_until__isnull=True) | Q(grace_until__gte=F("valid_until")),
                name="grace_comes_after_the_term",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at__isnull=True, suspended_code="", suspended_by="", suspended_until__isnull=True)
                | (Q(suspended_at__isnull=False) & ~Q(suspended_code="") & ~Q(suspended_by="")),
                name="suspended_for_a_code_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(struck_out_by__startswith="rule:") & ~Q(suspended_by__startswith="rule:"),
                name="rule_never_suspends_or_strikes_out",
            ),
        ]
        indexes = [
            models.Index(
                fields=["valid_until"],
                name="registration_due",
                condition=Q(expired_at__isnull=True, struck_out_at__isnull=True),
            ),
            # Few of very many: asked for at each round of the line.
            models.Index(
                fields=["provisional_until"],
                name="registration_provisional",
                condition=Q(provisional_until__isnull=False, expired_at__isnull=True, struck_out_at__isnull=True),
            ),
            models.Index(
                fields=["suspended_until"],
                name="registration_resumes",
                condition=Q(suspended_until__isnull=False),
            ),
            models.Index(fields=["expired_at"], name="registration_expired", condition=Q(expired_at__isnull=False)),
            models.Index(
                fields=["last_word_at"],
                name="registration_last_word",
                condition=Q(expired_at__isnull=True, struck_out_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_provisional(self) -> bool:
        return self.provisional_until is not None

    @property
    def stays_until(self) -> dt.datetime:
        """When it leaves the register, if nobody renews it."""
        return self.grace_until or self.valid_until


class YearlyQuestion(models.Model):
    """The last time that a holder was asked whether a registration is still right, and when that was settled: by a
    yes, a change or a renewal. Nothing refers to it, and silence is written nowhere."""

    registration = models.OneToOneField(
        Registration, on_delete=models.PROTECT, primary_key=True, related_name="yearly_question"
    )
    asked_at = models.DateTimeField()
    # Sent for it so far, with the reminders; and when the next one goes out.
    letters = models.PositiveSmallIntegerField(default=1)
    next_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True) | Q(next_at__isnull=True), name="no_reminder_of_what_is_settled"
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], name="yearly_to_remind", condition=Q(next_at__isnull=False)),
            models.Index(fields=["asked_at", "settled_at"], name="yearly_asked"),
        ]

    def __str__(self) -> str:
        return f"yearly:{self.pk}"


class SharedBlock(models.Model):
    """A block that several holders have by consent: a shared gateway, a house with one line. `Sharer` says whose."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    block = BlockField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"shared:{self.pk}"


class CoHolder(models.Model):
    """A holder who may have entries of a shared block beside others. `origin` is what the consent to it rests on; empty
    for whoever was there first. Ended, it stays ended: to come back, the others are asked again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shared = models.ForeignKey(SharedBlock, on_delete=models.PROTECT, related_name="sharers")
    holder = models.UUIDField()
    origin = models.CharField(max_length=120, blank=True)
    since_at = models.DateTimeField()
    # Somebody withdrew, with notice: when its entries end, and whose consent it was. Its own: it leaves by itself.
    leaves_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.UUIDField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["since_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shared", "holder"], condition=Q(ended_at__isnull=True), name="a_holder_shares_a_block_once"
            ),
            models.CheckConstraint(
                condition=Q(leaves_at__isnull=True, withdrawn_by__isnull=True)
                | Q(leaves_at__isnull=False, withdrawn_by__isnull=False),
                name="who_leaves_was_given_notice",
            ),
        ]
        indexes = [
            models.Index(
                fields=["leaves_at"],
                name="sharers_to_leave",
                condition=Q(ended_at__isnull=True, leaves_at__isnull=False),
            ),
            models.Index(fields=["holder"], name="sharers_by_holder", condition=Q(ended_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"sharer:{self.pk}"


class Entry(models.Model):
    """One address of a registration, with protocol and port. `feed_id` is the only name the feed knows it by.

    What runs at an address may need several: IPsec is UDP 500, UDP 4500 and ESP. The first of them is the entry that
    pages, proofs and reports go by, and the others are each a `part_of` it; they come, move and end together.

    Of a shared block several holders may have the same endpoint: then it is one line of the feed, that of the first of
    these entries, which is the `carrier` of the others, also after it has ended itself.

    `asn` is the network that the application was checked against, `asns` are those that announce the address as far as
    is known now: they say which operators get it. The kind is for life. `follows` is the entry that it took the place
    of, when the holder's address became another one; that one stays a while beside it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="entries")
    feed_id = models.CharField(max_length=32, unique=True, default=random_feed_id)
    origin = models.CharField(max_length=120, unique=True)
    holder = models.UUIDField()
    block = BlockField()
    protocol = models.CharField(max_length=8, default="any")
    port = models.PositiveIntegerField(null=True, blank=True)
    asn = models.BigIntegerField(null=True, blank=True)
    asns = ArrayField(models.BigIntegerField(), default=list, blank=True)
    kind = models.CharField(max_length=8, default="static")
    part_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="parts")
    follows = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    shared = models.ForeignKey(SharedBlock, on_delete=models.PROTECT, null=True, blank=True, related_name="entries")
    carrier = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="carried")
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ["valid_from", "id"]
        indexes = [
            models.Index(fields=["valid_until"], name="entry_due", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["holder"], name="entries_of_a_holder", condition=Q(ended_at__isnull=True)),
            models.Index(fields=["valid_from"], name="canaries", condition=Q(kind="canary", ended_at__isnull=True)),
        ]
        constraints = [
            ExclusionConstraint(
                name="no_block_under_two_holders",
                expressions=[
                    (OpClass("block", name="inet_ops"), RangeOperators.OVERLAPS),
                    (Coalesce("shared", "holder", output_field=models.UUIDField()), RangeOperators.NOT_EQUAL),
                ],
                condition=Q(ended_at__isnull=True),
                # At the end of the statement: the entries of a block become shared together.
                deferrable=Deferrable.IMMEDIATE,
            ),
            ExclusionConstraint(
                name="an_endpoint_has_one_line",
                expressions=[
                    (OpClass("block", name="inet_ops"), RangeOperators.EQUAL),
                    ("protocol", RangeOperators.EQUAL),
                    (Coalesce("port", 0), RangeOperators.EQUAL),
                    (Coalesce("carrier", "id", output_field=models.UUIDField()), RangeOperators.NOT_EQUAL),
                ],
                condition=Q(ended_at__isnull=True, shared__isnull=False),
                deferrable=Deferrable.IMMEDIATE,
            ),
            models.UniqueConstraint(
                fields=["holder", "block", "protocol", "port"],
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="one_holder_has_an_endpoint_once",
            ),
            # What the feed's format cannot say must not stand here: one such change would hold up all others.
            models.CheckConstraint(condition=A_TERM, name="entry_has_a_term"),
            models.CheckConstraint(condition=Q(protocol__in=PROTOCOLS), name="protocol_is_known"),
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="kind_is_known"),
            models.CheckConstraint(
                condition=Q(port__isnull=True) | Q(port__range=(1, 65535), protocol__in=WITH_PORTS),
                name="port_in_range_and_of_a_protocol_with_ports",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.block} {self.protocol} {self.port or 'any port'}"

    @property
    def part(self) -> Part:
        return Part(Protocol(self.protocol), self.port)

    @property
    def subject(self) -> str:
        """What it rests on, as other rooms know it: the same for all parts of an endpoint."""
        return self.origin.partition("#")[0]

    @property
    def was_left(self) -> bool:
        """Whether a fixed address is listed only for a while yet, because its holder has left it."""
        return self.kind != "dynamic" and self.valid_until < self.registration.stays_until

    @property
    def line(self) -> "Entry":
        """The entry by which the feed knows this one."""
        return self.carrier or self


class Change(models.Model):
    """One thing that happened to an entry, with what the feed says of it from then on (nothing, when it ended), and the
    networks that announced its address then. Where the entry is the line of others, `about` is the one of these to
    which it happened."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="changes")
    about = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    act = models.CharField(max_length=12)
    at = models.DateTimeField()
    snapshot = models.JSONField(default=dict)
    asns = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["entry", "id"], name="changes_of_an_entry"),
            models.Index(fields=["at"], name="reroutes_found", condition=Q(act="reroute")),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.act} {self.entry_id}"


class DirectoryFollowed(models.Model):
    """By which directory the networks of the entries are noted, and how far one that is newer has been gone through."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=64)
    # The last entry looked at; None once all were.
    reached = models.UUIDField(null=True, blank=True)
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_directory_is_followed")]

    def __str__(self) -> str:
        return self.fingerprint[:12]
