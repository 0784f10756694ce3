"""The acts of fees: issue and void an invoice, take in a statement, match a payment, set one aside, pay one back."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Sum

from rahdari.archive.actions import Box
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries, rules
from .models import Invoice, InvoiceCounter, Payment, Refund, Statement
from .statements import Fault as Fault
from .statements import Read
from .statements import Unreadable as Unreadable
from .statements import read as read_statement

__all__ = [
    "Fault",
    "OtherCurrency",
    "PaymentSettled",
    "TooMuchBack",
    "Unreadable",
    "erase_payer",
    "erase_payers_of",
    "import_statement",
    "issue_invoice",
    "match_payment",
    "read_statement",
    "record_refund",
    "set_payment_aside",
    "void_invoice",
]

RULE = "system:fees"


class PaymentSettled(RahdariError):
    """Somebody has matched this payment, or set it aside. `.payment` as it is now."""

    says = "{payment}"
    payment: Payment


class OtherCurrency(RahdariError):
    """A payment is matched to an invoice in the same currency. `.payment`, `.invoice`"""

    says = "{payment.currency} for {invoice.currency}"
    payment: Payment
    invoice: Invoice


class TooMuchBack(RahdariError):
    """More would be paid back than there is. `.most` is what may go back."""

    says = "{most}"
    most: Decimal


@transaction.atomic
def issue_invoice(
    *,
    subject: str,
    about: str,
    holder: uuid.UUID,
    service: str,
    due: rules.Due,
    currency: str,
    due_at: dt.datetime,
    zone: ZoneInfo,
    now: dt.datetime,
    actor: str = RULE,
) -> Invoice:
    """Ask for what is due. An application that has an invoice keeps it: the same one is returned."""
    # Invoices of a month wait for each other here, so that their numbers have no gap.
    local = now.astimezone(zone)
    InvoiceCounter.objects.get_or_create(month=f"{local:%y%m}")
    counter = InvoiceCounter.objects.select_for_update().get(month=f"{local:%y%m}")
    existing = queries.invoice_of(subject)
    if existing is not None:
        return existing
    counter.count += 1
    counter.save(update_fields=["count"])
    number = rules.number_of(year=local.year, month=local.month, count=counter.count)
    invoice = Invoice.objects.create(
        number=number,
        reference=rules.reference_of(number),
        subject=subject,
        about=about,
        holder=holder,
        service=service,
        addresses=due.addresses,
        earlier=due.earlier,
        each=due.each,
        amount=due.amount,
        currency=currency,
        issued_at=now,
        due_at=due_at,
    )
    journal.record(
        act="fees.issued_invoice",
        actor=actor,
        subject=subject,
        now=now,
        detail={"invoice": number, "amount": str(due.amount), "currency": currency},
    )
    return invoice


@transaction.atomic
def void_invoice(*, invoice: Invoice, why: str, actor: str, now: dt.datetime) -> Invoice:
    """Ask for it no more. What was paid for it is to be paid back. One that is void stays as it is."""
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    if invoice.voided_at is None:
        invoice.paid_at, invoice.voided_at, invoice.voided_why = None, now, why
        invoice.save(update_fields=["paid_at", "voided_at", "voided_why"])
        detail = {"invoice": invoice.number}
        journal.record(
            act="fees.voided_invoice", actor=actor, subject=invoice.subject, now=now, reason=why, detail=detail
        )
    return invoice


# -- money that comes in ---------------------------------------------------------------------------------------------


@transaction.atomic
def import_statement(*, found: Read, actor: str, now: dt.datetime) -> Statement:
    """Enter the credits of a statement that are not known yet, and match those that name an invoice.

    The same file again changes nothing. Statements may overlap: a credit is known by the bank's own name for it.
    """
    known = Statement.objects.select_for_update().filter(sha256=found.sha256).first()
    if known is not None:
        return known
    had = set(Payment.objects.filter(bank_id__in=[money.bank_id for money in found.credits]).values_list("bank_id"))
    fresh = [money for money in found.credits if (money.bank_id,) not in had]
    days = [money.booked_on for money in found.credits]
    statement = Statement.objects.create(
        sha256=found.sha256,
        form=found.form,
        account=found.account[-4:],
        imported_at=now,
        imported_by=actor,
        credits=len(found.credits),
        new=len(fresh),
        matched=0,
        passed_over=found.passed_over,
        first_on=min(days, default=None),
        last_on=max(days, default=None),
    )
    named = {name for money in fresh for name in rules.references_in(money.text)}
    invoices = {invoice.reference: invoice for invoice in Invoice.objects.filter(reference__in=named)}
    owed = [rules.Owed(each.reference, each.currency) for each in invoices.values()]
    for money in fresh:
        whose = rules.match(money, owed)
        payment = Payment.objects.create(
            statement=statement,
            bank_id=money.bank_id,
            booked_on=money.booked_on,
            amount=money.amount,
            currency=money.currency,
            text=money.text,
            payer=money.payer,
            why_not="" if isinstance(whose, rules.Owed) else whose.value,
        )
        if isinstance(whose, rules.Owed):
            _match(payment, invoices[whose.reference], RULE, now)
            statement.matched += 1
    statement.save(update_fields=["matched"])
    journal.record(
        act="fees.imported_statement",
        actor=actor,
        subject=f"statement:{statement.pk}",
        now=now,
        detail={"credits": statement.credits, "new": statement.new, "matched": statement.matched},
    )
    return statement


@transaction.atomic
def match_payment(*, payment: Payment, invoice: Invoice, actor: str, now: dt.datetime) -> Payment:
    """Say by hand which invoice a payment is for; of one that is void, it is to be paid back.

    Raises PaymentSettled, OtherCurrency.
    """
    payment = _waiting(payment)
    if invoice.currency != payment.currency:
        raise OtherCurrency(payment, invoice)
    return _match(payment, invoice, actor, now)


def _match(payment: Payment, invoice: Invoice, actor: str, now: dt.datetime) -> Payment:
    invoice = Invoice.objects.select_for_update().get(pk=invoice.pk)
    payment.invoice, payment.matched_at, payment.matched_by, payment.why_not = invoice, now, actor, ""
    payment.save(update_fields=["invoice", "matched_at", "matched_by", "why_not"])
    paid = queries.standing_of(invoice, now=now).paid
    if invoice.paid_at is None and invoice.voided_at is None and paid >= invoice.amount:
        invoice.paid_at = now
        invoice.save(update_fields=["paid_at"])
    journal.record(
        act="fees.matched_payment",
        actor=actor,
        subject=invoice.subject,
        now=now,
        detail={"invoice": invoice.number, "payment": str(payment.pk), "paid": invoice.paid_at is not None},
    )
    return payment


@transaction.atomic
def set_payment_aside(*, payment: Payment, why: str, actor: str, now: dt.datetime) -> Payment:
    """It is for no invoice of ours, or in another currency. Raises PaymentSettled."""
    payment = _waiting(payment)
    payment.set_aside_at, payment.set_aside_why = now, why
    payment.save(update_fields=["set_aside_at", "set_aside_why"])
    journal.record(act="fees.set_payment_aside", actor=actor, subject=f"payment:{payment.pk}", now=now, reason=why)
    return payment


def _waiting(payment: Payment) -> Payment:
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    if payment.invoice_id is not None or payment.set_aside_at is not None:
        raise PaymentSettled(payment)
    return payment


@transaction.atomic
def record_refund(*, payment: Payment, amount: Decimal, why: str, bank_id: str, actor: str, now: dt.datetime) -> Refund:
    """Put on record what was paid back at the bank, of a payment. Raises TooMuchBack.

    Of a payment for an invoice that stands, only what is beyond it goes back.
    """
    payment = Payment.objects.select_for_update(of=("self",)).get(pk=payment.pk)
    gone = Refund.objects.filter(payment=payment).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    most = payment.amount - gone
    if payment.invoice is not None:
        Invoice.objects.select_for_update().get(pk=payment.invoice.pk)
        most = min(most, queries.standing_of(payment.invoice, now=now).over)
    if amount <= 0 or amount > most:
        raise TooMuchBack(most)
    refund = Refund.objects.create(
        payment=payment, amount=amount, why=why, bank_id=bank_id, recorded_at=now, recorded_by=actor
    )
    journal.record(
        act="fees.recorded_refund",
        actor=actor,
        subject=f"payment:{payment.pk}",
        now=now,
        reason=why,
        detail={"amount": str(amount), "currency": payment.currency},
    )
    return refund


def erase_payer(*, payment: Payment, now: dt.datetime) -> int:
    """Who paid, in which words. The sum, the date and the invoice stay. The row is locked."""
    box = Box("payment", now=now)
    box.take([payment])
    box.seal(about=payment.invoice.number if payment.invoice is not None else str(payment.booked_on))
    return _erase([payment], now)


def erase_payers_of(*, subjects: Collection[str], box: Box, now: dt.datetime) -> list[str]:
    """The same of what was paid for these, whose file goes. Gives the subjects of the letters about the invoices."""
    due = Payment.objects.filter(invoice__subject__in=subjects, erased_at__isnull=True)
    box.take(due)
    _erase(due, now)
    return [f"invoice:{invoice.pk}" for invoice in Invoice.objects.filter(subject__in=subjects)]


def _erase(due: Iterable[Payment], now: dt.datetime) -> int:
    rows = list(due)
    for payment in rows:
        payment.payer, payment.text, payment.erased_at = "", "", now
        payment.save(update_fields=["payer", "text", "erased_at"])
    return len(rows)
