"""How an endpoint answers: one attempt each, with its evidence as plain data.

Invariants: a probe connects to the address it was given and to nothing else (no name is looked up but by the method
that asks resolvers of our own, no redirect is followed); only to addresses that are global or in a range allowed by
setting; it reads a bounded number of bytes and ends by its deadline, whatever the other side does. No Django here.
"""

from .advice import Advice, advice_for
from .attempt import Answered, Attempt
from .claims import (
    CLAIMS,
    AlpnClaim,
    Claim,
    DnsClaim,
    HttpClaim,
    IkeClaim,
    Method,
    OpenVpnClaim,
    SstpClaim,
    TlsClaim,
    WireguardClaim,
    claim_from,
)
from .http import HttpAnswer, HttpOutcome, fetch_token
from .outcome import Outcome, ProbeAnswer
from .proving import TIMEOUT, Standpoint, prove

__all__ = [
    "CLAIMS",
    "TIMEOUT",
    "Advice",
    "AlpnClaim",
    "Answered",
    "Attempt",
    "Claim",
    "DnsClaim",
    "HttpAnswer",
    "HttpClaim",
    "HttpOutcome",
    "IkeClaim",
    "Method",
    "OpenVpnClaim",
    "Outcome",
    "ProbeAnswer",
    "SstpClaim",
    "Standpoint",
    "TlsClaim",
    "WireguardClaim",
    "advice_for",
    "claim_from",
    "fetch_token",
    "prove",
]
