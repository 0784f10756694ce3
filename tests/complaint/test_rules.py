"""The moves of a complaint, walked as a model; the kinds; who may decide. No database."""

from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.complaint import rules
from rahdari.complaint.rules import KINDS, MOVES, About, Answer, CannotDecide, Outcome, State

DOCS = Path(__file__).parents[2] / "docs" / "complaints.md"
ACTS = sorted({move.act for move in MOVES})


def after(act: str, state: State, answer: Answer) -> set[tuple[State, Answer]]:
    """Where a move leads, in both dimensions."""
    target = rules.move_of(act).target
    answers = {
        "look_up": {Answer.NOBODY, Answer.ASKED},
        "join": {Answer.NOBODY, Answer.ASKED},
        "ask_holder": {Answer.NOBODY, Answer.ASKED},
        "answer": {Answer.ANSWERED},
        "let_answer_lapse": {Answer.SILENT},
    }
    return {(target, each) for each in answers.get(act, {answer})}


def _heard(answer: frozenset[Answer]) -> str:
    return "any" if answer == frozenset(Answer) else ", ".join(each for each in Answer if each in answer)


class TestMoves:
    def test_are_the_table_in_the_document(self) -> None:
        lines = [
            f"| {move.source} | `{move.act}` | {move.target} | {move.by} | {_heard(move.answer)} |" for move in MOVES
        ]
        assert "\n".join(lines) in DOCS.read_text(encoding="utf-8"), "\n".join(lines)

    @given(st.lists(st.tuples(st.sampled_from(ACTS), st.booleans()), max_size=30))
    def test_decide_nothing_before_the_holder_was_heard(self, acts: list[tuple[str, bool]]) -> None:
        state, answer = State.UNCONFIRMED, Answer.UNKNOWN
        for act, first in acts:
            if not rules.allows(state, answer, act):
                continue
            assert state != State.GONE
            if act == "decide":
                assert answer not in {Answer.UNKNOWN, Answer.ASKED}
            found = sorted(after(act, state, answer))
            state, answer = found[0] if first else found[-1]

    def test_reach_every_state_and_only_a_decider_decides(self) -> None:
        reached: set[tuple[State, Answer]] = set()
        frontier, taken = {(State.UNCONFIRMED, Answer.UNKNOWN)}, set()
        while frontier:
            reached |= frontier
            found = set()
            for (state, answer), act in product(frontier, ACTS):
                if rules.allows(state, answer, act):
                    taken.add(act)
                    found |= after(act, state, answer)
            frontier = found - reached
        assert {state for state, _answer in reached} == set(State) and taken == set(ACTS)
        assert [move.by for move in MOVES if move.target == State.CLOSED and move.source == State.OPEN] == [
            rules.By.DECIDER
        ]


class TestKinds:
    def test_have_each_subject_once_and_codes_of_the_bundled_rules(self) -> None:
        subjects = [about for row in KINDS.values() for about in row.about]
        assert sorted(subjects) == sorted(About)
        reasons = policy.load(policy.BUNDLED).reasons
        for row in KINDS.values():
            for codes in row.about.values():
                found = [reasons[code] for code in codes]
                assert found and all(each.ground == "finding" and each.second_officer for each in found)

    def test_end_as_malicious_only_where_an_act_was_reported(self) -> None:
        assert [kind for kind, row in KINDS.items() if Outcome.MALICIOUS in row.outcomes] == [rules.Kind.MISUSE]


@given(st.booleans(), st.booleans())
def test_whoever_had_a_part_never_decides(had_part: bool, is_officer: bool) -> None:
    why = rules.may_decide(had_part=had_part, is_officer=is_officer)
    assert (why == CannotDecide.PART) == had_part
    assert (why is None) == (is_officer and not had_part)
