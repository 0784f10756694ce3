"""Invoices with what was paid, and letters as they were written."""

import uuid
from decimal import Decimal

from rahdari.apply import queries as apply
from rahdari.fees import queries as fees
from rahdari.fees import rules as fee_rules
from rahdari.letters import actions as letter_actions
from rahdari.letters import queries as inbox
from rahdari.letters.models import Letter
from rahdari.people import queries as people
from rahdari.people.rules import Act
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.schema import DAY, MOMENT, Json, choice, closed, listed, named, or_null, text, whole

from .applications import after_cursor
from .interface import API, PAGE, Call
from .rules import Scope
from .serializers import page_of, stamp, stamp_or_none

read = API.part("invoices", Scope.INVOICES_READ)
read_letters = API.part("letters", Scope.LETTERS_READ)

# -- invoices --------------------------------------------------------------------------------------------------------

MONEY = text(20, pattern=r"^[0-9]+\.[0-9]{2}$")
INVOICE = named(
    "Invoice",
    closed(
        {
            "number": text(16),
            "application": text(20),
            "service": text(60),
            "state": choice(*(str(state) for state in fee_rules.InvoiceState)),
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


# -- letters ---------------------------------------------------------------------------------------------------------

IN_SHORT = closed(
    {
        "id": text(36),
        "kind": text(60),
        "subject": text(1000),
        "language": choice("en", "ur"),
        "written_at": MOMENT,
        "read_at": or_null(MOMENT),
        "about": or_null(text(20)),
    }
)
LETTER = named("Letter", closed(IN_SHORT["properties"] | {"text": text(200_000)}))


def _letter(row: Letter, references: dict[str, str]) -> Json:
    return {
        "id": str(row.pk),
        "kind": row.template,
        "subject": row.subject,
        "language": row.language,
        "written_at": stamp(row.written_at),
        "read_at": stamp_or_none(row.read_at),
        "about": references.get(row.about),
    }


def _references(call: Call) -> dict[str, str]:
    """The person's applications, as letters name them."""
    return {row.subject: row.reference for row in apply.applications_of(call.person)}


@read_letters("GET", "/letters", Ok("A page, the newest first.", page_of(named("LetterInShort", IN_SHORT))), query=PAGE)
def list_letters(call: Call) -> Answer:
    """List your letters."""
    rows, following = after_cursor(inbox.letters_of(call.person), call, "written_at")
    references = _references(call)
    return Answer({"items": [_letter(each, references) for each in rows], "next": following})


@read_letters("GET", "/letters/{id}", Ok("It.", LETTER))
def get_letter(call: Call, id: uuid.UUID) -> Answer:
    """Read a letter.

    As it was written, in its own language. Reading it here does not mark it as read.
    """
    row = inbox.letter_for(call.person, id)
    return Answer({**_letter(row, _references(call)), "text": row.text})


@read_letters("POST", "/letters/read", Ok("They are marked.", status=204))
def mark_letters_read(call: Call) -> Answer:
    """Mark all letters as read."""
    letter_actions.mark_all_read(reader=call.person, now=call.now)
    return Answer(status=204)


@read_letters("POST", "/letters/{id}/read", Ok("The letter.", LETTER))
def mark_letter_read(call: Call, id: uuid.UUID) -> Answer:
    """Mark a letter as read."""
    letter_actions.mark_read(letter=inbox.letter_for(call.person, id), now=call.now)
    return get_letter(call, id)
