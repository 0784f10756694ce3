"""What may become of an inquiry. No database."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.inquiry import rules
from rahdari.inquiry.rules import ANSWERED, MOVES, SILENT, VOID, WAITING, WITHDRAWN, Move

ANSWERS = frozenset({"yes", "no"})
STATES = (WAITING, SILENT, WITHDRAWN, VOID, *sorted(ANSWERS))
NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
DAYS = st.timedeltas(min_value=dt.timedelta(), max_value=dt.timedelta(days=400))


class TestMoves:
    def test_lead_away_from_waiting_only_but_for_an_answer_that_is_reopened(self) -> None:
        found = [each for each in MOVES if each[0] != WAITING]
        assert [each[:3] for each in found] == [(ANSWERED, Move.REOPEN, WAITING)]

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
        }
        assert led == expected.get((move, source), set())

    def test_each_stands_in_the_journal_under_a_word_of_its_own(self) -> None:
        assert set(rules.ACTS) == set(Move) and len(set(rules.ACTS.values())) == len(Move)


@given(answer=DAYS, kept=DAYS, ended=DAYS)
def test_what_is_sealed_is_kept_so_long_after_the_end_and_never_longer(
    answer: dt.timedelta, kept: dt.timedelta, ended: dt.timedelta
) -> None:
    terms = rules.Terms.spans(NOW, answer=answer, remind=answer / 2, kept=kept)
    found = rules.erase_at(due_at=terms.due_at, erase_at=terms.due_at + kept, ended_at=NOW + ended)
    assert found == NOW + min(ended, answer) + kept
