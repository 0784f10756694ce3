"""How an address was proved before, of an application that renews what is registered."""

import datetime as dt

from rahdari.apply.models import Endpoint
from rahdari.policy import Policy
from rahdari.verify import actions as verify
from rahdari.verify import queries as proofs
from rahdari.verify.models import Challenge

from .control_methods import counts


def proof_before(endpoint: Endpoint) -> Challenge | None:
    """How the address was proved when it was registered; None for a new one, or one that changes by itself."""
    if not endpoint.continues or endpoint.is_dynamic:
        return None
    return proofs.proof_of(endpoint.continues, endpoint.network)


def prove_as_before(endpoint: Endpoint, policy: Policy, *, actor: str, now: dt.datetime) -> Challenge | None:
    """Look for the proof in the same way as before, where that needs nothing of the holder; None elsewhere."""
    before = proof_before(endpoint)
    if before is None or not counts(policy, endpoint, before.method):
        return None
    return verify.repeat_proof(
        proof=before,
        subject=endpoint.subject,
        valid_for=policy.limits.challenge_valid,
        weight=counts(policy, endpoint, before.method),
        enough=policy.proof.enough,
        actor=actor,
        now=now,
    )
