"""When a holder is asked whether a registration is still right: pure; and what a policy file may say of it."""

import datetime as dt
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.policy import StillRight, still_right_of

from .test_loading import changed, problems_of

DAY = dt.timedelta(days=1)
NOW = dt.datetime(2029, 3, 1, 9, tzinfo=dt.UTC)
RULES = StillRight(every=365 * DAY, remind_after=(14, 42), renewal_opens_before=60 * DAY)
DAYS = st.integers(0, 3000)
SOME = st.lists(st.integers(1, 300), max_size=4, unique=True).map(lambda days: tuple(sorted(days)))


def is_due(said: int, asked: int | None, ends: int, rules: StillRight = RULES) -> bool:
    """So many days ago the last word and the last question, in so many the end of the term."""
    asked_at = None if asked is None else NOW - DAY * asked
    return rules.is_due(last_word_at=NOW - DAY * said, asked_at=asked_at, valid_until=NOW + DAY * ends, now=NOW)


class TestWhoIsAsked:
    @pytest.mark.parametrize(
        ("said", "asked", "ends", "due"),
        [
            (365, None, 400, True),
            (364, None, 400, False),  # too early
            (365, None, 102, False),  # the renewal opens while the letters go out
            (365, None, 103, True),
            (800, 364, 400, False),  # was asked, and said nothing: not before the next year
            (800, 365, 400, True),
            (10, 365, 400, False),  # has said so since
        ],
    )
    def test_is_whose_last_word_is_a_year_old(self, said: int, asked: int | None, ends: int, due: bool) -> None:
        assert is_due(said, asked, ends) is due

    @given(DAYS, st.none() | DAYS, DAYS, st.integers(0, 100))
    def test_is_nobody_any_more_for_a_later_word_a_later_question_or_a_nearer_end(
        self, said: int, asked: int | None, ends: int, by: int
    ) -> None:
        if not is_due(said, asked, ends):
            assert not is_due(max(said - by, 0), asked, ends)
            assert not is_due(said, max((asked or 0) - by, 0), ends)
            assert not is_due(said, asked, max(ends - by, 0))

    @given(st.integers(60, 400))
    def test_is_nobody_whose_term_is_a_year(self, opens: int) -> None:
        """Whose renewal comes at the same time, however late it is noticed."""
        rules = StillRight(every=365 * DAY, remind_after=(14,), renewal_opens_before=DAY * opens)
        assert not any(is_due(said, None, 365 - said, rules) for said in range(0, 366, 5))


class TestTheLetters:
    @given(SOME)
    def test_are_the_question_and_a_reminder_for_each_day_and_then_no_more(self, days: tuple[int, ...]) -> None:
        rules = StillRight(365 * DAY, days, 60 * DAY)
        sent, at = [NOW], rules.next_at(1, NOW)
        while at is not None:
            sent.append(at)
            at = rules.next_at(len(sent), at)
        assert [(each - NOW).days for each in sent] == [0, *days]
        assert [rules.is_last(number) for number in range(1, len(sent) + 1)] == [False] * len(days) + [True]

    @given(SOME, st.integers(0, 1000))
    def test_keep_their_distance_when_one_is_late(self, days: tuple[int, ...], late: int) -> None:
        rules = StillRight(365 * DAY, days, 60 * DAY)
        gaps = [(rules.next_at(number, NOW), rules.next_at(number, NOW + DAY * late)) for number in range(1, len(days))]
        assert all(one is not None and other == one + DAY * late > NOW + DAY * late for one, other in gaps)


class TestThePolicy:
    def test_of_pakistan_asks_after_a_year(self) -> None:
        rules = still_right_of(policy.current(None))
        assert rules is not None and 364 * DAY < rules.every < 366 * DAY and len(rules.remind_after) == 2

    def test_of_a_declaration_asks_nobody(self) -> None:
        assert still_right_of(policy.read(policy.SHIPPED["declaration"].read_text())) is None

    @pytest.mark.parametrize("key", sorted(policy.SHIPPED))
    def test_that_ships_has_no_service_whose_holders_are_asked(self, key: str) -> None:
        """Their terms are renewed sooner."""
        file = policy.read(policy.SHIPPED[key].read_text())
        assert all(service.validity_months <= 12 for service in file.services.values())

    def test_asks_nobody_while_the_clock_is_off(self) -> None:
        off = changed('basis = "proposal" }', 'basis = "proposal", enabled = false }', after="still_right = { length")
        assert still_right_of(policy.read(off)) is None

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (lambda: changed('unit = "months"', 'unit = "working_days"', after="still_right = {"), "calendar_days"),
            (lambda: changed("[14, 42]", "[14, 370]", after="still_right = ["), "before the next question"),
            (lambda: changed("[14, 42]", "[42, 14]", after="still_right = ["), "rising numbers"),
            (lambda: changed('still_right = { length = 12, unit = "months", basis = "proposal" }', ""), "no clock"),
            (lambda: changed("[contact]", "[was_contact]"), "whom to call"),
        ],
    )
    def test_says_what_can_be_done(self, text: Callable[[], str], said: str) -> None:
        assert any(said in problem.message for problem in problems_of(text()))
