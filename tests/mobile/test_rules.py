"""What is proposed, how a line may move, and that an operator's word says no number."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari.confirm import rules as desk
from rahdari.confirm.rules import AnswerTrouble, Given, OperatorAnswer, QuestionKind
from rahdari.mobile import rules
from rahdari.mobile.rules import MOVES, MobileState

numbers = st.from_regex(r"\+923[0-9]{9}", fullmatch=True)
words = st.from_regex(desk.REFERENCE, fullmatch=True)


class TestPropose:
    def test_names_the_operator_with_the_longest_prefix(self) -> None:
        prefixes = {"one": ["37"], "two": ["370"], "three": ["30"]}
        assert rules.propose("+923701234567", prefixes) == "two"
        assert rules.propose("+923711234567", prefixes) == "one"
        assert rules.propose("+923551234567", prefixes) is None

    @given(numbers, st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(st.sampled_from(["3", "30", "31", ""]))))
    def test_names_only_one_whose_prefix_it_has(self, number: str, prefixes: dict[str, list[str]]) -> None:
        found = rules.propose(number, prefixes)
        fitting = {
            slug for slug, given_ in prefixes.items() if any(each and number[3:].startswith(each) for each in given_)
        }
        assert (found in fitting) if fitting else found is None


class TestMasked:
    @given(numbers)
    def test_shows_two_digits_at_most(self, number: str) -> None:
        assert re.sub(r"[^0-9]", "", rules.masked(number)) == "03" + number[-2:]


class TestMoves:
    def test_a_line_that_has_ended_stays_ended_but_with_its_registration(self) -> None:
        assert [move for move in MOVES if move[0] == MobileState.ENDED] == [
            (MobileState.ENDED, "come_back", MobileState.KNOWN)
        ]

    def test_no_operator_is_asked_before_the_code_came_back(self) -> None:
        assert not rules.may_move(MobileState.TYPED, "ask_operator", MobileState.ASKED)
        assert {source for source, act, _ in MOVES if act == "ask_operator"} == {
            MobileState.CONFIRMED,
            MobileState.DENIED,
        }

    @given(st.sampled_from(list(MobileState)), st.sampled_from(list(MobileState)))
    def test_known_comes_from_asked_and_from_an_end_that_was_undone(
        self, source: MobileState, target: MobileState
    ) -> None:
        if any(move[0] == source and move[2] == MobileState.KNOWN for move in MOVES):
            assert source in {MobileState.ASKED, MobileState.ENDED}
        assert not rules.may_move(source, "no_such_act", target)


class TestListedUntil:
    @given(st.integers(0, 400), st.one_of(st.none(), st.integers(0, 400)))
    def test_is_never_after_the_registration(self, stays: int, leaves: int | None) -> None:
        start = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
        end = start + dt.timedelta(days=stays)
        left = None if leaves is None else start + dt.timedelta(days=leaves)
        found = rules.listed_until(stays_until=end, leaves_at=left)
        assert found <= end
        assert found == (end if left is None else min(end, left))


class TestTheOperatorsWord:
    def test_comes_with_a_yes_about_a_number_and_with_nothing_else(self) -> None:
        def read(kind: QuestionKind, said: str, **more: str) -> Given | AnswerTrouble:
            return desk.read_answer(kind, word=said, **more)

        assert read(QuestionKind.MOBILE, "yes") is AnswerTrouble.NO_REFERENCE
        assert read(QuestionKind.MOBILE, "yes", reference="smp-0a1b2c3d") == Given(
            OperatorAnswer.YES, reference="smp-0a1b2c3d"
        )
        assert read(QuestionKind.MOBILE, "no", reason="another_subscriber") == Given(
            OperatorAnswer.NO, "another_subscriber"
        )
        assert read(QuestionKind.MOBILE, "no", reason="2") == Given(OperatorAnswer.NO, "not_our_number")
        assert read(QuestionKind.MOBILE, "no", reason="line_closed", reference="smp-0a1b2c3d") is (
            AnswerTrouble.REFERENCE_NOT_WANTED
        )
        assert read(QuestionKind.SUBSCRIBER, "yes", reference="smp-0a1b2c3d") is AnswerTrouble.REFERENCE_NOT_WANTED
        assert read(QuestionKind.MOBILE, "unknown") == Given(OperatorAnswer.UNKNOWN)

    @pytest.mark.parametrize(
        "text", ["short", "with space in it", "x" * 65, "-begins-with-a-sign", "حوالہ نمبر ایک", '=HYPERLINK("x")']
    )
    def test_has_letters_and_digits(self, text: str) -> None:
        assert desk.read_reference(text) is AnswerTrouble.REFERENCE_UNUSABLE

    @pytest.mark.parametrize("text", ["923001234567", "03001234567", "sub-3001234567", "00923001234567"])
    def test_is_no_mobile_number(self, text: str) -> None:
        assert desk.read_reference(text) is AnswerTrouble.REFERENCE_SAYS_THE_NUMBER

    @given(numbers, st.sampled_from(["", "-", ".", "_"]), st.text("abcxyz", max_size=6))
    def test_never_has_the_number_in_it(self, number: str, between: str, around: str) -> None:
        hidden = f"a{around}{between.join(number[3:])}{around}"[:64]
        found = desk.read_reference(hidden, number=number.removeprefix("+"))
        assert found is AnswerTrouble.REFERENCE_SAYS_THE_NUMBER

    @given(numbers, words)
    def test_what_is_taken_hides_the_number(self, number: str, word: str) -> None:
        found = desk.read_reference(word, number=number.removeprefix("+"))
        if not isinstance(found, AnswerTrouble):
            assert number[-10:] not in re.sub(r"[^0-9]", "", found)
