"""Connections whose address changes, the tokens that may report it, and what was reported.

Invariants, each also held by the database: a connection has one name; of each family it has one address at a time; a
token is kept as a keyed hash and finds one connection; one claim a family waits for its proof at a time.
What was reported is kept for as long as the policy says and no longer: it tells when somebody's line was up.
"""

import ipaddress
import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.register.models import BlockField, Entry, PartsField, Registration

from .rules import By, ReportOutcome, V6As

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


class DynamicHost(models.Model):
    """One connection whose address changes. `subject` is the endpoint of the application that asked for it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=20, unique=True)
    subject = models.CharField(max_length=120, unique=True)
    holder = models.UUIDField(db_index=True)
    # Empty until the application is granted: until then reports prove control and nothing is listed.
    registration = models.ForeignKey(
        Registration, on_delete=models.PROTECT, null=True, blank=True, related_name="dynamic_hosts"
    )
    parts = PartsField()
    v6_as = models.CharField(max_length=8, choices=[(str(value), str(value)) for value in V6As], default=V6As.HOST)
    made_at = models.DateTimeField()
    paused_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["made_at", "id"]

    def __str__(self) -> str:
        return self.name


class UpdateToken(models.Model):
    """What a router shows to report the address. The last characters are kept to tell tokens apart on the page."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(DynamicHost, on_delete=models.CASCADE, related_name="tokens")
    index = models.CharField(max_length=64, unique=True)
    tail = models.CharField(max_length=4)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-made_at", "id"]

    def __str__(self) -> str:
        return f"…{self.tail}"


class ReportedAddress(models.Model):
    """The address that a connection has now, of one family, and until when the last report of it counts."""

    host = models.ForeignKey(DynamicHost, on_delete=models.CASCADE, related_name="reported")
    family = models.PositiveSmallIntegerField()
    block = BlockField()
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    since = models.DateTimeField()
    reported_at = models.DateTimeField()
    until = models.DateTimeField()
    # Another holder reports the same address from it: the report expires then, unless it is repeated from there.
    rival_until = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["host", "family"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["host", "family"], name="one_address_of_a_family"),
            models.CheckConstraint(condition=Q(family__in=(4, 6)), name="family_is_known"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["until"], name="reported_not_notified", condition=Q(notified_at__isnull=True)),
            models.Index(fields=["entry"], name="dyndns_of_an_entry"),
        ]

    def __str__(self) -> str:
        return f"{self.block} until {self.until:%Y-%m-%d %H:%M}"

    @property
    def network(self) -> Block:
        return ipaddress.ip_network(self.block)


class AddressClaim(models.Model):
    """An address that was reported from elsewhere and waits for its proof. `subject` is how control knows it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.ForeignKey(DynamicHost, on_delete=models.CASCADE, related_name="claims")
    family = models.PositiveSmallIntegerField()
    block = models.CharField(max_length=49)
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["host", "family"], condition=Q(closed_at__isnull=True), name="one_claim_of_a_family_waits"
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def subject(self) -> str:
        return f"claim:{self.pk}"

    @property
    def network(self) -> Block:
        return ipaddress.ip_network(self.block)


class AddressReport(models.Model):
    """What was reported, newest last. The same again and again is one row with a count."""

    id = models.BigAutoField(primary_key=True)
    host = models.ForeignKey(DynamicHost, on_delete=models.CASCADE, related_name="reports")
    address = models.CharField(max_length=49, blank=True)
    by = models.CharField(max_length=8, choices=[(str(value), str(value)) for value in By])
    outcome = models.CharField(max_length=12, choices=[(str(value), str(value)) for value in ReportOutcome])
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar[list[str]] = ["-last_at", "-id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["host", "-last_at"], name="reports_of_a_host"),
            models.Index(fields=["last_at"], name="reports_to_forget"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.outcome}"
