"""Checks: opened once, answered from the facts, again while they wait, or by an officer."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from django.db import transaction
from django.db.models import QuerySet

from rahdari.db.queues import attempt, each_of
from rahdari.journal import actions as journal

from . import queries
from .answers import CheckRequest, answer, facts_of, still_awaited
from .evidence import Before, Evidence
from .kinds import KINDS
from .models import Check, Outcome
from .rules import Answer, under_the_listed_name, with_the_holders_yes

RULE = "system:checks"
# What an answer writes.
ANSWERED = ("is_looked_for", "outcome", "finding", "evidence", "answered_at", "answered_by", "reason_code")


class NotACheckOutcome(ValueError):
    """A check is recorded as passed or failed, with words on how that is known."""


def lock(subject: str) -> None:
    """All checks of a subject, for whoever locks what is marked with each answer, too: in this order, and always by
    their ids, so that two writers wait for each other and not in a ring."""
    list(Check.objects.select_for_update(no_key=True).filter(subject=subject).order_by("id").values_list("pk"))


@transaction.atomic
def open_checks(
    *, subject: str, requests: Sequence[CheckRequest], now: dt.datetime, actor: str = RULE
) -> QuerySet[Check]:
    """Open the checks of a subject and answer at once those that can be. A check that is open already is left as it is.

    Open the challenges of its blocks first: a control check for which nothing is pending fails.
    """
    known = set(queries.checks_of(subject).values_list("kind", "target"))
    if known:
        answer_waiting.among(_to_answer().filter(subject=subject), now)
    new: dict[tuple[str, str], Check] = {}
    for position, request in enumerate(requests):
        if (request.kind, request.target) not in known:
            new.setdefault((request.kind, request.target), _opened(subject, position, request, now))
    if new:
        # Nobody else has them yet: they are written with their answers. One whose answer fails waits for the queue.
        is_ready = _not_awaited(list(new.values()), now)
        for check in filter(is_ready, new.values()):
            attempt(answer_waiting.name, str(check.pk), partial(_answer, check, now), now)
        # Should two come at once, the database takes each check once.
        Check.objects.bulk_create(new.values(), ignore_conflicts=True)
        journal.record(act="checks.opened", actor=actor, subject=subject, now=now, detail={"count": len(new)})
    return queries.checks_of(subject)


def _opened(subject: str, position: int, request: CheckRequest, now: dt.datetime) -> Check:
    title = request.title
    return Check(
        subject=subject,
        kind=request.kind,
        target=request.target,
        position=position,
        required=request.required,
        title=title if isinstance(title, dict) else {"en": title.en, "ur": title.ur} if title else {},
        facts=facts_of(request),
        reason=request.reason,
        opened_at=now,
    )


def _to_answer() -> QuerySet[Check]:
    """What waits for something that the house finds out by itself."""
    return queries.waiting_checks().filter(is_looked_for=True)


def _not_awaited(batch: list[Check], now: dt.datetime) -> Callable[[Check], bool]:
    """The proof of many is still awaited: seen for all of them at once, however many they are."""
    awaited = still_awaited(batch, now)
    return lambda check: check.pk not in awaited


@each_of(_to_answer, at_most=1000, lock=True, ready=_not_awaited)
def answer_waiting(check: Check, now: dt.datetime) -> bool:
    """Answer again what waits."""
    answered = _answer(check, now)
    if answered or not check.is_looked_for:
        check.save(update_fields=ANSWERED)
    return answered


def _answer(check: Check, now: dt.datetime) -> bool:
    """Set what is known now, and whether there is anything to look for. Returns whether it is an answer; the caller
    saves it."""
    found = answer(check, now=now)
    if found.result == "waiting":
        check.is_looked_for = KINDS[check.kind].from_facts
        return False
    _record(check, found.result, found.finding, found.evidence, RULE, now)
    check.reason_code = check.reason if found.result == "failed" and found.blames else ""
    return True


@transaction.atomic
def answer_check(
    *,
    subject: str,
    kind: str,
    target: str,
    found: Answer,
    actor: str,
    now: dt.datetime,
    anew: bool = False,
) -> bool:
    """Carry the answer of a room beside this one to the check that waits for it. Returns whether it was recorded.

    A check that has its answer keeps it, unless `anew`: then what was known before stays in the evidence, as with an
    answer by hand. Nothing waits under that name: nothing happens.
    """
    check = Check.objects.select_for_update().filter(subject=subject, kind=kind, target=target).first()
    if check is None or found.result == "waiting":
        return False
    if kind == "represents":  # whoever the answer comes from
        found = with_the_holders_yes(under_the_listed_name(found, check.facts), check.facts)
    if check.outcome != Outcome.WAITING:
        if not anew or (check.outcome, check.finding) == (found.result, found.finding):
            return False
        found = replace(found, evidence={**found.evidence, "before": _as_it_was(check)})
    _record(check, found.result, found.finding, found.evidence, actor, now)
    check.reason_code = check.reason if found.result == "failed" and found.blames else ""
    check.save()
    journal.record(
        act="checks.answered",
        actor=actor,
        subject=subject,
        now=now,
        detail={"check": str(check.pk), "kind": kind, "outcome": found.result, "finding": found.finding},
    )
    return True


@transaction.atomic
def mark_provisional(
    *,
    subject: str,
    kind: str,
    target: str,
    finding: str,
    evidence: Evidence,
    actor: str,
    now: dt.datetime,
    anew: bool = False,
) -> bool:
    """What is known of a check that waits is enough for a while: it goes on waiting, and says so. True if it is new.

    With `anew` one that failed waits again, and what was known before stays in the evidence.
    """
    check = Check.objects.select_for_update().filter(subject=subject, kind=kind, target=target).first()
    if check is None or check.finding == finding:
        return False
    if check.outcome != Outcome.WAITING:
        if not anew or check.outcome != Outcome.FAILED:
            return False
        evidence = {**evidence, "before": _as_it_was(check)}
    check.outcome, check.answered_at, check.answered_by, check.reason_code = Outcome.WAITING, None, "", ""
    check.finding, check.evidence = finding, evidence
    check.facts = {**check.facts, "provisional": True}
    check.save()
    detail = {"check": str(check.pk), "kind": kind, "finding": finding}
    journal.record(act="checks.marked_provisional", actor=actor, subject=subject, now=now, detail=detail)
    return True


@transaction.atomic
def recheck(*, subject: str, kind: str, now: dt.datetime) -> int:
    """Answer the checks of one kind anew, from what is known now. Returns how many were answered."""
    answered = 0
    for check in Check.objects.select_for_update().filter(subject=subject, kind=kind).order_by("id"):
        found = answer(check, now=now)
        if found.result == "waiting":
            continue
        _record(check, found.result, found.finding, found.evidence, RULE, now)
        check.reason_code = check.reason if found.result == "failed" and found.blames else ""
        check.save()
        answered += 1
    if answered:
        detail = {"kind": kind, "count": answered}
        journal.record(act="checks.looked_again", actor=RULE, subject=subject, now=now, detail=detail)
    return answered


@transaction.atomic
def ask_again(*, subject: str, requests: Sequence[CheckRequest], now: dt.datetime) -> int:
    """Answer anew what failed on the house's own facts, and keep what passes now: the world moved since.

    Returns how many passed. An officer's own answer stands, as does whatever a person has to look at.
    """
    asked = {(request.kind, request.target): request for request in requests if KINDS[request.kind].from_facts}
    passed = 0
    for check in Check.objects.select_for_update().filter(subject=subject, outcome=Outcome.FAILED).order_by("id"):
        request = asked.get((check.kind, check.target))
        if request is None or check.finding == "by_hand":
            continue
        was_shown = check.facts.get("shown", False)
        check.facts = facts_of(request)
        if was_shown:  # by a code, which no list knows of
            check.facts["shown"] = True
        found = answer(check, now=now)
        if found.result == "passed":
            found = replace(found, evidence={**found.evidence, "before": _as_it_was(check)})
            _record(check, found.result, found.finding, found.evidence, RULE, now)
            check.reason_code = ""
            check.save()
            passed += 1
    if passed:
        detail = {"count": passed}
        journal.record(act="checks.passed_late", actor=RULE, subject=subject, now=now, detail=detail)
    return passed


@transaction.atomic
def record_by_hand(*, check: Check, outcome: str, how: str, actor: str, now: dt.datetime) -> Check:
    """An officer's own answer to a check, with words on how it is known. The answer before it stays in the evidence.
    Raises NotACheckOutcome for another outcome than passed or failed, or without words.
    """
    if outcome not in {Outcome.PASSED, Outcome.FAILED} or not how.strip():
        raise NotACheckOutcome(outcome)
    check = Check.objects.select_for_update().get(pk=check.pk)
    _record(check, outcome, "by_hand", {"before": _as_it_was(check)}, actor, now)
    check.how = how.strip()
    check.reason_code = check.reason if outcome == Outcome.FAILED else ""
    check.save()
    journal.record(
        act="checks.recorded_by_hand",
        actor=actor,
        subject=check.subject,
        now=now,
        detail={"check": str(check.pk), "kind": check.kind, "outcome": outcome},
    )
    return check


def _as_it_was(check: Check) -> Before:
    return {
        "outcome": check.outcome,
        "finding": check.finding,
        "evidence": check.evidence,
        "answered_at": check.answered_at.isoformat() if check.answered_at else None,
        "answered_by": check.answered_by,
    }


def _record(check: Check, outcome: str, finding: str, evidence: Evidence, answered_by: str, now: dt.datetime) -> None:
    check.outcome, check.finding, check.evidence = outcome, finding, evidence
    check.answered_at, check.answered_by = now, answered_by
