"""Invoices and payments in the reader's language."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from rahdari.web import values

from . import queries, rules, statements
from .models import Invoice, Payment

TO_PAY = frozenset({rules.InvoiceState.OPEN, rules.InvoiceState.PART_PAID, rules.InvoiceState.LATE})
TONES = {
    rules.InvoiceState.OPEN: "wait",
    rules.InvoiceState.PART_PAID: "warn",
    rules.InvoiceState.LATE: "warn",
    rules.InvoiceState.PAID: "ok",
    rules.InvoiceState.VOID: "off",
}


def money(amount: Decimal, currency: str) -> SafeString:
    """`PKR 2,400.00`, left to right in any text."""
    return values.ltr(f"{currency} {amount:,.2f}")


@dataclass(frozen=True)
class InvoiceRow:
    """An invoice as a list shows it."""

    standing: queries.PaymentStanding

    @property
    def invoice(self) -> Invoice:
        return self.standing.invoice

    @property
    def amount(self) -> SafeString:
        return money(self.invoice.amount, self.invoice.currency)

    @property
    def each(self) -> SafeString:
        return money(self.invoice.each, self.invoice.currency)

    @property
    def open(self) -> SafeString:
        return money(self.standing.open, self.invoice.currency)

    @property
    def paid(self) -> SafeString:
        return money(self.standing.paid, self.invoice.currency)

    @property
    def over(self) -> SafeString:
        return money(self.standing.over, self.invoice.currency)

    @property
    def grouped(self) -> str:
        return rules.grouped(self.invoice.reference)

    @property
    def payments(self) -> list[Payment]:
        return list(queries.payments_of(self.invoice))

    @property
    def tone(self) -> str:
        return TONES[self.standing.state]

    @property
    def to_pay(self) -> bool:
        return self.standing.state in TO_PAY

    @property
    def state(self) -> str:
        return _STATES[self.standing.state](self.invoice)


_STATES: dict[rules.InvoiceState, Callable[[Invoice], str]] = {
    rules.InvoiceState.OPEN: lambda invoice: _("To be paid by %(date)s") % {"date": values.day(invoice.due_at)},
    rules.InvoiceState.PART_PAID: lambda invoice: (
        _("Partly paid; the rest by %(date)s") % {"date": values.day(invoice.due_at)}
    ),
    rules.InvoiceState.LATE: lambda invoice: _("Was to be paid by %(date)s") % {"date": values.day(invoice.due_at)},
    rules.InvoiceState.PAID: lambda invoice: _("Paid on %(date)s") % {"date": values.day(invoice.paid_at)},
    rules.InvoiceState.VOID: lambda invoice: pgettext("invoice", "Not asked for any more"),
}


def why_not_matched(code: str) -> str:
    return _WHY_NOT[rules.WhyNotMatched(code)]() if code else ""


_WHY_NOT: dict[rules.WhyNotMatched, Callable[[], str]] = {
    rules.WhyNotMatched.NO_REFERENCE: lambda: _("Its text names no invoice."),
    rules.WhyNotMatched.SEVERAL: lambda: _("Its text names more than one invoice."),
    rules.WhyNotMatched.UNKNOWN: lambda: _("No invoice has the reference in its text."),
    rules.WhyNotMatched.CURRENCY: lambda: _("The invoice that it names is in another currency."),
}


def fault(found: statements.Fault) -> str:
    """What is wrong with a statement, and what to do. The place stands in front."""
    sentence = _FAULTS[found.what]()
    said = sentence % {
        "value": values.plain_ltr(found.value),
        "column": values.plain_ltr(statements.COLUMNS.get(found.what.removeprefix("column_"), ("",))[0].capitalize()),
        "day": values.plain_ltr("2026-11-30"),
    }
    if not found.line:
        return said
    return _("Line or entry %(line)s: %(said)s") % {"line": values.figure(found.line), "said": said}


_FAULTS: dict[str, Callable[[], str]] = {
    "too_big": lambda: _("This file is larger than 16 MB. Download a shorter period from the bank."),
    "empty": lambda: _("This file is empty. Download it from the bank again."),
    "not_camt": lambda: _("This is XML, but not a bank statement of the type camt.053."),
    "not_xml": lambda: _("This file begins like XML but is incomplete or damaged. Download it from the bank again."),
    "several_accounts": lambda: _("This file has statements of several accounts. Download one for each account."),
    "too_many": lambda: _("This file has more than 100,000 entries. Download a shorter period from the bank."),
    "amount": lambda: _("The amount %(value)s cannot be read. Enter it like 2400.00."),
    "batch_without_amounts": lambda: _("A batch of payments has no amount for each. Ask the bank for single entries."),
    "no_bank_id": lambda: _("The bank's number of the transaction is missing, so it could be counted twice."),
    "not_text": lambda: _("This file is not text in UTF-8. Save it again as CSV in UTF-8."),
    "not_csv": lambda: _("A closing quotation mark is missing. Save the file again as CSV."),
    "column_bank_id": lambda: _("There is no column %(column)s, with the bank's number of each payment."),
    "column_booked_on": lambda: _("There is no column %(column)s, with the day of each payment."),
    "column_amount": lambda: _("There is no column %(column)s, with the amount paid."),
    "column_text": lambda: _("There is no column %(column)s, with the payer's text."),
    "currency": lambda: _("The currency %(value)s is not a code of 3 letters."),
    "date": lambda: _("The date %(value)s cannot be read. Enter it like %(day)s."),
    "twice_in_the_file": lambda: _("The transaction %(value)s is in the file twice."),
}
