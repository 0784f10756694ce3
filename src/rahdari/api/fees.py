"""Invoices, with what was paid."""

from decimal import Decimal

from rahdari.fees import queries as fees
from rahdari.fees import rules
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import problem_for
from rahdari.programs.schema import DAY, MOMENT, Json, choice, closed, listed, named, or_null, text, whole

from .interface import API, Call
from .problem_map import absent
from .rules import Scope
from .serializers import stamp, stamp_or_none

problem_for(fees.InvoiceNotFound)(absent)
read = API.part("invoices", Scope.INVOICES_READ)

MONEY = text(20, pattern=r"^[0-9]+\.[0-9]{2}$")
INVOICE = named(
    "Invoice",
    closed(
        {
            "number": text(16),
            "application": text(20),
            "service": text(60),
            "state": choice(*(str(state) for state in rules.InvoiceState)),
            "amount": MONEY,
            "paid": MONEY,
            "open": MONEY,
            "currency": text(3),
            "addresses": whole(0, 10**6),
            "payment_reference": text(25),
            "issued_at": MOMENT,
            "due_at": MOMENT,
            "paid_at": or_null(MOMENT),
            "receipt": or_null(text(20)),
            "payments": listed(closed({"booked_on": DAY, "amount": MONEY})),
        }
    ),
)


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _invoice(found: fees.PaymentStanding) -> Json:
    row = found.invoice
    return {
        "number": row.number,
        "application": row.about,
        "service": row.service,
        "state": str(found.state),
        "amount": _money(row.amount),
        "paid": _money(found.paid),
        "open": _money(found.open),
        "currency": row.currency,
        "addresses": row.addresses,
        "payment_reference": row.reference,
        "issued_at": stamp(row.issued_at),
        "due_at": stamp(row.due_at),
        "paid_at": stamp_or_none(row.paid_at),
        "receipt": row.receipt_number if row.paid_at is not None else None,
        "payments": [
            {"booked_on": each.booked_on.isoformat(), "amount": _money(each.amount)} for each in fees.payments_of(row)
        ],
    }


@read("GET", "/invoices", Ok("All of them, the newest first.", closed({"items": listed(INVOICE)})))
def list_invoices(call: Call) -> Answer:
    """List your invoices, and those of your organisations."""
    found = fees.invoices_of(holders=people.holders_for(call.person, Act.INVOICES), now=call.now)
    return Answer({"items": [_invoice(each) for each in found]})


@read("GET", "/invoices/{number}", Ok("The invoice, and its receipt when it is paid.", INVOICE))
def get_invoice(call: Call, number: str) -> Answer:
    """Read an invoice.

    `payment_reference` is what stands on the transfer. `receipt` is the number of the receipt, once it is paid.
    """
    found = fees.invoice_for_holder(holders=people.holders_for(call.person, Act.INVOICES), number=number, now=call.now)
    return Answer(_invoice(found))
