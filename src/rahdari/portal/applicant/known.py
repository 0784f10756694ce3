"""Proofs that are known from before, of an application that renews or changes what is registered."""

import datetime as dt

from rahdari.apply import queries as applications
from rahdari.apply.models import Application, Endpoint
from rahdari.apply.rules import About
from rahdari.dyndns import queries as leases
from rahdari.policy import Policy
from rahdari.verify import actions as verify
from rahdari.verify import queries as proofs
from rahdari.verify.models import Challenge

from .ways import counts


def take_known_proofs(application: Application, actor: str, now: dt.datetime) -> None:
    """What need not be proved again: of a change, addresses that were proved before and stay; of a connection whose
    address changes, that it is being reported. A renewal asks for the other proofs anew.
    """
    if application.registration_id is None:
        return
    endpoints = list(applications.endpoints_of(application))
    known = proofs.proofs_of([row.subject for row in endpoints])
    for row in endpoints:
        if not row.continues or (row.subject, str(row.network)) in known:
            continue
        if row.is_dynamic:
            host = leases.host_by_subject(row.continues)
            if host is not None and any(lease.until > now for lease in leases.leases_of(host)):
                verify.prove_by_report(subject=row.subject, block=row.network, source=None, now=now)
        elif application.about == About.CHANGE:
            before = proofs.proof_of(row.continues, row.network)
            if before is not None:
                verify.share_proof(proof=before, subject=row.subject, actor=actor, now=now)


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
