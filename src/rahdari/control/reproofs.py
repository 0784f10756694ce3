"""Proofs that are shown again during the term.

A re-proof asks for the same way as before, with the same tokens, wherever we can look without the holder; besides it a
link waits to be opened, which works always. No answer proves nothing: in vain, it leaves a mark that holder and officer
see, and takes nothing from anybody.
"""

import datetime as dt

from django.db import IntegrityError, transaction

from rahdari.db.wake import Channel, wake
from rahdari.journal import actions as journal

from . import challenges, expected_claims, queries
from .models import Challenge, Method, Reproof, Status

RULE = "system:control"


@transaction.atomic
def begin_reproof(
    *,
    about: str,
    occasion: str,
    proof: Challenge,
    windows: int,
    between: dt.timedelta,
    now: dt.datetime,
    actor: str = RULE,
) -> Reproof:
    """Ask for the proof again, once for an occasion; while one is under way for the same entry, that one is given.
    `windows` spans of `between` must pass without success before it is in vain.
    Raises ChallengeNotPending for a proof that is not valid.
    """
    if proof.status != Status.VALID:
        raise challenges.ChallengeNotPending(proof)
    known = Reproof.objects.filter(about=about, occasion=occasion).first() or open_reproof_of(about)
    if known is not None:
        return known
    reproof = Reproof(
        about=about,
        occasion=occasion,
        proof=proof,
        opened_at=now,
        windows=windows,
        between=between,
        window_ends_at=now + between,
    )
    try:
        with transaction.atomic():
            reproof.save(force_insert=True)
    except IntegrityError:
        # Another process was first.
        known = Reproof.objects.filter(about=about, occasion=occasion).first() or open_reproof_of(about)
        if known is None:
            raise
        return known
    journal.record(
        act="control.began_reproof",
        actor=actor,
        subject=about,
        now=now,
        detail={"occasion": occasion, "method": proof.method},
    )
    for method in methods_of(proof):
        _open(reproof, method, now)
    return reproof


def repeat_proof(
    *, proof: Challenge, subject: str, valid_for: dt.timedelta, weight: int, enough: int, actor: str, now: dt.datetime
) -> Challenge | None:
    """Ask for the same proof for another subject with the same block, which continues the first one, and look at once.
    None where we cannot look without the holder. Raises ChallengeNotPending for a proof that is not valid.
    """
    if proof.status != Status.VALID:
        raise challenges.ChallengeNotPending(proof)
    if not expected_claims.can_be_repeated(proof):
        return None
    challenge = challenges.open_challenge(
        subject=subject,
        block=proof.network,
        method=proof.method,
        valid_for=valid_for,
        given=proof.facts or None,
        weight=weight,
        enough=enough,
        repeats=proof.repeats or proof,
        actor=actor,
        now=now,
    )
    if challenge.status == Status.PENDING and challenge.next_look_at is None and not challenge.looks:
        # The holder asked for these looks when the address was proved first.
        challenge.next_look_at = now
        challenge.save(update_fields=["next_look_at"])
        wake(Channel.LOOKS)
    return challenge


def methods_of(proof: Challenge) -> list[str]:
    """The ways of showing it again: as before, where we can look by ourselves, and by a link."""
    return [proof.method, Method.LINK] if expected_claims.can_be_repeated(proof) else [Method.LINK]


def _open(reproof: Reproof, method: str, now: dt.datetime) -> None:
    proof = reproof.proof
    same = method == proof.method and method != Method.LINK
    challenge = challenges.open_challenge(
        subject=reproof.subject,
        block=proof.network,
        method=method,
        valid_for=reproof.between * reproof.windows,
        given=proof.facts if same and proof.facts else None,
        repeats=(proof.repeats or proof) if same else None,
        now=now,
    )
    if same:
        # The holder asked for these looks when the address was proved first.
        challenge.next_look_at = now
        challenge.save(update_fields=["next_look_at"])


def open_reproof_of(about: str) -> Reproof | None:
    return queries.open_reproofs().filter(about=about).first()


def follow_reproof(*, reproof: Reproof, now: dt.datetime) -> bool:
    """Close it if it succeeded, and count a window that is over. Returns whether it ended; its row is locked."""
    if queries.is_proved(reproof.subject, reproof.proof.network):
        return _end(reproof, Reproof.State.SHOWN, now)
    if reproof.window_ends_at > now:
        return False
    reproof.in_vain += 1
    if reproof.in_vain >= reproof.windows:
        return _end(reproof, Reproof.State.IN_VAIN, now)
    reproof.window_ends_at = now + reproof.between
    reproof.save(update_fields=["in_vain", "window_ends_at"])
    return False


def _end(reproof: Reproof, state: Reproof.State, now: dt.datetime) -> bool:
    reproof.state, reproof.ended_at = state, now
    reproof.save(update_fields=["state", "ended_at", "in_vain"])
    challenges.withdraw_challenges(subject=reproof.subject, now=now, actor=RULE)
    journal.record(
        act="control.ended_reproof",
        actor=RULE,
        subject=reproof.about,
        now=now,
        detail={"occasion": reproof.occasion, "state": state.value},
    )
    return True
