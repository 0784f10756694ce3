"""The six states: each by the facts that make it, on bad days too; an operator never for less than its rule asks."""

import datetime as dt
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rahdari.probe.outcome import Outcome
from rahdari.watch.facts import Facts, Look, Neighbours, Side, Usual, as_bytes, facts_from
from rahdari.watch.verdicts import Rule, State, judge
from tests.needs import fewer

from .seen import AT, CUT, FINE, OPERATOR, facts, holder, inside, look, outside

UP, SILENT, REFUSED, OTHER = Outcome.PROVED, Outcome.SILENT, Outcome.REFUSED, Outcome.OTHER_KEY
HOURS = dt.timedelta(hours=3)
USUAL = Usual(looks=200, median_ms=40, high_ms=60, sent=1)
BROKEN = Neighbours(reached=5, failed=15)

CASES = {
    "reached": (facts(outside(UP, UP, UP)), State.IN_ORDER, Rule.REACHED),
    "one of three lies or has a fault of its own": (facts(outside(UP, UP, SILENT)), State.IN_ORDER, Rule.REACHED),
    "slow from two": (facts(outside(UP, UP, latency_ms=400, usual=USUAL)), State.IMPAIRED, Rule.SLOW),
    "packets are lost": (facts(outside(UP, UP, latency_ms=40, sent=3, usual=USUAL)), State.IMPAIRED, Rule.SLOW),
    "slow from one, lost from another": (
        facts(outside(UP, latency_ms=400, usual=USUAL), [look("b", "AS64520", UP), look("c", "AS64521", SILENT)]),
        State.IMPAIRED,
        Rule.SLOW,
    ),
    "nothing is usual yet": (
        facts(outside(UP, UP, latency_ms=400, usual=replace(USUAL, looks=5))),
        State.IN_ORDER,
        Rule.REACHED,
    ),
    "two reach it, two do not": (facts(outside(UP, UP, SILENT, SILENT)), State.PATH_BLOCKED, Rule.DIVIDED),
    "not from inside": (facts(outside(UP, UP), inside(SILENT, SILENT)), State.PATH_BLOCKED, Rule.NOT_FROM_INSIDE),
    "one inside lies": (facts(outside(UP, UP), inside(SILENT)), State.IN_ORDER, Rule.REACHED),
    "no way out": (facts(outside(UP, UP), holder(UP, control=SILENT)), State.PATH_BLOCKED, Rule.NO_WAY_OUT),
    "server off, seen beside it": (
        facts(outside(SILENT, SILENT), holder(SILENT)),
        State.SERVER_DOWN,
        Rule.OWN_AGENT,
    ),
    "server off, one says that it answers": (
        facts(outside(SILENT, SILENT, UP), holder(SILENT)),
        State.SERVER_DOWN,
        Rule.OWN_AGENT,
    ),
    "nothing listens": (facts(outside(REFUSED, REFUSED)), State.SERVER_DOWN, Rule.TURNED_AWAY),
    "silent everywhere": (facts(outside(SILENT, SILENT), inside(SILENT)), State.SERVER_DOWN, Rule.SILENT_INSIDE),
    "silent, nobody inside": (facts(outside(SILENT, SILENT)), State.NOT_ENOUGH, Rule.OUTSIDE_ONLY),
    "runs beside the holder": (facts(outside(SILENT, SILENT), holder(UP)), State.PATH_BLOCKED, Rule.RUNS_THERE),
    "runs inside, by one sign": (facts(outside(SILENT, SILENT), inside(UP)), State.PATH_BLOCKED, Rule.RUNS_INSIDE),
    "cut at the edge": (
        facts(outside(SILENT, SILENT), inside(UP), holder(UP)),
        State.THIS_OPERATOR,
        Rule.CUT_AT_EDGE,
    ),
    "the same, and one of three could not be asked": (
        facts(outside(SILENT, SILENT, None), inside(UP), holder(UP)),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "turned away by the machine while all are cut": (
        facts(outside(REFUSED, REFUSED), here=Neighbours(failed=40, began=40)),
        State.SERVER_DOWN,
        Rule.TURNED_AWAY,
    ),
    "the same for the first time": (
        facts(outside(SILENT, SILENT, in_a_row=1), inside(UP), holder(UP)),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "the same, and one says that it answers": (
        facts(outside(SILENT, SILENT, UP), inside(UP), holder(UP)),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "the same at all operators": (
        facts(outside(SILENT, SILENT), inside(UP), holder(UP), others=(BROKEN, BROKEN)),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "the same at one of two others": (
        facts(outside(SILENT, SILENT), inside(UP), holder(UP), others=(BROKEN, FINE)),
        State.THIS_OPERATOR,
        Rule.CUT_AT_EDGE,
    ),
    "the same with nobody to compare": (
        facts(outside(SILENT, SILENT), inside(UP), holder(UP), others=()),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "many were cut together": (
        facts(outside(SILENT, SILENT), holder(UP), here=CUT),
        State.THIS_OPERATOR,
        Rule.CUT_TOGETHER,
    ),
    "many stopped, and of most the server too": (
        facts(outside(SILENT, SILENT), holder(UP), here=CUT._replace(dead=3)),
        State.PATH_BLOCKED,
        Rule.RUNS_THERE,
    ),
    "many stopped with their power": (
        facts(outside(SILENT, SILENT), here=Neighbours(reached=6, failed=12, began=12, dead=3)),
        State.NOT_ENOUGH,
        Rule.STOPPED_TOGETHER,
    ),
    "the whole operator": (
        facts(outside(SILENT, SILENT), here=Neighbours(failed=40, began=40)),
        State.THIS_OPERATOR,
        Rule.WHOLE_OPERATOR,
    ),
    "the whole country": (
        facts(outside(SILENT, SILENT), here=Neighbours(failed=40, began=40), others=(Neighbours(failed=30, began=30),)),
        State.NOT_ENOUGH,
        Rule.STOPPED_TOGETHER,
    ),
    "another certificate": (facts(outside(OTHER, OTHER), inside(OTHER)), State.NOT_ENOUGH, Rule.OTHER_KEY),
    "somebody else answers outside": (facts(outside(OTHER, OTHER), inside(UP)), State.PATH_BLOCKED, Rule.RUNS_INSIDE),
    "the agent and the inside differ": (
        facts(outside(SILENT, SILENT), inside(UP), holder(SILENT)),
        State.NOT_ENOUGH,
        Rule.SIGNS_DIFFER,
    ),
    "one against one": (facts(outside(SILENT, UP)), State.NOT_ENOUGH, Rule.ONE_AGAINST_ONE),
    "all vantages in one network": (
        facts([look(f"v{n}", "AS64510", SILENT) for n in range(4)], inside(UP), holder(UP)),
        State.NOT_ENOUGH,
        Rule.TOO_FEW_NETWORKS,
    ),
    "one network of two minds": (
        facts(
            outside(SILENT, SILENT), [look("x", "AS64510", UP), look("y", "AS64512", SILENT)], inside(UP), holder(UP)
        ),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "our own network is cut": (
        facts(outside(SILENT, SILENT, SILENT, control=SILENT), holder(UP)),
        State.NOT_ENOUGH,
        Rule.CONTROL_FAILED,
    ),
    "no vantage can be asked": (facts(outside(None, None, control=None)), State.NOT_ENOUGH, Rule.CONTROL_FAILED),
    "clocks off by hours": (
        facts(outside(SILENT, SILENT, clock=AT - HOURS), inside(UP), holder(UP)),
        State.NOT_ENOUGH,
        Rule.TOO_FEW_NETWORKS,
    ),
    "the agent saw it before it could go off": (
        facts(outside(SILENT, SILENT), inside(UP), holder(UP, at=AT - dt.timedelta(minutes=5))),
        State.PATH_BLOCKED,
        Rule.RUNS_INSIDE,
    ),
    "late": (
        facts(outside(SILENT, SILENT, received_at=AT + HOURS), inside(UP), holder(UP)),
        State.NOT_ENOUGH,
        Rule.TOO_FEW_NETWORKS,
    ),
    "called inside, and is not": (
        facts(outside(SILENT, SILENT), [look("in-0", "AS64777", UP, Side.INSIDE)], holder(UP)),
        State.PATH_BLOCKED,
        Rule.RUNS_THERE,
    ),
    "nobody looked": (facts(), State.NOT_ENOUGH, Rule.TOO_FEW_NETWORKS),
}


@pytest.mark.parametrize("case", CASES)
def test_the_facts_come_to(case: str) -> None:
    seen, state, rule = CASES[case]
    verdict = judge(seen)
    assert (verdict.state, verdict.rule) == (state, rule)
    assert verdict.alarm is (rule is Rule.CONTROL_FAILED)


def test_every_state_and_every_rule_is_reached() -> None:
    assert {state for _, state, _ in CASES.values()} == set(State)
    assert {rule for _, _, rule in CASES.values()} == set(Rule)


def test_a_verdict_says_what_did_not_count() -> None:
    looks = outside(UP, UP), [look("late", "AS64530", UP, received_at=AT + HOURS)], inside(UP, control=SILENT)
    assert judge(facts(*looks)).set_aside == (("in-0", "control"), ("late", "late"))


# -- properties --------------------------------------------------------------------------------------------------------

networks = st.sampled_from([OPERATOR, "AS64510", "AS64511", "AS64512", "AS64513"])
moments = st.integers(-200, 200).map(lambda seconds: AT + dt.timedelta(seconds=seconds))
counts = st.integers(0, 30)
neighbours = st.builds(Neighbours, counts, counts, counts, counts, counts)
looks = st.builds(
    Look,
    place=st.sampled_from([f"place-{n}" for n in range(7)]),
    network=networks,
    side=st.sampled_from(Side),
    outcome=st.sampled_from([UP, UP, SILENT, SILENT, SILENT, REFUSED, OTHER, None]),
    at=st.just(AT) | moments,
    received_at=st.just(AT + dt.timedelta(seconds=4)) | moments,
    control=st.sampled_from([UP, UP, UP, SILENT, None]),
    latency_ms=st.integers(0, 900),
    sent=st.integers(0, 4),
    in_a_row=st.sampled_from([2, 2, 2, 1]),
    clock=st.none() | st.just(AT) | st.just(AT + HOURS),
    usual=st.none() | st.just(USUAL),
)


def several(most: int, looks: st.SearchStrategy[Look] = looks) -> st.SearchStrategy[list[Look]]:
    """A round asks each place once: one name has one network and one side."""
    return st.lists(looks, max_size=most, unique_by=lambda seen: seen.place)


any_facts = st.builds(
    Facts,
    at=st.just(AT),
    networks=st.just((OPERATOR,)),
    looks=several(9).map(tuple),
    same_operator=neighbours | st.just(CUT),
    others=st.lists(neighbours | st.just(FINE), max_size=3).map(tuple),
    applied=st.none() | st.integers(1, 99),
)
# Facts of days on which an operator cuts, so that the properties are tried where they bite.
cut_facts = st.builds(
    lambda base, more, here: facts(base, more, here=here),
    st.just(outside(SILENT, SILENT) + inside(UP)),
    several(4),
    st.sampled_from([FINE, CUT]),
)
either = any_facts | cut_facts
some = settings(max_examples=fewer(2000, 200), deadline=None)


@some
@given(either)
def test_an_operator_is_never_named_for_less(seen: Facts) -> None:
    verdict = judge(seen)
    if verdict.state is not State.THIS_OPERATOR:
        return
    counted = {each.place for each in seen.looks} - {place for place, _ in verdict.set_aside}
    out = [each for each in seen.looks if each.place in counted and each.side is Side.OUTSIDE]
    assert len({each.network for each in out if not each.reached} - {OPERATOR}) >= 2
    assert len(verdict.failed) >= 2 and not verdict.reached
    asked = {each.network for each in seen.looks if each.side is Side.OUTSIDE} - {OPERATOR}
    assert 3 * len(verdict.failed) > 2 * len(asked)
    assert all(each.in_a_row >= 2 for each in out)
    assert any(other.reached >= 3 for other in seen.others)
    if verdict.rule is not Rule.WHOLE_OPERATOR:
        assert verdict.alive
        assert len(verdict.alive) >= 2 or seen.same_operator.alive > seen.same_operator.dead


@some
@given(either, st.integers(0, 999))
def test_the_same_facts_give_the_same_bytes(seen: Facts, seed: int) -> None:
    shuffled = list(seen.looks) * 2
    random.Random(seed).shuffle(shuffled)
    again = replace(seen, looks=tuple(shuffled), others=tuple(reversed(seen.others)))
    assert judge(again).as_bytes() == judge(seen).as_bytes()
    kept = facts_from(seen.as_data())
    assert judge(kept).as_bytes() == judge(seen).as_bytes()
    assert as_bytes(kept.as_data()) == as_bytes(seen.as_data())


@some
@given(either, st.sampled_from(Outcome), st.data())
def test_what_a_place_saw_before_its_last_look_changes_nothing(
    seen: Facts, outcome: Outcome, data: st.DataObject
) -> None:
    if not seen.looks:
        return
    last = data.draw(st.sampled_from(seen.looks))
    before = replace(last, outcome=outcome, at=last.at - dt.timedelta(seconds=1))
    assert judge(replace(seen, looks=(before, *seen.looks))).as_bytes() == judge(seen).as_bytes()


@some
@given(either, networks)
def test_whoever_reaches_it_from_outside_makes_no_operator_the_cause(seen: Facts, network: str) -> None:
    more = replace(seen, looks=(*seen.looks, look("another", network, UP)))
    if judge(seen).state is not State.THIS_OPERATOR or network != OPERATOR:
        assert judge(more).state is not State.THIS_OPERATOR


@some
@given(either, st.data())
def test_a_sign_of_life_that_is_missing_makes_no_operator_the_cause(seen: Facts, data: st.DataObject) -> None:
    alive = [each for each in seen.looks if each.reached and each.side is not Side.OUTSIDE]
    if not alive or judge(seen).state is State.THIS_OPERATOR:
        return
    without = data.draw(st.sampled_from(alive))
    fewer_looks = tuple(each for each in seen.looks if each.place != without.place)
    assert judge(replace(seen, looks=fewer_looks)).state is not State.THIS_OPERATOR


@some
@given(any_facts, st.data())
def test_what_is_in_order_stays_so_when_one_more_reaches_it(seen: Facts, data: st.DataObject) -> None:
    failing = [n for n, each in enumerate(seen.looks) if each.outcome in {SILENT, REFUSED, OTHER}]
    if not failing or judge(seen).state is not State.IN_ORDER:
        return
    n = data.draw(st.sampled_from(failing))
    better = replace(seen.looks[n], outcome=UP, usual=None)
    assert judge(replace(seen, looks=(*seen.looks[:n], better, *seen.looks[n + 1 :]))).state is State.IN_ORDER
