"""A request to share an address that others have, and the question to each of these.

Invariants, each also held by the database, beside those of every inquiry: a holder has one request for a block waiting;
nobody is asked twice by a request; what a request came to is not changed. The name that the asker chose is encrypted,
and gone some time after nobody shares by it any more.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.inquiry.models import Inquiry
from rahdari.inquiry.rules import WAITING
from rahdari.register.models import BlockField
from rahdari.vault.fields import EncryptedTextField

from .rules import Reply


class SharingRequest(Inquiry):
    """May I share this address? `holder` is who asks, `subject` for what: another room waits for the answer.

    Another port of the same address is no other request.
    """

    asked_by = models.CharField(max_length=120)
    holder = models.UUIDField()
    block = BlockField()
    # What those who are asked read, and all that they learn of the asker.
    name = EncryptedTextField()
    # What it was asked for is over or on the register: nothing is looked after any more.
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta(Inquiry.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Inquiry.Meta.constraints,
            models.UniqueConstraint(
                fields=["holder", "block"], condition=Q(state=WAITING), name="one_request_for_a_block_waits"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            *Inquiry.Meta.indexes,
            models.Index(fields=["holder", "asked_at"], name="requests_of_a_holder"),
            models.Index(fields=["asked_at"], condition=Q(closed_at__isnull=True), name="requests_not_closed"),
        ]

    def __str__(self) -> str:
        return f"sharing:{self.pk}"

    @property
    def origin(self) -> str:
        """By which the register knows the consent."""
        return f"sharing:{self.pk}"


class ConsentQuestion(models.Model):
    """One holder who is asked, and what was answered for them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(SharingRequest, on_delete=models.PROTECT, related_name="questions")
    holder = models.UUIDField(db_index=True)
    reply = models.CharField(max_length=8, choices=[(str(one), str(one)) for one in Reply], default=Reply.WAITING.value)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["asked_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["request", "holder"], name="a_holder_is_asked_once_by_a_request"),
            models.CheckConstraint(
                condition=Q(reply=Reply.WAITING.value, answered_at__isnull=True)
                | (~Q(reply=Reply.WAITING.value) & Q(answered_at__isnull=False)),
                name="reply_was_given_at_a_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"question:{self.pk}"
