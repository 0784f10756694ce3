"""What the facts of one minute come to: one of six states, by a rule that is named. Pure.

    verdict = judge(facts)
    verdict.state, verdict.rule, verdict.version, verdict.as_data()

Invariants, each held by a test:
- The same facts give the same bytes, in whatever order they came.
- One place alone decides nothing: what is said needs two networks beyond the operator's whose control worked.
- `this_operator` needs, besides, that no network outside reaches the endpoint, twice in a row and by more than two of
  three that were asked, while most other operators are in order; and two independent signs that the server runs, or
  that nearly all stopped together there.
- Whoever reaches the endpoint from outside, in truth or not, never makes an operator the cause.

A change of what these rules say is a new RULES_VERSION: `rahdari watch rescore` shows what it changes.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from rahdari.probe.outcome import Outcome

from .facts import Facts, Look, Neighbours, Side, as_bytes

RULES_VERSION = 1

NETWORKS_NEEDED = 2
# A look is lost now and then: an operator is named for what was so twice.
IN_A_ROW = 2
# What came later than this after the minute began is kept, and judged no more: it would change what was said.
LATE_AFTER = dt.timedelta(seconds=90)
# What the holder's agent saw counts so long: less than from one look to the next, so that of a server that went off in
# between it says nothing when an operator could be named for it.
AGENT_COUNTS_FOR = dt.timedelta(minutes=4, seconds=30)
CLOCK_MAY_DIFFER = dt.timedelta(minutes=2)
# Slow is by the endpoint's own measure: so many looks make one, and it takes so much more than is usual.
LOOKS_FOR_USUAL = 20
SLOW_TIMES = 2
SLOW_AT_LEAST_MS = 100
LOST_PACKETS = 2
# An operator is in order when so many holders are reached there and at most one of five is not.
HOLDERS_TO_COMPARE = 3
# Together: so many holders, so large a share of the operator's, and ten times the share elsewhere.
TOGETHER = 3
TOGETHER_PERCENT = 5
TOGETHER_TIMES = 10
# Nearly all: of an operator with so many holders.
WHOLE_OPERATOR = 10
WHOLE_PERCENT = 95


class State(StrEnum):
    IN_ORDER = "in_order"
    IMPAIRED = "impaired"
    SERVER_DOWN = "server_down"
    PATH_BLOCKED = "path_blocked"
    THIS_OPERATOR = "this_operator"
    NOT_ENOUGH = "not_enough"


class Rule(StrEnum):
    """Why. The words are the page's (`watch.words`)."""

    REACHED = "reached"
    SLOW = "slow"
    DIVIDED = "divided"  # two networks reach it, two do not
    NOT_FROM_INSIDE = "not_from_inside"  # reached from outside, and not from two places inside
    NO_WAY_OUT = "no_way_out"  # reached, but the holder's agent does not reach our control
    RUNS_INSIDE = "runs_inside"  # seen alive from inside the operator's network, not reached from outside
    RUNS_THERE = "runs_there"  # seen alive by the holder's agent, not reached from outside
    CUT_AT_EDGE = "cut_at_edge"  # two signs that it runs; no network reaches it; others at other operators are reached
    CUT_TOGETHER = "cut_together"  # the same with many who stopped in the same minutes
    WHOLE_OPERATOR = "whole_operator"  # nearly all of the operator stopped together
    OWN_AGENT = "own_agent"  # the holder's agent does not reach it either
    TURNED_AWAY = "turned_away"  # the machine answers that nothing listens there
    SILENT_INSIDE = "silent_inside"  # not reached from inside either, where others are
    OTHER_KEY = "other_key"  # somebody answers, with another key than was proved
    OUTSIDE_ONLY = "outside_only"  # not reached from outside, and nobody looked from inside
    SIGNS_DIFFER = "signs_differ"  # inside and beside the server say the opposite
    STOPPED_TOGETHER = "stopped_together"  # many stopped in the same minutes, and nobody saw whether their servers run
    ONE_AGAINST_ONE = "one_against_one"
    TOO_FEW_NETWORKS = "too_few_networks"
    CONTROL_FAILED = "control_failed"  # of all places that we asked none reaches our control: the fault is ours


@dataclass(frozen=True)
class Verdict:
    """The state, the rule that gave it, and what counted. `set_aside` are places and why they did not.

    `dissent` networks say otherwise. `alarm`: it is our own measurement that fails, and we are to look after it.
    """

    state: State
    rule: Rule
    version: int
    reached: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()
    set_aside: tuple[tuple[str, str], ...] = ()
    dissent: int = 0
    alarm: bool = False

    def as_data(self) -> dict[str, Any]:
        """Plain data for a record."""
        return {
            "state": self.state.value,
            "rule": self.rule.value,
            "version": self.version,
            "reached": list(self.reached),
            "failed": list(self.failed),
            "alive": list(self.alive),
            "set_aside": [list(each) for each in self.set_aside],
            "dissent": self.dissent,
            "alarm": self.alarm,
        }

    def as_bytes(self) -> bytes:
        return as_bytes(self.as_data())


def judge(facts: Facts) -> Verdict:
    """What the facts come to."""
    # 1) Set aside what cannot count: late, by a wrong clock, from a place without a working control.
    seen = _Seen(facts)
    state, rule = _conclude(facts, seen)
    dissent = min(len(seen.reached), len(seen.failed))
    return Verdict(
        state,
        rule,
        RULES_VERSION,
        reached=tuple(sorted(seen.reached)),
        failed=tuple(sorted(seen.failed)),
        alive=tuple(sorted(seen.alive)),
        set_aside=tuple(sorted(seen.set_aside)),
        dissent=dissent,
        alarm=rule is Rule.CONTROL_FAILED,
    )


def _conclude(facts: Facts, seen: "_Seen") -> tuple[State, Rule]:
    reached, failed = len(seen.reached), len(seen.failed)
    # 2) Enough networks beyond the operator's?
    if seen.asked and not seen.controls_worked:
        return State.NOT_ENOUGH, Rule.CONTROL_FAILED
    if reached + failed < NETWORKS_NEEDED:
        return State.NOT_ENOUGH, Rule.TOO_FEW_NETWORKS
    # 3) Reached, by two networks or more.
    if reached >= NETWORKS_NEEDED:
        if failed >= NETWORKS_NEEDED:
            return State.PATH_BLOCKED, Rule.DIVIDED
        if seen.inside_failed >= NETWORKS_NEEDED and not seen.inside_reached:
            return State.PATH_BLOCKED, Rule.NOT_FROM_INSIDE
        if seen.way_out is False:
            return State.PATH_BLOCKED, Rule.NO_WAY_OUT
        if len(seen.slow | seen.failed) >= NETWORKS_NEEDED:
            return State.IMPAIRED, Rule.SLOW
        return State.IN_ORDER, Rule.REACHED
    if failed < NETWORKS_NEEDED:
        return State.NOT_ENOUGH, Rule.ONE_AGAINST_ONE
    # 4) Not reached. Another key is no failure of the path unless somebody met the right one.
    if len(seen.other_key) >= NETWORKS_NEEDED and not seen.proved_somewhere:
        return State.NOT_ENOUGH, Rule.OTHER_KEY
    return _not_reached(facts, seen)


def _not_reached(facts: Facts, seen: "_Seen") -> tuple[State, Rule]:
    """5) Two networks or more do not reach it, and at most one says that it does: where does it break?"""
    at_holder = seen.at_holder
    if at_holder is False:
        if seen.inside is True:
            return State.NOT_ENOUGH, Rule.SIGNS_DIFFER
        return State.SERVER_DOWN, Rule.OWN_AGENT
    together = _stopped_together(facts.same_operator, facts.others)
    if not seen.alive and len(seen.refused) >= NETWORKS_NEEDED and seen.refused == seen.failed:
        return State.SERVER_DOWN, Rule.TURNED_AWAY
    # One network that reaches it is enough to name nobody.
    if seen.unanimous and seen.again and _differs(facts.others):
        if len(seen.alive) >= 2 and seen.inside is True:
            return State.THIS_OPERATOR, Rule.CUT_AT_EDGE
        if together and seen.alive and _mostly_alive(facts.same_operator):
            return State.THIS_OPERATOR, Rule.CUT_TOGETHER
        if together and _nearly_all(facts.same_operator):
            return State.THIS_OPERATOR, Rule.WHOLE_OPERATOR
    if seen.inside is True:
        return State.PATH_BLOCKED, Rule.RUNS_INSIDE
    if at_holder is True:
        return State.PATH_BLOCKED, Rule.RUNS_THERE
    if together:
        return State.NOT_ENOUGH, Rule.STOPPED_TOGETHER
    if seen.inside is False and _in_order(facts.same_operator):
        return State.SERVER_DOWN, Rule.SILENT_INSIDE
    return State.NOT_ENOUGH, Rule.OUTSIDE_ONLY


class _Seen:
    """The looks that count, by network and side."""

    def __init__(self, facts: Facts) -> None:
        self._looks, self._own = facts.looks, set(facts.networks)
        self.set_aside: list[tuple[str, str]] = []
        self.asked = self.controls_worked = 0
        counted = [look for look in _last_of_each(facts.looks) if self._counts(look, facts)]
        outside = [look for look in counted if look.side is Side.OUTSIDE]
        self._by_network(outside)
        inside = [look for look in counted if look.side is Side.INSIDE]
        self.inside_reached = sum(look.reached for look in inside)
        self.inside_failed = len(inside) - self.inside_reached
        # None: nobody looked, or they are of two minds.
        self.inside = _majority(self.inside_reached, self.inside_failed)
        holder = [look for look in counted if look.side is Side.HOLDER]
        self.at_holder = _majority(sum(look.reached for look in holder), sum(not look.reached for look in holder))
        ways = [look.control_worked for look in holder if look.control is not None]
        self.way_out = _majority(sum(ways), len(ways) - sum(ways))
        alive = [look for look in inside if look.reached and self.inside is True]
        alive += [look for look in holder if look.reached and self.at_holder is True]
        self.alive = [look.place for look in alive]
        self.proved_somewhere = any(look.outcome is Outcome.PROVED for look in counted)

    def _counts(self, look: Look, facts: Facts) -> bool:
        why = self._why_not(look, facts)
        if why:
            self.set_aside.append((look.place, why))
        return not why

    def _why_not(self, look: Look, facts: Facts) -> str:
        ours = look.side is not Side.HOLDER
        self.asked += ours
        oldest = facts.at - (LATE_AFTER if ours else AGENT_COUNTS_FOR)
        if look.received_at - facts.at > LATE_AFTER or look.at < oldest:
            return "late"
        if look.clock is not None and abs(look.clock - look.at) > CLOCK_MAY_DIFFER:
            return "clock"
        self.controls_worked += ours and look.control_worked
        if look.outcome is None:
            return "absent"
        if ours and not look.control_worked:
            return "control"
        if ours and (look.network in facts.networks) is not (look.side is Side.INSIDE):
            return "network"
        return ""

    def _by_network(self, outside: Sequence[Look]) -> None:
        """A network whose places say both counts for neither, and keeps an operator from being named."""
        networks: dict[str, list[Look]] = {}
        for look in outside:
            networks.setdefault(look.network, []).append(look)
        self.reached = {name for name, looks in networks.items() if all(look.reached for look in looks)}
        self.failed = {name for name, looks in networks.items() if not any(look.reached for look in looks)}
        self.mixed = set(networks) - self.reached - self.failed
        self.slow = {name for name in self.reached if all(_is_slow(look) for look in networks[name])}
        # Nobody reaches it, and more than two of three networks that were asked say so.
        asked = {look.network for look in self._looks if look.side is Side.OUTSIDE} - self._own
        self.unanimous = not self.reached and not self.mixed and 3 * len(self.failed) > 2 * len(asked)
        self.again = all(look.in_a_row >= IN_A_ROW for name in self.failed for look in networks[name])
        self.refused = self._all_with(networks, Outcome.REFUSED)
        self.other_key = self._all_with(networks, Outcome.OTHER_KEY)

    def _all_with(self, networks: dict[str, list[Look]], outcome: Outcome) -> set[str]:
        return {name for name in self.failed if all(look.outcome is outcome for look in networks[name])}


def _last_of_each(looks: Sequence[Look]) -> list[Look]:
    """Each place counts once: by its last look; of two at once by the one that failed to reach it."""
    last: dict[str, Look] = {}
    for look in looks:
        other = last.get(look.place)
        if other is None or _order(look) > _order(other):
            last[look.place] = look
    return sorted(last.values(), key=lambda look: look.place)


def _order(look: Look) -> tuple[Any, ...]:
    return look.at, not look.reached, as_bytes(look.as_data())


def _majority(yes: int, no: int) -> bool | None:
    return None if yes == no else yes > no


def _is_slow(look: Look) -> bool:
    usual = look.usual
    if usual is None or usual.looks < LOOKS_FOR_USUAL:
        return False
    limit = max(SLOW_TIMES * usual.high_ms, usual.high_ms + SLOW_AT_LEAST_MS)
    return look.latency_ms > limit or look.sent >= usual.sent + LOST_PACKETS


def _in_order(others: Neighbours) -> bool:
    return others.reached >= HOLDERS_TO_COMPARE and others.failed * 5 <= others.holders


def _differs(others: Sequence[Neighbours]) -> bool:
    """Half of the other operators are in order: what stops this one does not stop all."""
    measured = [each for each in others if each.holders >= HOLDERS_TO_COMPARE]
    return bool(measured) and 2 * sum(map(_in_order, measured)) >= len(measured)


def _stopped_together(here: Neighbours, others: Sequence[Neighbours]) -> bool:
    """So many of the operator's holders stopped in the same minutes as chance does not have it elsewhere."""
    if here.began < TOGETHER or here.began * 100 < TOGETHER_PERCENT * here.holders:
        return False
    steady = list(filter(_in_order, others))
    began, holders = sum(each.began for each in steady), sum(each.holders for each in steady)
    return here.began * holders >= TOGETHER_TIMES * began * here.holders


def _mostly_alive(here: Neighbours) -> bool:
    return here.alive > here.dead


def _nearly_all(here: Neighbours) -> bool:
    many = here.holders >= WHOLE_OPERATOR and here.failed * 100 >= WHOLE_PERCENT * here.holders
    return many and here.dead <= here.alive
