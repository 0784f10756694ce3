"""Challenges: how control of a block is shown.

A challenge is locked before it is looked at; the network is never asked inside a transaction; a look is an attempt and
no row of the journal (the clock repeats it), a proof is one.
"""

import datetime as dt
import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Value
from django.db.models.functions import Greatest
from django.utils.module_loading import import_string

from rahdari.address import format_block
from rahdari.db.queues import each_of
from rahdari.db.wake import wake
from rahdari.journal import actions as journal
from rahdari.policy import Policy

from . import expected_claims, prefixes, queries, rules
from .models import Challenge, Method, ProbeAttempt, Status

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
RULE = "system:control"
# A success that alone is not enough.
PART = "part"


class LinkUnknown(Exception):
    """No challenge has this token: forged, mistyped, or cut off by a mail program."""


class ChallengeNotPending(Exception):
    """The challenge is over; `.challenge` says how it ended."""

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(challenge.status)
        self.challenge = challenge


@dataclass(frozen=True)
class LinkOutcome:
    """What opening a link came to.

    `result`: proved | counted (a part of what is needed) | proved_before | would_prove | elsewhere | other_family |
    expired | withdrawn. `address` is where the visit came from, `challenge` says for which block and when.
    """

    result: str
    address: Address
    challenge: Challenge

    @property
    def shown_block(self) -> str:
        return format_block(self.challenge.network)


def open_challenge(
    *,
    subject: str,
    block: Block,
    method: str,
    valid_for: dt.timedelta,
    now: dt.datetime,
    actor: str = RULE,
    given: Mapping[str, Any] | None = None,
    weight: int = 1,
    enough: int = 1,
    repeats: Challenge | None = None,
) -> Challenge:
    """Open a challenge, or give back the pending one. One that expired is followed by a new one; a block that is
    proved already, by whatever way, needs none, and its proof is given back.

    `given` is what the applicant says of the endpoint for this way; what was given before is replaced. Raises
    ValueError where no probe can be made of it. `weight` and `enough` are the policy's. One that `repeats` a proof by
    the same way asks for what was there then.
    """
    if given is not None:
        expected_claims.make_claim(method, given, str(uuid.uuid4()))
    with transaction.atomic(savepoint=False):
        proof, known = queries.proof_and_newest(subject=subject, block=block, method=method)
        if proof is not None:
            return proof
        if known is not None and known.status == Status.PENDING and known.expires_at > now:
            return _given_anew(_with_a_working_link(known), given, actor, now)
        if known is not None and known.status == Status.PENDING:
            _close(known, Status.EXPIRED, now)
        challenge = Challenge(
            subject=subject,
            block=str(block),
            method=method,
            given=_plain(given),
            weight=weight,
            enough=enough,
            repeats=repeats,
            opened_at=now,
            expires_at=now + valid_for,
        )
        challenge.link_index = queries.link_index(queries.link_token(challenge))
        try:
            with transaction.atomic():
                challenge.save(force_insert=True)
        except IntegrityError:
            # Two tabs at once: the other one was first, and its challenge is as good.
            return Challenge.objects.get(subject=subject, block=str(block), method=method, status=Status.PENDING)
        journal.record(
            act="control.opened_challenge",
            actor=actor,
            subject=subject,
            now=now,
            detail={"method": method, "challenge": str(challenge.pk)},
        )
        return challenge


def open_method(
    *,
    subject: str,
    block: Block,
    asn: int | None,
    policy: Policy,
    method: str,
    actor: str,
    now: dt.datetime,
    given: Mapping[str, Any] | None = None,
) -> Challenge:
    """Open this way as the policy has it. One that it does not offer opens all the same for whoever began before."""
    return open_challenge(
        subject=subject,
        block=block,
        method=method,
        valid_for=policy.limits.challenge_valid,
        given=given,
        weight=prefixes.weight_of(policy.proof, method, block, asn, now) or 1,
        enough=policy.proof.enough,
        now=now,
        actor=actor,
    )


def _plain(given: Mapping[str, Any] | None) -> str:
    return json.dumps(dict(given), sort_keys=True) if given else ""


def _given_anew(challenge: Challenge, given: Mapping[str, Any] | None, actor: str, now: dt.datetime) -> Challenge:
    """Something else was given for a way that is open: from now on we look for that, and may look at once."""
    if given is None or challenge.given == _plain(given):
        return challenge
    challenge.given, challenge.next_look_at = _plain(given), None
    challenge.save(update_fields=["given", "next_look_at"])
    journal.record(
        act="control.changed_challenge",
        actor=actor,
        subject=challenge.subject,
        now=now,
        detail={"method": challenge.method, "challenge": str(challenge.pk)},
    )
    return challenge


def _with_a_working_link(challenge: Challenge) -> Challenge:
    """After a change of the links key the token shown is another one: find the challenge by that one from now on."""
    current = queries.link_index(queries.link_token(challenge))
    if challenge.link_index != current:
        challenge.link_index = current
        challenge.save(update_fields=["link_index"])
    return challenge


def open_link(
    *, token: str, address: Address, now: dt.datetime, confirmed: bool = True, opened: bool = True
) -> LinkOutcome:
    """Take a visit to the link from `address` as the proof, when the block holds it. Raises LinkUnknown.

    Idempotent: a link that has proved its block says so ever after. With `confirmed` false nothing is proved, and
    the outcome `would_prove` says that a person has to press the button first. `opened`: somebody opened it, so that a
    try from another network is told to the applicant.
    """
    known = queries.challenge_by_token(token)
    if known is None:
        raise LinkUnknown
    return visit(known, address=address, now=now, confirmed=confirmed, opened=opened)


def visit(
    known: Challenge, *, address: Address, now: dt.datetime, confirmed: bool = True, opened: bool = True
) -> LinkOutcome:
    """The same of a link that is known."""
    address = rules.plain_address(address)
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update().get(pk=known.pk)
        if challenge.status == Status.VALID:
            return LinkOutcome("proved_before", address, challenge)
        if challenge.status == Status.WITHDRAWN:
            # Another way was quicker, or the address was taken out of the application.
            proof = queries.proof_of(challenge.subject, challenge.network)
            return LinkOutcome("proved_before" if proof else "withdrawn", address, proof or challenge)
        if challenge.status == Status.EXPIRED or challenge.expires_at <= now:
            return LinkOutcome("expired", address, challenge)
        if not rules.covers(challenge.network, address):
            finding = rules.why_not(challenge.network, address)
            if opened:
                keep_try(challenge, finding, {"seen": str(address)}, now)
            return LinkOutcome(finding, address, challenge)
        if not confirmed:
            return LinkOutcome("would_prove", address, challenge)
        attempt = succeed(challenge, address, {"seen": str(address)}, now)
    return LinkOutcome("counted" if attempt.finding == PART else "proved", address, challenge)


@transaction.atomic
def answer_by_operator(*, subject: str, answer: str, evidence: dict[str, Any], now: dt.datetime) -> bool:
    """Take an operator's answer to the question whether the subject has its block. A yes proves control; anything else
    is on record, and proves nothing: the operator may correct it, and the other ways stay. Returns whether it proved.
    """
    challenge = (
        Challenge.objects.select_for_update()
        .filter(subject=subject, method=Method.OPERATOR, status=Status.PENDING)
        .order_by("opened_at", "id")
        .first()
    )
    if challenge is None:
        return False
    if answer == "yes":
        succeed(challenge, challenge.network.network_address, evidence, now, finding="operator_confirms")
        return True
    keep_try(challenge, "operator_denies" if answer == "no" else "operator_cannot_tell", evidence, now)
    return False


@transaction.atomic
def await_operator(*, subject: str, until: dt.datetime) -> bool:
    """An operator is late, and what is asked stands meanwhile: its answer counts until then. True if one waits."""
    waiting = Challenge.objects.filter(subject=subject, method=Method.OPERATOR, status=Status.PENDING)
    return bool(waiting.update(expires_at=Greatest("expires_at", Value(until, output_field=DateTimeField()))))


@transaction.atomic
def share_proof(*, proof: Challenge, subject: str, actor: str, now: dt.datetime) -> Challenge:
    """Let the proof of a block speak for another subject with exactly that block: two ports of one server.

    Who may share is for the caller to know; the copy has the time and the way of the proof and names it.
    Raises ChallengeNotPending for a proof that is not valid.
    """
    if proof.status != Status.VALID or proof.validated_at is None:
        raise ChallengeNotPending(proof)
    known = queries.proof_of(subject, proof.network)
    if known is not None:
        return known
    shared = Challenge(
        subject=subject,
        block=proof.block,
        method=proof.method,
        status=Status.VALID,
        # So that it can be shown again as the proof itself can: with what was given then, and the tokens of then.
        given=proof.given,
        repeats=proof.repeats or proof,
        opened_at=now,
        expires_at=proof.expires_at,
        validated_at=proof.validated_at,
    )
    shared.link_index = queries.link_index(queries.link_token(shared))
    shared.save(force_insert=True)
    _withdraw_the_others(shared, now)
    ProbeAttempt.objects.create(challenge=shared, at=now, finding="shared", evidence={"proof": f"challenge:{proof.pk}"})
    journal.record(
        act="control.shared_proof",
        actor=actor,
        subject=subject,
        now=now,
        detail={"proof": f"challenge:{proof.pk}"},
    )
    return shared


@transaction.atomic
def withdraw_challenges(*, subject: str, now: dt.datetime, actor: str, except_block: Block | None = None) -> int:
    """End the pending challenges of a subject (its address was changed or removed). Proved ones stay on record."""
    found = Challenge.objects.select_for_update().filter(subject=subject, status=Status.PENDING)
    if except_block is not None:
        found = found.exclude(block=str(except_block))
    ended = [_close(challenge, Status.WITHDRAWN, now) for challenge in found]
    if ended:
        journal.record(
            act="control.withdrew_challenges", actor=actor, subject=subject, now=now, detail={"count": len(ended)}
        )
    return len(ended)


@each_of(queries.challenges_past_their_time, lock=True)
def expire_challenges(challenge: Challenge, now: dt.datetime) -> None:
    """Close the challenges whose time is over."""
    _close(challenge, Status.EXPIRED, now)


def _close(challenge: Challenge, status: Status, now: dt.datetime) -> Challenge:
    challenge.status, challenge.closed_at, challenge.next_look_at = status, now, None
    challenge.given = expected_claims.without_secrets(challenge)
    challenge.save(update_fields=["status", "closed_at", "next_look_at", "given"])
    return challenge


def _withdraw_the_others(proof: Challenge, now: dt.datetime) -> None:
    """The other ways to prove the same block are not needed any more. One that is being looked at now is left: it comes
    to the same, or its time runs out."""
    others = Challenge.objects.filter(subject=proof.subject, block=proof.block, status=Status.PENDING)
    for other in others.select_for_update(skip_locked=True):
        _close(other, Status.WITHDRAWN, now)


def succeed(
    challenge: Challenge, address: Address, evidence: dict[str, Any], now: dt.datetime, *, finding: str = "proved"
) -> ProbeAttempt:
    """A way succeeded at an address: the proof, when all that succeeded comes to enough, else a part of it.

    The challenge is locked and pending.
    """
    part = {"address": str(address), "weight": challenge.weight}
    parts = [rules.Part(challenge.method, address, challenge.weight)]
    if rules.comes_to(challenge.network, parts) < challenge.enough:
        parts += queries.parts_of(challenge.subject, challenge.network)
    if rules.comes_to(challenge.network, parts) < challenge.enough:
        return ProbeAttempt.objects.create(
            challenge=challenge, at=now, finding=PART, evidence={**evidence, "part": part}
        )
    challenge.status, challenge.validated_at, challenge.next_look_at = Status.VALID, now, None
    challenge.given = expected_claims.without_secrets(challenge)
    challenge.save(update_fields=["status", "validated_at", "next_look_at", "given"])
    _withdraw_the_others(challenge, now)
    journal.record(
        act="control.proved",
        actor=RULE,
        subject=challenge.subject,
        now=now,
        detail={"method": challenge.method, "challenge": str(challenge.pk)},
    )
    # Whose address it also is, only the line knows; it stands above.
    import_string(settings.ON_PROOF)(subject=challenge.subject, block=challenge.network, now=now)
    wake()  # checks waited for this
    if challenge.enough > 1:
        evidence = {**evidence, "part": part}
    return ProbeAttempt.objects.create(challenge=challenge, at=now, finding=finding, evidence=evidence)


def keep_try(
    challenge: Challenge, finding: str, evidence: dict[str, Any], now: dt.datetime, *, place: str = ""
) -> ProbeAttempt:
    """Record a try that proved nothing; of a visitor who reloads a hundred times, only the first tries."""
    attempt = ProbeAttempt(challenge=challenge, at=now, place=place, finding=finding, evidence=evidence)
    if challenge.attempts.count() < rules.MOST_ATTEMPTS:
        attempt.save(force_insert=True)
    return attempt
