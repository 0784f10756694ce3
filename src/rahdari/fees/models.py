"""Invoices, the statements of a bank, payments, and money that was paid back.

Invariants, each also held by the database: an application has one invoice that is not void; what an invoice asks for is
never changed; an invoice is not paid and void at once; a payment is entered once, whichever statements name it; what
was paid back is never more than was paid. Text of payers is encrypted. Who the holder is, is unknown here.
"""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from rahdari.vault.fields import EncryptedTextField


class Invoice(models.Model):
    """What a holder is asked to pay for one application. `subject` is that application's ("application:<uuid>")."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=16, unique=True)
    reference = models.CharField(max_length=25, unique=True)
    subject = models.CharField(max_length=120)
    # What the payer knows the application by.
    about = models.CharField(max_length=20)
    holder = models.UUIDField()
    service = models.CharField(max_length=60)
    addresses = models.PositiveIntegerField()
    earlier = models.PositiveIntegerField()
    each = models.DecimalField(max_digits=12, decimal_places=2)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    issued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_why = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-issued_at", "-number"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["subject"], condition=Q(voided_at__isnull=True), name="one_invoice_that_is_not_void"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="invoice_asks_for_something"),
            models.CheckConstraint(
                condition=Q(paid_at__isnull=True) | Q(voided_at__isnull=True), name="invoice_is_not_paid_and_void"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["holder", "-issued_at"], name="invoices_of_a_holder"),
            models.Index(
                fields=["due_at"],
                condition=Q(paid_at__isnull=True, voided_at__isnull=True),
                name="invoices_open",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def receipt_number(self) -> str:
        return f"R{self.number[1:]}"


class InvoiceCounter(models.Model):
    """How many invoices a month has: they are numbered without a gap."""

    month = models.CharField(primary_key=True, max_length=4)
    count = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.month}: {self.count}"


class Statement(models.Model):
    """A file of the bank's that was taken in whole; the same file again is the same statement."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sha256 = models.CharField(max_length=64, unique=True)
    form = models.CharField(max_length=10)
    # The last four characters of the account.
    account = models.CharField(max_length=4, blank=True)
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=120)
    credits = models.PositiveIntegerField()
    new = models.PositiveIntegerField()
    matched = models.PositiveIntegerField()
    passed_over = models.PositiveIntegerField()
    first_on = models.DateField(null=True, blank=True)
    last_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-imported_at", "id"]

    def __str__(self) -> str:
        return f"{self.form} {self.sha256[:12]}"


class Payment(models.Model):
    """A credit on the account. Without an invoice it waits for a person, or was set aside: for none of ours, or in
    another currency."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="payments")
    bank_id = models.CharField(max_length=80, unique=True)
    booked_on = models.DateField()
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    text = EncryptedTextField()
    payer = EncryptedTextField()
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, null=True, blank=True, related_name="payments")
    why_not = models.CharField(max_length=30, blank=True)
    matched_at = models.DateTimeField(null=True, blank=True)
    matched_by = models.CharField(max_length=120, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    set_aside_why = models.CharField(max_length=300, blank=True)
    # When the words of the bank and the name of who paid went.
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["booked_on", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_a_credit"),
            models.CheckConstraint(
                condition=Q(invoice__isnull=True, matched_at__isnull=True)
                | Q(invoice__isnull=False, matched_at__isnull=False, set_aside_at__isnull=True),
                name="payment_is_matched_at_a_moment",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["booked_on"],
                condition=Q(invoice__isnull=True, set_aside_at__isnull=True),
                name="payments_that_wait",
            ),
        ]

    def __str__(self) -> str:
        return f"payment:{self.pk}"


class Refund(models.Model):
    """Money that was paid back, as the person recorded it who did so at the bank. Never changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    why = models.CharField(max_length=300)
    bank_id = models.CharField(max_length=80, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=120)

    class Meta:
        ordering: ClassVar[list[str]] = ["recorded_at", "id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_is_of_something"),
        ]

    def __str__(self) -> str:
        return f"refund:{self.pk}"
