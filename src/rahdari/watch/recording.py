"""What became other is written, in one transaction for all of a round: spells that end and begin, facts, conclusions.

Before anything is written the consents are locked and asked for again: what came back after a withdrawal is thrown
away, and a withdrawal waits until a round is written and then erases it.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from rahdari.db.wake import Channel, wake
from rahdari.probe import Outcome

from .board import Board, Sight, Watched
from .facts import Facts, Look, Side
from .models import Conclusion, Consent, Measured, SeenFacts, Spell
from .sketch import Sketch
from .verdicts import RULES_VERSION, Verdict

# So many looks are counted before a sketch that goes on is written: what a crash may lose of it.
SKETCH_EVERY = 72
AT_ONCE = 2_000
# Rounds that are nearer to each other are one time in which we measured.
ONE_TIME = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Judged:
    """One endpoint's round."""

    watched: Watched
    facts: Facts
    verdict: Verdict


def count(watched: Watched, look: Look) -> tuple[Look, bool]:
    """The look with what is usual there and how many came to the same, and whether it is another than the last."""
    sight = watched.sights.get(look.place)
    outcome = look.outcome.value if look.outcome is not None else ""
    is_new = sight is None or sight.outcome != outcome
    if sight is None:
        sight = watched.sights[look.place] = Sight(None, outcome, 0, Sketch())
    sight.in_a_row = 1 if is_new else sight.in_a_row + 1
    usual = sight.sketch.usual
    if look.reached:
        sight.sketch.add(look.latency_ms, look.sent)
        sight.unwritten += 1
    sight.outcome = outcome
    seen = Look(
        look.place,
        look.network,
        look.side,
        look.outcome,
        look.at,
        look.received_at,
        look.control,
        look.latency_ms,
        look.sent,
        sight.in_a_row,
        look.clock,
        usual,
    )
    return seen, is_new


def record(board: Board, judged: Sequence[Judged], changed: Sequence[tuple[Watched, Look]], now: dt.datetime) -> int:
    """Write what became other. Returns how many rows were written; endpoints without a consent any more are dropped."""
    told = [each for each in judged if not each.verdict.alarm and each.watched.short(each.verdict) != each.watched.said]
    sketches = [
        (watched, sight)
        for watched in {each.watched.consent: each.watched for each in judged}.values()
        for sight in watched.sights.values()
        if sight.unwritten >= SKETCH_EVERY
    ]
    touched = {each.watched.consent for each in told}
    touched |= {watched.consent for watched, _ in (*changed, *sketches)}
    if not touched:
        return 0
    with transaction.atomic():
        standing = _locked(touched)
        for gone in touched - standing:
            board.drop(gone)
        _write_spells([(watched, look) for watched, look in changed if watched.consent in standing], now)
        _write_facts([each for each in told if each.watched.consent in standing])
        _write_sketches([sight for watched, sight in sketches if watched.consent in standing])
        if told:
            wake(Channel.WORKFLOW)
    for each in told:
        each.watched.said = each.watched.short(each.verdict)
    return len(changed) + len(told) + len(sketches)


def measured(now: dt.datetime, *, failed: bool) -> None:
    """That we measured until now, or in vain."""
    last = Measured.objects.order_by("-last_at", "-pk").first()
    if last is not None and last.failed == failed and now - last.last_at < ONE_TIME:
        Measured.objects.filter(pk=last.pk).update(last_at=now)
    else:
        Measured.objects.create(began_at=now, last_at=now, failed=failed)


def see_control(place: str, network: str, outcome: Outcome | None, now: dt.datetime) -> None:
    """What a place saw of our own control endpoint, where that became other."""
    said = outcome.value if outcome is not None else ""
    open_one = Spell.objects.filter(consent=None, place=place, ended_at=None).first()
    if open_one is not None and open_one.outcome == said:
        return
    with transaction.atomic():
        Spell.objects.filter(consent=None, place=place, ended_at=None).update(ended_at=now)
        Spell.objects.create(place=place, network=network, side=Side.OUTSIDE, outcome=said, began_at=now)


def _locked(consents: set[uuid.UUID]) -> set[uuid.UUID]:
    found = Consent.objects.select_for_update(no_key=True).filter(pk__in=consents, withdrawn_at=None)
    return set(found.order_by("pk").values_list("pk", flat=True))


def _write_spells(changed: Sequence[tuple[Watched, Look]], now: dt.datetime) -> None:
    ending = [
        Spell(pk=sight.spell, ended_at=now, sketch=[] if watched.personal else sight.sketch.counts)
        for watched, look in changed
        if (sight := watched.sights[look.place]).spell is not None
    ]
    Spell.objects.bulk_update(ending, ["ended_at", "sketch"], batch_size=AT_ONCE)
    begun = Spell.objects.bulk_create(
        [
            Spell(
                consent_id=watched.consent,
                place=look.place,
                network=look.network,
                side=look.side.value,
                outcome=look.outcome.value if look.outcome is not None else "",
                began_at=now,
                sketch=watched.sights[look.place].sketch.counts,
            )
            for watched, look in changed
        ],
        batch_size=AT_ONCE,
    )
    for spell, (watched, look) in zip(begun, changed, strict=True):
        sight = watched.sights[look.place]
        sight.spell, sight.unwritten = spell.pk, 0


def _write_facts(told: Sequence[Judged]) -> None:
    seen = SeenFacts.objects.bulk_create(
        [SeenFacts(consent_id=each.watched.consent, at=each.facts.at, facts=each.facts.as_data()) for each in told],
        batch_size=AT_ONCE,
    )
    Conclusion.objects.bulk_create(
        [
            Conclusion(
                seen=facts,
                version=RULES_VERSION,
                state=each.verdict.state.value,
                rule=each.verdict.rule.value,
                verdict=each.verdict.as_data(),
            )
            for facts, each in zip(seen, told, strict=True)
        ],
        batch_size=AT_ONCE,
    )


def _write_sketches(sights: Sequence[Sight]) -> None:
    rows = [Spell(pk=sight.spell, sketch=sight.sketch.counts) for sight in sights if sight.spell is not None]
    Spell.objects.bulk_update(rows, ["sketch"], batch_size=AT_ONCE)
    for sight in sights:
        sight.unwritten = 0
