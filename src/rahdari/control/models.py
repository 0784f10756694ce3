"""Challenges and their attempts, and proofs that are shown again.

Invariants: a subject has one pending challenge for a block and a way; a challenge that was proved stays proved; an
attempt is added and never changed (held by the database).
Who asked, and why, is unknown here: a subject is text that another room made up.
"""

import ipaddress
import json
import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from rahdari.vault.fields import EncryptedTextField

Block = ipaddress.IPv4Network | ipaddress.IPv6Network


class Method(models.TextChoices):
    """The ways. All but the link are looked at by us, by the probe of that name."""

    LINK = "link"
    HTTP = "http"
    TLS_ALPN = "tls-alpn"
    TLS = "tls"
    SSTP = "sstp"
    OPENVPN = "openvpn"
    WIREGUARD = "wireguard"
    IKEV2 = "ikev2"
    DNS = "dns"
    # Asked by the room that asks operators; its answer is brought here.
    OPERATOR = "operator"
    # By what a regional registry says of the whole block: a line in its record, a code to a contact that stands there.
    RECORD = "record"
    CONTACT = "contact"
    REPORT = "report"  # the token of a changing address, shown from its line


class Status(models.TextChoices):
    PENDING = "pending"
    VALID = "valid"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class Challenge(models.Model):
    """One way, for a limited time, in which a subject can show control of a block."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.CharField(max_length=120)
    block = models.CharField(max_length=49)
    method = models.CharField(max_length=12, choices=Method)
    # What the applicant gave for this way: a key, a port, a fingerprint. Secrets in it are erased when it ends.
    given = EncryptedTextField()
    # How much a success counts, and what has to come together (policy, as it was when this was opened).
    weight = models.PositiveSmallIntegerField(default=1)
    enough = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING)
    # The keyed hash of the link's token: finds the challenge, and gives the token to nobody who reads the table.
    link_index = models.CharField(max_length=64, unique=True)
    opened_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    validated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # The proof that this one shows again: its tokens and our key are those of that proof, which may still be there.
    repeats = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="repetitions")
    # When the program looks again by itself. Empty until the applicant first asks: nobody's server is asked unbidden.
    next_look_at = models.DateTimeField(null=True, blank=True)
    last_look_at = models.DateTimeField(null=True, blank=True)
    looks = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["opened_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject", "block", "method"],
                condition=Q(status=Status.PENDING),
                name="one_pending_challenge_a_way",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.VALID, validated_at__isnull=False)
                | (~Q(status=Status.VALID) & Q(validated_at__isnull=True)),
                name="challenge_is_valid_from_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["subject", "opened_at"], name="challenges_of_a_subject"),
            models.Index(
                fields=["next_look_at"],
                name="challenges_to_look_at",
                condition=Q(status=Status.PENDING, next_look_at__isnull=False),
            ),
            models.Index(fields=["expires_at"], name="challenges_to_expire", condition=Q(status=Status.PENDING)),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.block} {self.status}"

    @property
    def network(self) -> Block:
        return ipaddress.ip_network(self.block)

    @property
    def facts(self) -> dict[str, Any]:
        """Settings of the method: any of `at`, `port`, `tcp`, `peer_key`, `fingerprint`, `server_name`, `name`."""
        found: dict[str, Any] = json.loads(self.given or "{}")
        return found


class ProbeAttempt(models.Model):
    """One try at a challenge, with what was asked and what was seen. Added, never changed.

    `place` says from where we looked: empty for the register itself, and where nobody looked (a link that was opened).
    """

    id = models.BigAutoField(primary_key=True)
    challenge = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    place = models.CharField(max_length=60, blank=True)
    finding = models.CharField(max_length=40)
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["challenge", "-id"], name="attempts_of_a_challenge"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.finding}"


class Reproof(models.Model):
    """A proof that is shown again while what was registered on it stands. Whatever comes of it, no entry is touched.

    `about` is text of whoever asked ("entry:<uuid>"), `occasion` why, once for each. Its challenges have its `subject`.
    A window is a span in which it may succeed at any time; so many windows in vain and holder and officer are told.
    """

    class State(models.TextChoices):
        OPEN = "open"
        SHOWN = "shown"
        IN_VAIN = "in_vain"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    about = models.CharField(max_length=120)
    occasion = models.CharField(max_length=60)
    proof = models.ForeignKey(Challenge, on_delete=models.PROTECT, related_name="reproofs")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    window_ends_at = models.DateTimeField()
    between = models.DurationField()
    windows = models.PositiveSmallIntegerField()
    in_vain = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["opened_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["about", "occasion"], name="one_reproof_an_occasion"),
            models.UniqueConstraint(fields=["about"], condition=Q(state="open"), name="one_reproof_open_at_a_time"),
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True) | (~Q(state="open") & Q(ended_at__isnull=False)),
                name="reproof_ends_at_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["window_ends_at"], name="reproofs_under_way", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.about} {self.occasion} {self.state}"

    @property
    def subject(self) -> str:
        return f"reproof:{self.pk}"
