"""Past cases under a draft policy: which a rule would have decided otherwise, and why. It writes nothing.

Each case is assessed twice by the same pure function, on the checks as they stood when its way was decided: once under
the rules that it was sent under, once under the draft. Where the first does not give what happened (a fact was
overwritten since, an address would have reached nobody, the papers were erased), nothing can be said, and the case is
counted apart. A check that the draft adds was never made: such a case is told as one whose outcome would depend on it.
"""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from rahdari.apply.rules import Which
from rahdari.policy import CheckRule, Policy, add

from . import rules
from .case_clock import calendar, policy_by

# Cases whose checks are read in one query.
AT_ONCE = 2000
YEAR = dt.timedelta(days=365)


class Way(StrEnum):
    """What a rule makes of a case, from the best for the applicant to the worst."""

    AT_ONCE = "granted at once"
    PROVISIONAL = "granted provisionally"
    DEPENDS = "depends on a check that was never made"
    OFFICER = "to an officer"
    NOT_TAKEN = "not taken: no such service, or not open"


WAYS = tuple(Way)


@dataclass(frozen=True)
class Moved:
    """A case that would go another way. `because`: the kinds of check that stand in its way under the rules that are
    worse for it, or the check that was never made."""

    reference: str
    service: str
    at: dt.datetime
    was: Way
    would_be: Way
    because: tuple[str, ...]
    # What was decided in the end: granted | refused.
    outcome: str

    @property
    def is_worse(self) -> bool:
        return WAYS.index(self.would_be) > WAYS.index(self.was)


@dataclass
class Replay:
    cases: int = 0
    same: int = 0
    # What happened does not follow from what is on record any more.
    unknown: int = 0
    moved: list[Moved] = field(default_factory=list)

    def in_order(self) -> list[Moved]:
        """Worse for the applicant first, by how much, and the newest in front."""

        def rank(each: Moved) -> tuple[int, float]:
            return WAYS.index(each.was) - WAYS.index(each.would_be), -each.at.timestamp()

        return sorted(self.moved, key=rank)

    def numbers(self) -> dict[tuple[Way, str, Way, tuple[str, ...]], int]:
        """How many moved how, what had become of them, and because of what; worse ones first."""
        counted = Counter((each.was, each.outcome, each.would_be, each.because) for each in self.in_order())
        return dict(counted)


@dataclass(frozen=True, slots=True)
class PastCheck:
    kind: str
    target: str
    outcome: str
    opened_at: dt.datetime
    # It may stand for now, as the line has marked it.
    stands: bool


@dataclass(frozen=True, slots=True)
class PastCase:
    reference: str
    service: str
    policy: str
    is_mobile: bool
    has_card: bool
    was: Way
    outcome: str
    # When it was granted by a rule, or opened for an officer.
    at: dt.datetime
    subject: str


def replay(draft: Policy, *, now: dt.datetime, limit: int | None = None) -> Replay:
    """Run the cases that were decided in the last year, or the last `limit` of all, through the draft. In a transaction
    in which the database refuses to write."""
    found, judge = Replay(), Judge(draft)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        for cases, checks in _past(now, limit):
            for case in cases:
                judge.take_in(found, case, checks.get(case.subject, ()))
        # There is nothing to keep, and a caller's own transaction writes on.
        transaction.set_rollback(True)
    return found


class Judge:
    """Assesses by signature: of many thousand cases few differ in what was found."""

    def __init__(self, draft: Policy) -> None:
        self.draft = draft
        self._rules: dict[tuple[str, str, bool, bool], tuple[CheckRule, ...] | None] = {}
        self._assessed: dict[Any, tuple[Way, tuple[str, ...]]] = {}

    def take_in(self, found: Replay, case: PastCase, checks: Sequence[PastCheck]) -> None:
        found.cases += 1
        old, old_because = self.way(case.policy, policy_by(case.policy), case, checks)
        if old != case.was:
            found.unknown += 1
            return
        new, new_because = self.way("draft", self.draft, case, checks)
        if new == old:
            found.same += 1
            return
        worse = WAYS.index(new) > WAYS.index(old)
        because = new_because if worse or new == Way.DEPENDS else old_because
        found.moved.append(Moved(case.reference, case.service, case.at, old, new, because, case.outcome))

    def way(
        self, name: str, policy: Policy, case: PastCase, checks: Sequence[PastCheck]
    ) -> tuple[Way, tuple[str, ...]]:
        """What a rule of this policy makes of the case, and the kinds of check that stand in the way of the best."""
        key = (name, case.service, case.is_mobile, case.has_card)
        if key not in self._rules:
            self._rules[key] = rules_of(policy, case)
        asked = self._rules[key]
        if asked is None:
            return Way.NOT_TAKEN, ()
        facts = facts_of(asked, policy, checks, case.at)
        # Of an address only how many there are of a sort matters; a roster is told from another.
        signs = Counter((each.kind, each.target, each.outcome, each.past_clock) for each in facts)
        signature = (key, frozenset(signs.items()))
        if signature not in self._assessed:
            self._assessed[signature] = _way_of(rules.assess(rules=asked, facts=facts))
        return self._assessed[signature]


def _way_of(found: rules.Assessment) -> tuple[Way, tuple[str, ...]]:
    if isinstance(found, rules.Grantable):
        return Way.AT_ONCE, ()
    if isinstance(found, rules.Provisional):
        return Way.PROVISIONAL, _kinds(found.awaited)
    never = [fact for fact in found.missing if fact.outcome == "never_made"]
    if len(never) == len(found.missing):
        return Way.DEPENDS, _kinds(never)
    return Way.OFFICER, _kinds(found.missing)


def _kinds(facts: Iterable[rules.CheckFact]) -> tuple[str, ...]:
    named = {f"{fact.kind} ({fact.target})" if fact.kind == "roster" else fact.kind for fact in facts}
    return tuple(sorted(named))


def rules_of(policy: Policy, case: PastCase) -> tuple[CheckRule, ...] | None:
    """What this policy checks of such a case; None where it has no such service. As the rule does, a code that waits
    for its confirmation lets nothing stand provisionally in production."""
    service = policy.services.get(case.service)
    if service is None or not service.open:
        return None

    def is_usable(rule: CheckRule) -> bool:
        allowed = settings.REASONS_TO_CONFIRM_ALLOWED
        return rule.provisional is None or policy.reasons[rule.provisional.reason].usable(allowed)

    asked = service.checks_for(mobile=case.is_mobile, card=case.has_card)
    return tuple(rule if is_usable(rule) else replace(rule, provisional=None) for rule in asked)


def facts_of(
    asked: Sequence[CheckRule], policy: Policy, checks: Sequence[PastCheck], at: dt.datetime
) -> list[rules.CheckFact]:
    return [
        rules.CheckFact(
            check.kind,
            check.target if check.kind == "roster" else "",
            check.outcome,
            past_clock=check.outcome == "waiting" and _is_past_its_clock(asked, policy, check, at),
        )
        for check in checks
    ]


def _is_past_its_clock(asked: Sequence[CheckRule], policy: Policy, check: PastCheck, at: dt.datetime) -> bool:
    rule = next((one for one in asked if one.kind == check.kind and one.roster in {None, check.target}), None)
    if rule is None or rule.provisional is None:
        return False
    if check.stands or check.kind == "control":
        return check.stands  # without an operator that is late it waits for the applicant
    after = rule.provisional.after
    return not after or at >= add(start=check.opened_at, allowance=policy.clocks[after], calendar=calendar())


# -- what is on record -------------------------------------------------------------------------------------------

# Read through a cursor of the server, newest first: as many as fit in memory are never loaded at once.
CASES = """
SELECT application.reference, application.service, application.policy_id, application.fixed_address = %s,
    application.cnic_index <> '' OR application.number_erased_at IS NOT NULL,
    decision.outcome, decision.decided_by LIKE 'rule:%%', decision.provisional_until IS NOT NULL, decision.at,
    decided.opened_at, 'application:' || application.id
FROM decide_decision decision
JOIN decide_case decided ON decided.id = decision.case_id
JOIN apply_application application ON application.id = decided.application_id
WHERE decision.voided_at IS NULL AND application.erased_at IS NULL AND application.policy_id IS NOT NULL
    AND (%s::timestamptz IS NULL OR decision.at > %s::timestamptz)
ORDER BY decision.at DESC, decision.id LIMIT %s
"""
CHECKS = """
SELECT subject, kind, target, outcome, opened_at, answered_at, facts ? 'provisional', evidence -> 'before'
FROM checks_check WHERE subject = ANY(%s)
"""


def _past(now: dt.datetime, limit: int | None) -> Iterator[tuple[list[PastCase], Mapping[str, list[PastCheck]]]]:
    since = None if limit else now - YEAR
    with connection.cursor() as cursor:
        cursor.execute(f"DECLARE past_cases NO SCROLL CURSOR FOR {CASES}", [Which.MOBILE, since, since, limit])
        while True:
            cursor.execute(f"FETCH {AT_ONCE} FROM past_cases")
            cases = [_case(*row) for row in cursor.fetchall()]
            if not cases:
                break
            at = {case.subject: case.at for case in cases}
            cursor.execute(CHECKS, [list(at)])
            checks: dict[str, list[PastCheck]] = {}
            for subject, *row in cursor.fetchall():
                checks.setdefault(subject, []).append(_check(at[subject], *row))
            yield cases, checks
        cursor.execute("CLOSE past_cases")


def _case(
    reference: str,
    service: str,
    policy: str,
    is_mobile: bool,
    has_card: bool,
    outcome: str,
    by_rule: bool,
    provisional: bool,
    decided_at: dt.datetime,
    opened_at: dt.datetime,
    subject: str,
) -> PastCase:
    was = Way.OFFICER if not by_rule else Way.PROVISIONAL if provisional else Way.AT_ONCE
    at = decided_at if by_rule else opened_at
    return PastCase(reference, service, policy, is_mobile, has_card, was, outcome, at, subject)


def _check(
    at: dt.datetime,
    kind: str,
    target: str,
    outcome: str,
    opened_at: dt.datetime,
    answered_at: dt.datetime | None,
    stands: bool,
    before: str | None,
) -> PastCheck:
    """With the answer that it had at that time: what an officer found by hand, or somebody answered later, came after
    it. Where no earlier answer is kept, it waited."""
    known = json.loads(before) if before and answered_at is not None and answered_at > at else None
    while answered_at is not None and answered_at > at:
        known = known or {}
        outcome, said = known.get("outcome", "waiting"), known.get("answered_at")
        answered_at = dt.datetime.fromisoformat(said) if said else None
        known = (known.get("evidence") or {}).get("before")
    return PastCheck(kind, target, outcome, opened_at, stands)
