"""What may become of an inquiry. No database."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.inquiry import rules
from rahdari.inquiry.rules import ANSWERED, MOVES, SILENT, USUAL, VOID, WAITING, WITHDRAWN, Move

ANSWERS = frozenset({"yes", "no"})
STATES = (WAITING, SILENT, WITHDRAWN, VOID, *sorted(ANSWERS))
NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
DAYS = st.timedeltas(min_value=dt.timedelta(), max_value=dt.timedelta(days=400))


class TestMoves:
    def test_lead_away_from_waiting_or_from_an_answer_that_a_kind_lets_change(self) -> None:
        assert {each[1] for each in MOVES if each[0] != WAITING} == {Move.REOPEN, Move.CORRECT, Move.DROP}
        assert {each[0] for each in MOVES} == {WAITING, ANSWERED} and not USUAL & {Move.REOPEN, Move.CORRECT, Move.DROP}

    def test_of_the_clock_never_answer(self) -> None:
        assert {each[2] for each in MOVES if each[3] == "clock"} == {SILENT, VOID}

    @pytest.mark.parametrize("move", Move)
    @pytest.mark.parametrize("source", STATES)
    def test_come_to_what_the_table_says_and_to_nothing_else(self, move: Move, source: str) -> None:
        led = {target for target in STATES if rules.may_move(move, source, target, answers=ANSWERS)}
        expected = {
            (Move.ANSWER, WAITING): set(ANSWERS),
            (Move.EXPIRE, WAITING): {SILENT},
            (Move.WITHDRAW, WAITING): {WITHDRAWN},
            (Move.LAPSE, WAITING): {VOID},
            (Move.REOPEN, "yes"): {WAITING},
            (Move.REOPEN, "no"): {WAITING},
            (Move.CORRECT, "yes"): set(ANSWERS),
            (Move.CORRECT, "no"): set(ANSWERS),
            (Move.DROP, "yes"): {WITHDRAWN},
            (Move.DROP, "no"): {WITHDRAWN},
        }
        assert led == expected.get((move, source), set())

    def test_each_stands_in_the_journal_under_a_word_of_its_own(self) -> None:
        assert set(rules.ACTS) == set(Move) and len(set(rules.ACTS.values())) == len(Move)


@given(answer=DAYS, kept=DAYS, ended=DAYS, expires=st.booleans())
def test_what_is_sealed_is_kept_so_long_after_the_end_and_never_longer(
    answer: dt.timedelta, kept: dt.timedelta, ended: dt.timedelta, expires: bool
) -> None:
    terms = rules.Terms.spans(NOW, answer=answer, remind=answer / 2, kept=kept)
    clocks = {"due_at": terms.due_at, "erase_at": terms.due_at + kept, "ended_at": NOW + ended}
    assert rules.erase_at(**clocks, expires=expires) == NOW + (min(ended, answer) if expires else ended) + kept
