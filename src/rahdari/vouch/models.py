"""One question by letter to somebody who has no account here, and who wants no mail from us.

Invariants, each also held by the database, beside those of every inquiry: a subject is asked once; the address is
encrypted, and gone some time after the question is over. Who wants no mail is a keyed hash and nothing else: it cannot
be read back, and it is kept because they asked for it.
"""

from typing import ClassVar

from django.db import models

from rahdari.inquiry.models import Inquiry
from rahdari.vault.fields import EncryptedTextField


class ReferenceRequest(Inquiry):
    """Does this person work for you? Or whatever else its `party` is asked."""

    party = models.SlugField(max_length=20)
    # The name that the person asked reads; it goes with the address.
    name = EncryptedTextField()
    address = EncryptedTextField()
    address_index = models.CharField(max_length=64)
    domain = models.CharField(max_length=253)
    asked_by = models.CharField(max_length=120)
    language = models.CharField(max_length=2)
    # The keyed hash of the link's token.
    link_index = models.CharField(max_length=64, unique=True)
    resent_at = models.DateTimeField(null=True, blank=True)
    # Whether anything is written: not to an address that had its letters or wants none. The applicant reads the same.
    goes_out = models.BooleanField(default=True, db_default=True)

    class Meta(Inquiry.Meta):
        constraints: ClassVar[list[models.BaseConstraint]] = [
            *Inquiry.Meta.constraints,
            models.UniqueConstraint(fields=["subject"], name="vouch_subject_is_asked_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            *Inquiry.Meta.indexes,
            models.Index(fields=["address_index", "asked_at"], name="questions_to_an_address"),
            models.Index(fields=["domain", "asked_at"], name="questions_to_a_domain"),
            models.Index(fields=["asked_by", "asked_at"], name="questions_of_a_person"),
        ]


class MailOptOut(models.Model):
    """An address that wants no mail from us, as a keyed hash."""

    address_index = models.CharField(max_length=64, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"stop:{self.address_index[:8]}"
