"""The ways to prove an address: those that are offered for it, how much each counts, and how far it has come."""

import datetime as dt
from dataclasses import dataclass

from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as proofs
from rahdari.control import rules, ways
from rahdari.control.models import Challenge, Method
from rahdari.policy import Policy

from .operator_way import OperatorWay, way_of
from .proofs import counts

# Those for which we go and look, or ask a registry.
WE_LOOK = (*ways.LOOKED_AT, Method.CONTACT)


@dataclass(frozen=True)
class OfferedWay:
    """`fits` when it is one for what runs there, the likeliest with the lowest `rank`. `latest` is the last opened."""

    method: str
    counts: int
    fits: bool
    rank: int
    latest: Challenge | None
    operator: OperatorWay | None = None


def offered(application: Application, endpoint: Endpoint, policy: Policy, now: dt.datetime) -> list[OfferedWay]:
    """The link, those for which we look, and last the operator, each where the policy has it for this address."""
    fitting = ways.fitting(endpoint.runs, endpoint.parts)
    latest = proofs.latest_challenges(subject=endpoint.subject, block=endpoint.network)
    found = []
    for method in (Method.LINK, *WE_LOOK):
        if weight := counts(policy, endpoint, method, now):
            fits = method in fitting or method in rules.OF_THE_WHOLE
            rank = fitting.index(method) if method in fitting else len(fitting)
            found.append(OfferedWay(method, weight, fits, rank, latest.get(method)))
    operator = way_of(application, endpoint, policy, now)
    if operator is not None:
        asked = latest.get(Method.OPERATOR)
        found.append(OfferedWay(Method.OPERATOR, policy.proof.enough, False, len(fitting), asked, operator))
    return found
