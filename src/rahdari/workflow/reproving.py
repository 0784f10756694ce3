"""From register to control and back: proofs that are shown again during the term, and who hears of one in vain.

A proof in vain takes nothing from anybody: the holder gets a letter, the officers see it on their list, and whatever
follows is an officer's act.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from functools import partial
from itertools import batched
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from rahdari import policy as policies
from rahdari.address import format_block
from rahdari.control import expected_claims, reproofs
from rahdari.control import queries as proofs
from rahdari.control.models import Challenge, Reproof
from rahdari.db.queues import AT_ONCE, attempt, each_of
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.policy import Proof
from rahdari.register import queries as register
from rahdari.register.models import Entry

from .branch_letters import notify_branches

# How far back the clock catches up after a long stop.
LOOKS_BACK = dt.timedelta(days=30)
# When so much of a term is over depends on the end of the registration, so that no index finds it: all entries are
# looked through, which takes a second for a million of them.
LOOKS_AGAIN = dt.timedelta(minutes=15)
READ_AT_ONCE = 5_000


def prove_in_term(now: dt.datetime) -> int:
    """Entries of which that share of the term is over that the policy names: ask for their proof again, once each."""
    rules = policies.current(settings.POLICY_FILE).proof
    if not rules.again_at:
        return 0
    due = register.at_share_of_term(percent=rules.again_at, start=now - LOOKS_BACK, end=now)
    # Of a large register there are very many, of which nearly all were asked: they are looked through, not loaded.
    for part in batched(due.values_list("pk", "valid_from").iterator(), READ_AT_ONCE):
        occasions = {pk: f"term:{begins:%Y-%m-%d}" for pk, begins in part}
        known = proofs.occasions_known((about(pk), occasion) for pk, occasion in occasions.items())
        new = [pk for pk, occasion in occasions.items() if (about(pk), occasion) not in known]
        entries = register.active_by_id(new)
        if begun := _begin_some([(entries[pk], occasions[pk]) for pk in new if pk in entries], rules, now):
            return begun
    return 0


def prove_rerouted(now: dt.datetime) -> int:
    """Entries that another network announces now: ask for their proof again, once for each change."""
    rules = policies.current(settings.POLICY_FILE).proof
    if not rules.again_when_rerouted:
        return 0
    due = [(each.about or each.entry, f"reroute:{each.pk}") for each in register.rerouted_since(start=now - LOOKS_BACK)]
    known = proofs.occasions_known((about_of(entry), occasion) for entry, occasion in due)
    new = [(entry, occasion) for entry, occasion in due if (about_of(entry), occasion) not in known]
    return _begin_some(new, rules, now)


def _begin_some(new: Sequence[tuple[Entry, str]], rules: Proof, now: dt.datetime) -> int:
    """Of these the first that stand on a proof. Others stand on something else, an operator's word or an officer's
    check, and are never asked: they keep nobody behind them waiting.
    """
    known = proofs.proofs_of(entry.subject for entry, _ in new)
    shown = [(entry, occasion, known.get((entry.subject, str(entry.block)))) for entry, occasion in new]
    wanted = [(entry, occasion, proof) for entry, occasion, proof in shown if proof is not None][:AT_ONCE]
    return sum(
        attempt("workflow.proving.begin", about_of(entry), partial(_begin, entry, occasion, proof, rules, now), now)
        for entry, occasion, proof in wanted
    )


def about(entry: uuid.UUID) -> str:
    return f"entry:{entry}"


def about_of(entry: Entry) -> str:
    return about(entry.pk)


@transaction.atomic
def _begin(entry: Entry, occasion: str, proof: Challenge, rules: Proof, now: dt.datetime) -> None:
    reproof = reproofs.begin_reproof(
        about=about_of(entry),
        occasion=occasion,
        proof=proof,
        windows=rules.windows,
        between=rules.between_windows,
        now=now,
    )
    if not expected_claims.can_be_repeated(proof):
        _write(reproof, entry, "proof_wanted", now)


@each_of(proofs.reproofs_to_follow, lock=True)
def follow_reproofs(reproof: Reproof, now: dt.datetime) -> bool:
    """Proofs asked for again: those that succeeded are closed; of those in vain the holder is told, once."""
    ended = reproofs.follow_reproof(reproof=reproof, now=now)
    entry = register.entry_by_id(uuid.UUID(reproof.about.removeprefix("entry:"))) if ended else None
    if reproof.state == Reproof.State.IN_VAIN and entry is not None and entry.ended_at is None:
        _write(reproof, entry, "proof_in_vain", now)
    return ended


def _write(reproof: Reproof, entry: Entry, template: str, now: dt.datetime) -> None:
    registration = entry.registration
    told: dict[str, Any] = {
        "registration": registration.reference,
        "address": format_block(entry.block),
        "url": reverse("portal:prove_again", args=[registration.reference, entry.pk]),
    }
    if template == "proof_wanted":
        told["until"] = reproof.opened_at + reproof.between * reproof.windows
    of_branch = {name: told[name] for name in ("address", "registration")}
    notify_branches([entry.subject], f"branch_{template}", of_branch, now=now)
    for person in people.people_to_notify(entry.holder):
        letters.write_once(
            to=person,
            template=template,
            about=f"registration:{registration.pk}",
            once=f"{template}:{reproof.pk}",
            context=told,
            now=now,
        )
