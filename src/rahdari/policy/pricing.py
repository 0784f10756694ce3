"""What an application costs, by the rule of its service. Pure. Amounts are `Decimal` with two places."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from .shapes import Fee

CENT = Decimal("0.01")


class Nothing(StrEnum):
    """Why nothing is to be paid."""

    FREE = "free"
    TOO_FEW = "too_few"  # the count from which a fee is due is not reached
    NOTHING_NEW = "nothing_new"  # a change or a renewal of what the holder has already, or less of it
    NO_AMOUNT = "no_amount"  # the policy says that a fee is due, and names no amount: nothing is asked


@dataclass(frozen=True)
class Due:
    """`addresses` are those that are new, `earlier` those that count along and cost nothing again."""

    addresses: int
    earlier: int
    each: Decimal
    once: bool

    @property
    def amount(self) -> Decimal:
        return self.each if self.once else self.each * self.addresses


def what_is_due(*, fee: Fee, addresses: int, earlier: int) -> Due | Nothing:
    """What so many new addresses cost a holder who has so many registered already, and keeps them."""
    if fee.rule == "free":
        return Nothing.FREE
    if addresses == 0 and earlier:
        return Nothing.NOTHING_NEW
    if not fee.is_due(count=addresses, earlier=earlier) or addresses == 0:
        return Nothing.TOO_FEW
    if not fee.amount:
        return Nothing.NO_AMOUNT
    return Due(addresses, earlier, Decimal(fee.amount).quantize(CENT), once=fee.charged == "once")
