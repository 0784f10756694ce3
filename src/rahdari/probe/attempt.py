"""One of many attempts that are made together, and what came of it."""

from dataclasses import dataclass

from rahdari.address import Address

from .claims import Claim
from .outcome import ProbeAnswer


@dataclass(frozen=True)
class Attempt:
    """This claim, held against this address."""

    address: Address
    claim: Claim


# What an attempt came to, or in a word why it was not made.
type Answered = ProbeAnswer | str
