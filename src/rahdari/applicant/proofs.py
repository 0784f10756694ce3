"""How far the proofs of control of an application's addresses have come, and the acts by which they are given.

A way is opened when the applicant asks for it, and only then does anybody go and look. The looking is the worker's.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rahdari.address import Address
from rahdari.apply import queries as apply
from rahdari.apply import subjects
from rahdari.apply.models import Application, Endpoint
from rahdari.control import attempts, challenges, prefixes, reproofs, rules
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Method, Status
from rahdari.db import together
from rahdari.db.asked import Asked, Later
from rahdari.policy import Policy

TRIES_SHOWN = 6
LOOKS_TAKE_AT_MOST = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class Proof:
    """How far the proof of one endpoint has come."""

    endpoint: Endpoint
    proof: Challenge | None

    @property
    def is_proved(self) -> bool:
        return self.proof is not None


def is_proved_by_sending(policy: Policy, endpoint: Endpoint, seen_from: Address, now: dt.datetime) -> bool:
    """Whether it is proof enough that the application is sent from this address (`sending.send`)."""
    if endpoint.is_dynamic or not rules.covers(endpoint.network, seen_from):
        return False
    visit = rules.Part(Method.LINK, seen_from, counts(policy, endpoint, Method.LINK, now))
    return rules.comes_to(endpoint.network, [visit]) >= policy.proof.enough


def proofs_of(application: Application, endpoints: Sequence[Endpoint] | None = None) -> list[Proof]:
    """The endpoints of an application, each with its proof or without. Whoever has the endpoints gives them along."""
    if endpoints is None:
        return proofs_by_application([application])[application.pk]
    known = proofs.proofs_of([endpoint.subject for endpoint in endpoints]) if endpoints else {}
    return _with_proofs(endpoints, known)


def proofs_by_application(applications: Sequence[Application]) -> dict[uuid.UUID, list[Proof]]:
    """The same of many, in as many queries as of one."""
    found: dict[uuid.UUID, list[Proof]] = {each.pk: [] for each in applications}
    with together.ahead(*proofs_later(applications)):
        endpoints = apply.rows_of(*applications)
        known = proofs.first_of_each(_of_applications([each.pk for each in applications]))
    for proof in _with_proofs(endpoints, known):
        found[proof.endpoint.application_id].append(proof)
    return found


_of_applications = Asked(
    lambda applications: (
        proofs.proved().filter(subject__in=subjects.names_within(applications)).order_by("validated_at", "id")
    )
)


def proofs_later(applications: Sequence[Application]) -> list[Later[Any]]:
    """What `proofs_by_application` asks, for `together.ahead`."""
    return [*apply.rows_later(*applications), _of_applications.later([each.pk for each in applications])]


def _with_proofs(endpoints: Iterable[Endpoint], known: Mapping[tuple[str, str], Challenge]) -> list[Proof]:
    return [Proof(endpoint, known.get((endpoint.subject, str(endpoint.network)))) for endpoint in endpoints]


def with_unproved(applications: Iterable[Application]) -> list[tuple[Application, int]]:
    """Each with how many of its addresses have no proof yet; one with two services is one."""
    rows = list(applications)
    known = proofs_by_application(rows)
    return [(row, addresses_in(each for each in known[row.pk] if not each.is_proved)) for row in rows]


def addresses_in(known: Iterable[Proof]) -> int:
    """How many addresses these are: one with two services is one, and so is each that changes."""
    return len({each.endpoint.pk if each.endpoint.is_dynamic else each.endpoint.network for each in known})


def left_to_prove(known: Iterable[Proof]) -> list[Endpoint]:
    """The endpoints whose proof is the applicant's to give: not proved, and not with their operator."""
    unproved = [each.endpoint for each in known if not each.is_proved]
    with_operators = proofs.subjects_with_their_operators(each.subject for each in unproved) if unproved else set()
    return [each for each in unproved if each.subject not in with_operators]


def provable_by_link(application: Application, known: Iterable[Proof], now: dt.datetime) -> list[Endpoint]:
    """The addresses for which opening a link counts, and is still needed."""
    policy = apply.frozen_policy(application)
    return [
        each.endpoint
        for each in known
        if not each.is_proved and not each.endpoint.is_dynamic and counts(policy, each.endpoint, Method.LINK, now)
    ]


def counts(policy: Policy, endpoint: Endpoint, method: str, now: dt.datetime) -> int:
    """How much a success of this way counts for this endpoint; nothing for a way that is not offered."""
    return prefixes.weight_of(policy.proof, method, endpoint.network, endpoint.asn, now)


def pending(endpoint: Endpoint, method: str, now: dt.datetime) -> Challenge | None:
    """This way as it was opened, while it can still come to something."""
    found = proofs.latest_challenge(subject=endpoint.subject, block=endpoint.network, method=method)
    return found if found is not None and is_pending(found, now) else None


def is_pending(challenge: Challenge, now: dt.datetime) -> bool:
    return challenge.status == Status.PENDING and challenge.expires_at > now


def is_looking(challenge: Challenge, now: dt.datetime) -> bool:
    """Whether a look is asked for or under way: taken, and nothing recorded of it yet."""
    if challenge.status != Status.PENDING:
        return False
    if challenge.next_look_at is not None and challenge.next_look_at <= now:
        return True
    taken = challenge.last_look_at
    if taken is None or taken + LOOKS_TAKE_AT_MOST < now:
        return False
    last = proofs.last_attempt(challenge)
    return last is None or last.at < taken


def open_method(
    endpoint: Endpoint,
    policy: Policy,
    method: str,
    *,
    actor: str,
    now: dt.datetime,
    given: dict[str, Any] | None = None,
) -> Challenge:
    facts: dict[str, Any] = {"subject": endpoint.subject, "block": endpoint.network, "asn": endpoint.asn}
    return challenges.open_method(**facts, policy=policy, method=method, actor=actor, now=now, given=given)


def ask_for_a_look(challenge: Challenge, now: dt.datetime) -> None:
    """Too soon, too often, or proved meanwhile: the page says how things stand, whatever was asked."""
    try:
        attempts.ask_for_a_look(challenge=challenge, now=now)
    except (attempts.TooSoonToLook, attempts.TooManyLooks, challenges.ChallengeNotPending):
        return


def prove_by_visit(endpoint: Endpoint, policy: Policy, seen: Address, *, actor: str, now: dt.datetime) -> str:
    """Somebody came from this address: the same as opening the link of the endpoint there. Gives what came of it."""
    link = open_method(endpoint, policy, Method.LINK, actor=actor, now=now)
    return challenges.visit(link, address=seen, now=now).result


def prove_as_before(endpoint: Endpoint, policy: Policy, *, actor: str, now: dt.datetime) -> Challenge | None:
    """Of an application that renews what is registered: look for the proof in the same way as then, where that needs
    nothing of the holder. None elsewhere, for a new address, and for one that changes by itself."""
    if not endpoint.continues or endpoint.is_dynamic:
        return None
    before = proofs.proof_of(endpoint.continues, endpoint.network)
    weight = counts(policy, endpoint, before.method, now) if before is not None else 0
    if before is None or not weight:
        return None
    return reproofs.repeat_proof(
        proof=before,
        subject=endpoint.subject,
        valid_for=policy.limits.challenge_valid,
        weight=weight,
        enough=policy.proof.enough,
        actor=actor,
        now=now,
    )
