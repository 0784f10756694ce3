"""The methods to prove an address: those that are offered for it, how much each counts, and how far it has come."""

import datetime as dt
from dataclasses import dataclass

from rahdari.apply.models import Application, Endpoint
from rahdari.control import methods, rules
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Method
from rahdari.policy import Policy

from .operator_method import OperatorMethod, operator_method_of
from .proofs import counts

# Those for which we go and look, or ask a registry.
WE_LOOK = (*methods.LOOKED_AT, Method.CONTACT)


@dataclass(frozen=True)
class OfferedMethod:
    """`fits` when it is one for what runs there, the likeliest with the lowest `rank`. `latest` is the last opened."""

    method: str
    counts: int
    fits: bool
    rank: int
    latest: Challenge | None
    operator: OperatorMethod | None = None


def offered(application: Application, endpoint: Endpoint, policy: Policy, now: dt.datetime) -> list[OfferedMethod]:
    """The link, those for which we look, and last the operator, each where the policy has it for this address."""
    fitting = methods.fitting(endpoint.runs, endpoint.parts)
    latest = proofs.latest_challenges(subject=endpoint.subject, block=endpoint.network)
    found = []
    for method in (Method.LINK, *WE_LOOK):
        if weight := counts(policy, endpoint, method, now):
            fits = method in fitting or method in rules.OF_THE_WHOLE
            rank = fitting.index(method) if method in fitting else len(fitting)
            found.append(OfferedMethod(method, weight, fits, rank, latest.get(method)))
    operator = operator_method_of(application, endpoint, policy, now)
    if operator is not None:
        asked = latest.get(Method.OPERATOR)
        found.append(OfferedMethod(Method.OPERATOR, policy.proof.enough, False, len(fitting), asked, operator))
    return found
