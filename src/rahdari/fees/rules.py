"""What is due, by which reference it is paid, and whose payment it is. Pure: no database, no clock, no request.

Invariants: a fee that the policy names no amount for is never asked for; a late payment changes nothing that is
registered; money is matched to an invoice by its reference or by a person, never by a likeness of names.
Amounts are `Decimal` with two places, in the currency of the invoice.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rahdari.policy.pricing import CENT as CENT
from rahdari.policy.pricing import Due as Due
from rahdari.policy.pricing import Nothing as Nothing
from rahdari.policy.pricing import what_is_due as what_is_due


class InvoiceState(StrEnum):
    OPEN = "open"
    LATE = "late"
    PART_PAID = "part_paid"
    PAID = "paid"
    VOID = "void"


def state_of(
    *,
    amount: Decimal,
    paid: Decimal,
    paid_at: dt.datetime | None,
    voided_at: dt.datetime | None,
    due_at: dt.datetime,
    now: dt.datetime,
) -> InvoiceState:
    """The state of an invoice at `now`. Amounts are in the currency of the invoice."""
    if voided_at is not None:
        return InvoiceState.VOID
    if paid_at is not None:
        return InvoiceState.PAID
    if due_at < now:
        return InvoiceState.LATE
    return InvoiceState.PART_PAID if Decimal(0) < paid < amount else InvoiceState.OPEN


# -- numbers and references ------------------------------------------------------------------------------------------


def number_of(*, year: int, month: int, count: int) -> str:
    """`I-2611-0031`: the month, and the invoice in it, without a gap."""
    return f"I-{year % 100:02}{month:02}-{count:04}"


def reference_of(number: str) -> str:
    """The creditor reference of an invoice (ISO 11649): RF, two check digits, and the number without its dashes.

    Banks carry it in a field of its own or in the text, and a digit that is mistyped is found out.
    """
    body = number.replace("-", "")
    return f"RF{98 - _remainder(f'{body}RF00'):02}{body}"


def is_reference(text: str) -> bool:
    return bool(_REFERENCE.fullmatch(text)) and _remainder(text[4:] + text[:4]) == 1


def _remainder(text: str) -> int:
    """Modulo 97 of the text, with A as 10 to Z as 35 (ISO 7064)."""
    return int("".join(str(int(letter, 36)) for letter in text)) % 97


_REFERENCE = re.compile(r"RF[0-9]{2}I[0-9]{8,12}", re.ASCII)
# What people and banks put between the groups of a reference.
_BETWEEN = r"[\s\-./:]{0,2}"
_WRITTEN = re.compile(
    _BETWEEN.join(["R", "F", r"[0-9]", r"[0-9]", "I", *[r"[0-9]"] * 8]) + rf"(?:{_BETWEEN}[0-9]){{0,4}}",
    re.IGNORECASE | re.ASCII,
)


def references_in(text: str) -> list[str]:
    """The references that stand in a payer's text, however they were grouped; each once, in its order.

    Longer runs of digits are shortened until the check digits fit: "RF47 I261 1003 1 2400" names one invoice.
    """
    found: list[str] = []
    for match in _WRITTEN.finditer(text):
        bare = re.sub(r"[^0-9A-Z]", "", match[0].upper())
        for length in range(len(bare), 12, -1):
            if is_reference(bare[:length]):
                if bare[:length] not in found:
                    found.append(bare[:length])
                break
    return found


def grouped(reference: str) -> str:
    """`RF47 I261 1003 1`: as it is read out and typed."""
    return " ".join(reference[start : start + 4] for start in range(0, len(reference), 4))


# -- payments --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Money:
    """A credit on the authority's account. `bank_id` is the bank's own name for it, one for all statements."""

    line: int
    bank_id: str
    booked_on: dt.date
    amount: Decimal
    currency: str
    text: str
    payer: str


class WhyNotMatched(StrEnum):
    NO_REFERENCE = "no_reference"
    SEVERAL = "several_references"
    UNKNOWN = "unknown_reference"
    CURRENCY = "other_currency"


@dataclass(frozen=True)
class Owed:
    """As much of an invoice as matching needs."""

    reference: str
    currency: str


def match(money: Money, invoices: Iterable[Owed]) -> Owed | WhyNotMatched:
    """Whose payment it is, by the one reference in its text; else why a person has to look.

    A void invoice has its payments, too: all of them are to be paid back.
    """
    named = references_in(money.text)
    if not named:
        return WhyNotMatched.NO_REFERENCE
    if len(named) > 1:
        return WhyNotMatched.SEVERAL
    invoice = next((each for each in invoices if each.reference == named[0]), None)
    if invoice is None:
        return WhyNotMatched.UNKNOWN
    return invoice if invoice.currency == money.currency else WhyNotMatched.CURRENCY
