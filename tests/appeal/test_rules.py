"""The moves of an appeal, walked as a model; who may decide; what comes of points. No database."""

from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rahdari.appeal import rules
from rahdari.appeal.rules import MOVES, Against, CannotDecide, Outcome, State
from rahdari.decide.rules import HearingState as Hearing

DOCS = Path(__file__).parents[2] / "docs" / "appeals.md"
ACTS = sorted({move.act for move in MOVES})
OVER = {State.CLOSED, State.WITHDRAWN}


def after(act: str, state: State, hearing: Hearing) -> tuple[State, Hearing]:
    """Where a move leads, in both dimensions."""
    heard = {"record_hearing": Hearing.OVER}.get(act, hearing)
    return rules.move_of(act).target, heard


def _heard(hearing: frozenset[Hearing]) -> str:
    return "any" if hearing == frozenset(Hearing) else ", ".join(each for each in Hearing if each in hearing)


class TestMoves:
    def test_are_the_table_in_the_document(self) -> None:
        lines = [
            f"| {move.source} | `{move.act}` | {move.target} | {move.by} | {_heard(move.hearing)} | "
            f"{'yes' if move.in_own_hands else ''} |"
            for move in MOVES
        ]
        assert "\n".join(lines) in DOCS.read_text(encoding="utf-8"), "\n".join(lines)

    @given(st.lists(st.sampled_from(ACTS), max_size=30), st.sampled_from(Hearing))
    def test_end_and_go_on_nowhere_from_the_end(self, acts: list[str], hearing: Hearing) -> None:
        state = State.DRAFT
        for act in acts:
            if not rules.allows(state, hearing, act):
                continue
            assert state not in OVER
            if act == "decide":
                assert hearing != Hearing.ASKED
            state, hearing = after(act, state, hearing)

    def test_reach_every_state_and_only_a_decider_decides(self) -> None:
        reached, frontier = set(), {(State.DRAFT, Hearing.NONE), (State.DRAFT, Hearing.ASKED)}
        taken = set()
        while frontier:
            reached |= frontier
            found = set()
            for (state, hearing), act in product(frontier, ACTS):
                if rules.allows(state, hearing, act):
                    taken.add(act)
                    found.add(after(act, state, hearing))
            frontier = found - reached
        assert {state for state, _hearing in reached} == set(State) and taken == set(ACTS)
        assert {move.by for move in MOVES if move.act in {"decide", "refuse_late"}} == {rules.By.DECIDER}
        assert all(move.in_own_hands for move in MOVES if move.act in {"decide", "refuse_late", "record_hearing"})

    def test_of_silence_has_one_ground_and_all_others_more(self) -> None:
        assert len(rules.GROUNDS[Against.SILENCE]) == 1
        assert all(len(rules.GROUNDS[each]) > 1 for each in Against if each != Against.SILENCE)


@given(st.lists(st.sampled_from(Outcome), min_size=1, max_size=5))
def test_one_allowed_point_allows_the_whole(points: list[Outcome]) -> None:
    whole = rules.outcome_of(points)
    assert (whole == Outcome.ALLOWED) == (Outcome.ALLOWED in points)
    assert (whole == Outcome.DISMISSED) == (set(points) == {Outcome.DISMISSED})


@given(st.booleans(), st.booleans(), st.booleans())
def test_whoever_had_a_part_never_decides(had_part: bool, has_rank: bool, is_reviewer: bool) -> None:
    why = rules.may_decide(had_part=had_part, has_rank=has_rank, is_reviewer=is_reviewer)
    assert (why == CannotDecide.PART) == had_part
    if not had_part:
        assert (why is None) == (has_rank or is_reviewer)
