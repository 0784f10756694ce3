"""What a refusal says: its reasons with their law, and what whoever reads it can do."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rahdari.policy import Forum, Policy, Provision, Reason, Remedy

from .models import Decision


@dataclass(frozen=True)
class RefusedFor:
    """One reason of a refusal, as the policy that was in force at submission says it."""

    reason: Reason
    provisions: tuple[Provision, ...]
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True)
class Refusal:
    decision: Decision
    reasons: tuple[RefusedFor, ...]
    remedies: tuple[Remedy, ...]
    notice_text: str
    text: str
    at: dt.datetime
    appeal_until: dt.datetime
    forum: Forum | None


def reason_with_law(policy: Policy, code: str) -> RefusedFor:
    reason = policy.reasons[code]
    return RefusedFor(
        reason,
        policy.provisions(reason.provisions),
        tuple(policy.remedies[key] for key in reason.remedies),
    )


def remedies_of(policy: Policy, codes: Sequence[str]) -> tuple[Remedy, ...]:
    """The remedies of all codes, each once, in the order in which they are first named."""
    keys = dict.fromkeys(key for code in codes for key in policy.reasons[code].remedies)
    return tuple(policy.remedies[key] for key in keys)


def provisions_of(policy: Policy, codes: Sequence[str]) -> tuple[Provision, ...]:
    return policy.provisions(reference for code in codes for reference in policy.reasons[code].provisions)
