"""Looks at an address: whether what a challenge asks for is there.

A look is taken (counted, so that no other process makes it too), made with nothing locked, and recorded: one attempt
for each place. Nobody's server is asked before the applicant asks; from then on we look again by ourselves, less and
less often, until the challenge ends. No answer proves nothing, and takes nothing away.
"""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from rahdari.address import Address
from rahdari.db.wake import Channel, wake
from rahdari.probe import quorum, registry
from rahdari.probe.claims import Claim
from rahdari.probe.outcome import Outcome, ProbeAnswer

from . import expected_claims, places, queries, registries, rules
from .challenges import ChallengeNotPending, keep_try, succeed
from .models import Challenge, Method, ProbeAttempt, Status

LOOK_TIMEOUT = 10.0
KEPT_OF_AN_ANSWER = 200
LOOKS_AT_ONCE = 20
# Findings at which the address was shown to be held.
PROVING = frozenset({"token_found", "proved"})
_PROVED = {True: "token_found", False: "proved"}


class TooSoonToLook(Exception):
    """Somebody looked a moment ago; `.again_at` is when it may be done again."""

    def __init__(self, again_at: dt.datetime) -> None:
        super().__init__(again_at.isoformat())
        self.again_at = again_at


class TooManyLooks(Exception):
    """The attempts of this challenge are used up; it can still be proved another way."""


@dataclass(frozen=True)
class Look:
    """One look that was taken: what to ask, and of whom. Without a claim a regional registry is asked."""

    challenge: Challenge
    claim: Claim | None
    address: Address
    at: dt.datetime


def look_once(*, challenge: Challenge, now: dt.datetime, timeout: float = LOOK_TIMEOUT) -> ProbeAttempt:
    """Look once, from all places, and record what was there. Gives the attempt that decides.

    Raises ChallengeNotPending, TooSoonToLook, TooManyLooks. From the first look on, the program looks again by
    itself, less and less often, until the challenge ends.
    """
    look = _take(challenge, now)
    return _record(look, _make(look, timeout), now)


def ask_for_a_look(*, challenge: Challenge, now: dt.datetime) -> Challenge:
    """Let the worker look as soon as it can. Raises as `look_once` does."""
    with transaction.atomic():
        challenge = _may_look(challenge, now)
        challenge.next_look_at = now
        challenge.save(update_fields=["next_look_at"])
        wake(Channel.LOOKS)
    return challenge


def look_at_due(*, now: dt.datetime, limit: int = 40, timeout: float = LOOK_TIMEOUT) -> int:
    """Make the looks that are due, many at once: a slow server holds no other up. Returns how many."""
    taken = []
    for challenge in queries.looks_due(now=now)[:limit]:
        try:
            taken.append(_take(challenge, now))
        except TooManyLooks:
            Challenge.objects.filter(pk=challenge.pk).update(next_look_at=None)
        except (ChallengeNotPending, TooSoonToLook):
            continue
    if taken:
        with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
            for look, found in zip(taken, pool.map(lambda each: _make(each, timeout), taken), strict=True):
                _record(look, found, now)
    return len(taken)


def _may_look(challenge: Challenge, now: dt.datetime) -> Challenge:
    """The challenge, locked, when it may be looked at now."""
    challenge = Challenge.objects.select_for_update().get(pk=challenge.pk)
    if challenge.status != Status.PENDING or challenge.expires_at <= now:
        raise ChallengeNotPending(challenge)
    if challenge.last_look_at is not None and challenge.last_look_at + rules.FIRST_INTERVAL > now:
        raise TooSoonToLook(challenge.last_look_at + rules.FIRST_INTERVAL)
    if challenge.looks >= rules.MOST_ATTEMPTS:
        raise TooManyLooks
    return challenge


def _take(challenge: Challenge, now: dt.datetime) -> Look:
    """1) Take the look, so that no other process makes it too."""
    with transaction.atomic():
        challenge = _may_look(challenge, now)
        challenge.looks += 1
        challenge.last_look_at = now
        challenge.next_look_at = now + rules.next_interval(challenge.looks)
        challenge.save(update_fields=["looks", "last_look_at", "next_look_at"])
    claim = None if challenge.method in rules.OF_THE_WHOLE else expected_claims.claim_of(challenge)
    return Look(challenge, claim, expected_claims.address_asked(challenge), now)


def _make(look: Look, timeout: float) -> list[quorum.VantageAnswer] | registry.Answer:
    """2) Ask from all places, with nothing locked and without the database. A registry is asked from here alone: it
    shows a certificate."""
    if look.claim is None:
        return registries.ask(look.challenge.network, timeout)
    return places.look_from_all(look.claim, look.address, timeout, look.at)


def _record(look: Look, found: list[quorum.VantageAnswer] | registry.Answer, now: dt.datetime) -> ProbeAttempt:
    """3) Record what each place saw, and last what it comes to.

    The proof may have come another way meanwhile; the attempts are kept all the same.
    """
    if isinstance(found, registry.Answer):
        with transaction.atomic():
            challenge = Challenge.objects.select_for_update().get(pk=look.challenge.pk)
            return registries.record(challenge, found, now)
    verdict = quorum.judge([each.view for each in found], places.needed())
    with transaction.atomic():
        challenge = Challenge.objects.select_for_update().get(pk=look.challenge.pk)
        if len(found) > 1:
            for each in found:
                keep_try(challenge, *_seen_from(look, each), now, place=_name(each.view.place))
            evidence = _asked_for(look) | {"verdict": verdict.as_data()}
            if verdict.agreed and challenge.status == Status.PENDING:
                return succeed(challenge, look.address, evidence, now, finding=_PROVED[challenge.method == Method.HTTP])
            if verdict.proved:
                return keep_try(challenge, str(verdict.outlook), evidence, now)
        finding, evidence = _seen_from(look, found[0])
        if verdict.agreed and challenge.status == Status.PENDING:
            return succeed(challenge, look.address, evidence, now, finding=finding)
        if finding in PROVING and len(found) == 1 and not verdict.agreed:
            finding = str(verdict.outlook)
        return keep_try(challenge, finding, evidence, now)


def _name(place: str) -> str:
    return "" if place == quorum.HERE else place


def _asked_for(look: Look) -> dict[str, Any]:
    return {"asked": str(look.address), "port": getattr(look.claim, "port", getattr(look.claim, "PORT", None))}


def _seen_from(look: Look, asked: quorum.VantageAnswer) -> tuple[str, dict[str, Any]]:
    """What one place saw: finding and evidence, with its signature where it came from elsewhere."""
    if asked.view.answer is None:
        return "absent", _asked_for(look) | {"why": asked.view.absent}
    finding, evidence = _read(look, asked.view.answer)
    if asked.signed is not None:
        evidence |= {"network": asked.view.network, "signed": asked.signed}
    return finding, evidence


def _read(look: Look, answer: ProbeAnswer) -> tuple[str, dict[str, Any]]:
    """The finding and its evidence, cut to a few words."""
    evidence = _asked_for(look) | answer.as_data()
    if "body_start" in evidence:
        evidence["body_start"] = str(evidence["body_start"])[:KEPT_OF_AN_ANSWER]
    if look.challenge.method == Method.HTTP:
        evidence["path"] = getattr(look.claim, "path", "")
        return _of_http(answer), evidence
    return answer.outcome.value, evidence


def _of_http(answer: ProbeAnswer) -> str:
    """What an HTTP answer is called: by what was found in it, where there was one."""
    if answer.outcome is Outcome.PROVED:
        return "token_found"
    if answer.outcome is Outcome.OTHER_KEY:
        return "token_wrong"
    if answer.outcome is Outcome.ANSWERED or answer.detail == "too_long":
        return answer.detail
    return answer.outcome.value
