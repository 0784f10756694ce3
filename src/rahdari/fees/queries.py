"""Reads of invoices and payments. `invoice_for_holder` is the gatekeeper of what a holder sees."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import DecimalField, F, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from rahdari.db.asked import Asked
from rahdari.errors import RahdariError

from . import rules
from .models import Invoice, Payment, Refund, Statement

_MONEY = DecimalField(max_digits=12, decimal_places=2)
_ZERO = Value(Decimal(0), output_field=_MONEY)


class InvoiceNotFound(RahdariError):
    """There is no such invoice, or it is not yours: nobody learns which. `.number` is what was asked for."""

    says = "no invoice {number!r}"
    number: str


@dataclass(frozen=True)
class PaymentStanding:
    """How an invoice stands. `paid` is what has come in less what went back; `open` what is still to be paid."""

    invoice: Invoice
    state: rules.InvoiceState
    paid: Decimal

    @property
    def open(self) -> Decimal:
        return max(self.invoice.amount - self.paid, Decimal(0))

    @property
    def over(self) -> Decimal:
        """What was paid beyond what was asked for: all of it, when the invoice is void."""
        asked = Decimal(0) if self.state is rules.InvoiceState.VOID else self.invoice.amount
        return max(self.paid - asked, Decimal(0))


def _with_paid(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    came = Payment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice").annotate(sum=Sum("amount"))
    went = (
        Refund.objects.filter(payment__invoice=OuterRef("pk"))
        .order_by()
        .values("payment__invoice")
        .annotate(sum=Sum("amount"))
    )
    return invoices.annotate(
        paid=Coalesce(Subquery(came.values("sum")), _ZERO) - Coalesce(Subquery(went.values("sum")), _ZERO)
    )


def _standing(invoice: Invoice, now: dt.datetime) -> PaymentStanding:
    paid: Decimal = invoice.paid  # type: ignore[attr-defined]
    state = rules.state_of(
        amount=invoice.amount,
        paid=paid,
        paid_at=invoice.paid_at,
        voided_at=invoice.voided_at,
        due_at=invoice.due_at,
        now=now,
    )
    return PaymentStanding(invoice, state, paid)


def standing_of(invoice: Invoice, *, now: dt.datetime) -> PaymentStanding:
    return _standing(_with_paid(Invoice.objects.filter(pk=invoice.pk)).get(), now)


def invoices_of(*, holders: Iterable[uuid.UUID], now: dt.datetime) -> list[PaymentStanding]:
    """All invoices of these holders, newest first."""
    return standings(invoices(holders=holders), now)


def invoices(*, holders: Iterable[uuid.UUID]) -> QuerySet[Invoice]:
    """The same, each with what was `paid`, not asked yet."""
    return _with_paid(Invoice.objects.filter(holder__in=list(holders)))


def standings(found: Iterable[Invoice], now: dt.datetime) -> list[PaymentStanding]:
    """How each of `invoices` stands."""
    return [_standing(each, now) for each in found]


def invoice_for_holder(*, holders: Iterable[uuid.UUID], number: str, now: dt.datetime) -> PaymentStanding:
    """Raises InvoiceNotFound."""
    found = _with_paid(Invoice.objects.filter(holder__in=list(holders), number=number)).first()
    if found is None:
        raise InvoiceNotFound(number)
    return _standing(found, now)


def invoice_of(subject: str) -> Invoice | None:
    """The invoice of this application that is not void."""
    return invoices_by_subject([subject]).get(subject)


_invoices = Asked(lambda subjects: standing_invoices().filter(subject__in=subjects))


def invoices_by_subject(subjects: Iterable[str]) -> dict[str, Invoice]:
    """The same for many applications, in one query."""
    return {each.subject: each for each in _invoices(list(subjects))}


def standing_invoices() -> QuerySet[Invoice]:
    return Invoice.objects.filter(voided_at__isnull=True).order_by()


def payments_for(invoice: OuterRef) -> QuerySet[Payment]:
    """Of an invoice of the query around."""
    return Payment.objects.filter(invoice=invoice).order_by()


def open_invoices() -> QuerySet[Invoice]:
    return Invoice.objects.filter(paid_at__isnull=True, voided_at__isnull=True).order_by("due_at", "number")


def open_standings(*, now: dt.datetime) -> list[PaymentStanding]:
    """What is to be paid, by when; what is due first comes first."""
    return [_standing(found, now) for found in _with_paid(open_invoices())]


def to_pay_back(*, now: dt.datetime) -> list[PaymentStanding]:
    """Invoices that more was paid for than they asked."""
    paid = _with_paid(Invoice.objects.filter(payments__isnull=False).distinct())
    return [standing for standing in (_standing(found, now) for found in paid) if standing.over > 0]


def invoice_by_number(number: str) -> Invoice | None:
    """By its number or its reference, as somebody types it."""
    typed = number.strip().upper().replace(" ", "")
    return Invoice.objects.filter(number=typed).first() or Invoice.objects.filter(reference=typed).first()


def payments_that_wait() -> QuerySet[Payment]:
    """Credits that no invoice was found for, oldest first."""
    return Payment.objects.filter(invoice__isnull=True, set_aside_at__isnull=True).order_by("booked_on", "id")


def payments_set_aside() -> QuerySet[Payment]:
    """For no invoice of ours or in another currency, and not all paid back; what was set aside last comes first."""
    went = Coalesce(Sum("refunds__amount"), _ZERO)
    found = Payment.objects.filter(set_aside_at__isnull=False).annotate(went=went).filter(went__lt=F("amount"))
    return found.order_by("-set_aside_at", "id")


def not_paid_back(payment: Payment) -> Decimal:
    """What is left of one of `payments_set_aside`."""
    went: Decimal = payment.went  # type: ignore[attr-defined]
    return payment.amount - went


def payments_of(invoice: Invoice) -> QuerySet[Payment]:
    return Payment.objects.filter(invoice=invoice).order_by("booked_on", "id")


def payers_known(*, booked_before: dt.datetime | None) -> QuerySet[Payment]:
    """Payments booked before that day of which it is still kept who paid; none without a day."""
    if booked_before is None:
        return Payment.objects.none()
    known = Payment.objects.filter(booked_on__lt=booked_before.date(), erased_at__isnull=True)
    return known.select_related("invoice").order_by("booked_on", "id")


def payment_by_id(id: uuid.UUID) -> Payment | None:
    return Payment.objects.select_related("invoice").filter(pk=id).first()


def statements() -> QuerySet[Statement]:
    return Statement.objects.order_by("-imported_at", "id")


def due_between(*, start: dt.datetime, end: dt.datetime) -> QuerySet[Invoice]:
    """Open invoices whose time to pay ends in this span."""
    return open_invoices().filter(due_at__gte=start, due_at__lt=end)
