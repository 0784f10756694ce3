"""Challenges: how control of a block is shown. Reached through `actions`.

A challenge is locked before it is looked at; the network is never asked inside a transaction; a look is an attempt and
no row of the journal (the clock repeats it), a proof is one.
"""

import datetime as dt
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from rahdari.address import format_block
from rahdari.journal import actions as journal
from rahdari.probe import http

from . import queries, rules
from .models import Attempt, Challenge, Status

Block = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LOOK_TIMEOUT = 10.0
RULE = "system:verify"
KEPT_OF_AN_ANSWER = 200
LOOKS_AT_ONCE = 20


class LinkUnknown(Exception):
    """No challenge has this token: forged, mistyped, or cut off by a mail program."""


class ChallengeNotPending(Exception):
    """The challenge is over; `.challenge` says how it ended."""

    def __init__(self, challenge: Challenge) -> None:
        super().__init__(challenge.status)
        self.challenge = challenge


class TooSoonToLook(Exception):
    """Somebody looked a moment ago; `.again_at` is when it may be done again."""

    def __init__(self, again_at: dt.datetime) -> None:
        super().__init__(again_at.isoformat())
        self.again_at = again_at


class TooManyLooks(Exception):
    """The attempts of this challenge are used up; it can still be proved another way."""


@dataclass(frozen=True)
class LinkOutcome:
    """What opening a link came to.

    `result`: proved | proved_before | would_prove | elsewhere | other_family | expired | withdrawn. `address` is where
    the visit came from, `challenge` says for which block and when.
    """

    result: str
    address: Address
    challenge: Challenge

    @property
    def shown_block(self) -> str:
        return format_block(self.challenge.network)


@transaction.atomic
def open_challenge(
    *, subject: str, block: Block, method: str, valid_for: dt.timedelta, now: dt.datetime, actor: str = RULE
) -> Challenge:
    """Open a challenge, or give back the pending one. One that expired is followed by a new one; a block that is
    proved already, by whatever way, needs none, and its proof is given back.
    """
    proof = queries.proof_of(subject, block)
    if proof is not None:
        return proof
    known = queries.latest_challenge(subject=subject, block=block, method=method)
    if known is not None and known.status == Status.PENDING and known.expires_at > now:
        return _with_a_working_link(known)
    if known is not None and known.status == Status.PENDING:
        _close(known, Status.EXPIRED, now)
    challenge = Challenge(subject=subject, block=str(block), method=method, opened_at=now, expires_at=now + valid_for)
    challenge.link_index = queries.link_index(queries.link_token(challenge))
    try:
        with transaction.atomic():
            challenge.save(force_insert=True)
    except IntegrityError:
        # Two tabs at once: the other one was first, and its challenge is as good.
        return Challenge.objects.get(subject=subject, block=str(block), method=method, status=Status.PENDING)
    journal.record(
        act="verify.opened_challenge",
        actor=actor,
        subject=subject,
        now=now,
        detail={"method": method, "block": str(block)},
    )
    return challenge


def _with_a_working_link(challenge: Challenge) -> Challenge:
    """After a change of the links key the token shown is another one: find the challenge by that one from now on."""
    current = queries.link_index(queries.link_token(challenge))
    if challenge.link_index != current:
        challenge.link_index = current
        challenge.save(update_fields=["link_index"])
    return challenge


def open_link(*, token: str, address: Address, now: dt.datetime, confirmed: bool = True) -> LinkOutcome:
    """Take a visit to the link from `address` as the proof, when the block holds it. Raises LinkUnknown.

    Idempotent: a link that has proved its block says so ever after. With `confirmed` false nothing is recorded, and
    the outcome `would_prove` says that a person has to press the button first.
    """
    known = queries.challenge_by_token(token)
    if known is None:
        raise LinkUnknown
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
            if confirmed:
                _try(challenge, finding, {"seen": str(address)}, now)
            return LinkOutcome(finding, address, challenge)
        if not confirmed:
            return LinkOutcome("would_prove", address, challenge)
        _prove(challenge, {"seen": str(address)}, now)
    return LinkOutcome("proved", address, challenge)


def look_at_token(*, challenge: Challenge, now: dt.datetime, timeout: float = LOOK_TIMEOUT) -> Attempt:
    """Fetch the token file at the address once, and record what was there.

    Raises ChallengeNotPending, TooSoonToLook, TooManyLooks. From the first look on, the program looks again by
    itself, less and less often, until the challenge ends.
    """
    taken = _take_a_look(challenge, now)
    return _record_look(taken, _ask(taken, timeout), now)


def ask_for_a_look(*, challenge: Challenge, now: dt.datetime) -> Challenge:
    """Let the worker look for the token as soon as it can. Raises as `look_at_token` does."""
    with transaction.atomic():
        challenge = _may_look(challenge, now)
        challenge.next_look_at = now
        challenge.save(update_fields=["next_look_at"])
        with connection.cursor() as cursor:
            cursor.execute("NOTIFY rahdari_looks")
    return challenge


def _may_look(challenge: Challenge, now: dt.datetime) -> Challenge:
    """The challenge, locked, when its token may be looked for now."""
    challenge = Challenge.objects.select_for_update().get(pk=challenge.pk)
    if challenge.status != Status.PENDING or challenge.expires_at <= now:
        raise ChallengeNotPending(challenge)
    if challenge.last_look_at is not None and challenge.last_look_at + rules.FIRST_INTERVAL > now:
        raise TooSoonToLook(challenge.last_look_at + rules.FIRST_INTERVAL)
    if challenge.looks >= rules.MOST_ATTEMPTS:
        raise TooManyLooks
    return challenge


def _take_a_look(challenge: Challenge, now: dt.datetime) -> Challenge:
    """1) Take the look, so that no other process makes it too."""
    with transaction.atomic():
        challenge = _may_look(challenge, now)
        challenge.looks += 1
        challenge.last_look_at = now
        challenge.next_look_at = now + rules.next_interval(challenge.looks)
        challenge.save(update_fields=["looks", "last_look_at", "next_look_at"])
    return challenge


def _ask(challenge: Challenge, timeout: float) -> http.HttpAnswer:
    """2) Ask the address, with nothing locked and without the database."""
    path, _token = queries.http_token_of(challenge)
    return http.fetch_token(
        rules.address_to_ask(challenge.network),
        path=path,
        port=settings.PROOF_HTTP_PORT,
        limit=rules.TOKEN_BYTES,
        timeout=timeout,
        allowed_ranges=settings.ALLOWED_SPECIAL_RANGES,
    )


def _record_look(challenge: Challenge, found: http.HttpAnswer, now: dt.datetime) -> Attempt:
    """3) Record it. The proof may have come another way meanwhile; the attempt is kept all the same."""
    path, token = queries.http_token_of(challenge)
    finding, evidence = _read_answer(found, token)
    asked = str(rules.address_to_ask(challenge.network))
    evidence = {"asked": asked, "path": path, "port": settings.PROOF_HTTP_PORT, **evidence}
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update().get(pk=challenge.pk)
        if finding == "token_found" and challenge.status == Status.PENDING:
            return _prove(challenge, evidence, now, finding=finding)
        return _try(challenge, finding, evidence, now)


def _read_answer(found: http.HttpAnswer, token: str) -> tuple[str, dict[str, Any]]:
    """The finding (token_found, token_wrong, or the outcome of the attempt) and its evidence, cut to a few words."""
    evidence = found.as_data()
    evidence["body_start"] = str(evidence["body_start"])[:KEPT_OF_AN_ANSWER]
    finding = str(found.outcome)
    if found.outcome == http.HttpOutcome.FOUND:
        text = found.body_start.decode("utf-8", "replace")
        finding = "token_found" if rules.holds_token(text, token) else "token_wrong"
    return finding, evidence


def look_at_tokens_due(*, now: dt.datetime, limit: int = 40, timeout: float = LOOK_TIMEOUT) -> int:
    """Look for the tokens that are due, many at once: a slow server holds no other up. Returns how many."""
    taken = []
    for challenge in queries.tokens_due(now=now)[:limit]:
        try:
            taken.append(_take_a_look(challenge, now))
        except TooManyLooks:
            Challenge.objects.filter(pk=challenge.pk).update(next_look_at=None)
        except (ChallengeNotPending, TooSoonToLook):
            continue
    if taken:
        with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
            for challenge, found in zip(taken, pool.map(lambda each: _ask(each, timeout), taken), strict=True):
                _record_look(challenge, found, now)
    return len(taken)


@transaction.atomic
def share_proof(*, proof: Challenge, subject: str, actor: str, now: dt.datetime) -> Challenge:
    """Let the proof of a block speak for another subject with exactly that block: two ports of one server.

    Who may share is for the caller to know; the copy has the time and the way of the proof and names it.
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
        opened_at=now,
        expires_at=proof.expires_at,
        validated_at=proof.validated_at,
    )
    shared.link_index = queries.link_index(queries.link_token(shared))
    shared.save(force_insert=True)
    others = Challenge.objects.filter(subject=subject, block=proof.block, status=Status.PENDING)
    others.update(status=Status.WITHDRAWN, closed_at=now, next_look_at=None)
    Attempt.objects.create(challenge=shared, at=now, finding="shared", evidence={"proof": f"challenge:{proof.pk}"})
    journal.record(
        act="verify.shared_proof",
        actor=actor,
        subject=subject,
        now=now,
        detail={"proof": f"challenge:{proof.pk}", "block": proof.block},
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
            act="verify.withdrew_challenges", actor=actor, subject=subject, now=now, detail={"count": len(ended)}
        )
    return len(ended)


def expire_challenges(*, now: dt.datetime, limit: int = 1000) -> int:
    """A step of the line: close the challenges whose time is over. Returns how many."""
    with transaction.atomic():
        due = queries.challenges_past_their_time(now=now).select_for_update(skip_locked=True)[:limit]
        return len([_close(challenge, Status.EXPIRED, now) for challenge in due])


def _close(challenge: Challenge, status: Status, now: dt.datetime) -> Challenge:
    challenge.status, challenge.closed_at, challenge.next_look_at = status, now, None
    challenge.save(update_fields=["status", "closed_at", "next_look_at"])
    return challenge


def _prove(challenge: Challenge, evidence: dict[str, Any], now: dt.datetime, *, finding: str = "proved") -> Attempt:
    challenge.status, challenge.validated_at, challenge.next_look_at = Status.VALID, now, None
    challenge.save(update_fields=["status", "validated_at", "next_look_at"])
    # The other ways to prove the same block are not needed any more.
    others = Challenge.objects.filter(subject=challenge.subject, block=challenge.block, status=Status.PENDING)
    others.update(status=Status.WITHDRAWN, closed_at=now, next_look_at=None)
    journal.record(
        act="verify.proved_control",
        actor=RULE,
        subject=challenge.subject,
        now=now,
        detail={"method": challenge.method, "block": challenge.block},
    )
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY rahdari_line")  # told at commit: checks waited for this
    return Attempt.objects.create(challenge=challenge, at=now, finding=finding, evidence=evidence)


def _try(challenge: Challenge, finding: str, evidence: dict[str, Any], now: dt.datetime) -> Attempt:
    """Record a try that proved nothing; of a visitor who reloads a hundred times, only the first tries."""
    attempt = Attempt(challenge=challenge, at=now, finding=finding, evidence=evidence)
    if challenge.attempts.count() < rules.MOST_ATTEMPTS:
        attempt.save(force_insert=True)
    return attempt
