"""Chance draws once about each decision, from what the journal tells, and leaves no row of the others."""

import datetime as dt

import pytest

from rahdari import workflow
from rahdari.people.models import User
from rahdari.sampling import drawing
from rahdari.sampling.models import DrawnUpTo, SecondLook
from tests.builders.cases import DAY, HOUR, MINUTE, NOW

from .conftest import Drawing
from .looks import DRAWN, begin, by_officer, by_rule, refused

pytestmark = pytest.mark.django_db


class TestDraw:
    def test_draws_what_was_decided_since(self, officer: User, second: User, drawing_one_in: Drawing) -> None:
        before = by_rule()
        drawing_one_in(1, 1)
        begin(NOW)
        made = {by_rule(): True, by_officer(officer): False, refused(officer, second): False}
        assert drawing.draw(DRAWN) == 3
        assert {look.decision: look.by_rule for look in SecondLook.objects.all()} == made
        assert not SecondLook.objects.filter(decision=before).exists()

    def test_speaks_once_about_each(self, drawing_one_in: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
        drawing_one_in(50)
        begin()
        for _ in range(3):
            by_rule()
        numbers = iter([3, 0, 7])
        monkeypatch.setattr(drawing._by_chance, "randrange", lambda most: next(numbers) % most)
        assert [drawing.draw(DRAWN), drawing.draw(DRAWN), drawing.draw(DRAWN + DAY)] == [1, 0, 0]
        assert SecondLook.objects.count() == 1

    def test_leaves_what_another_transaction_may_still_write_beside(self, drawing_one_in: Drawing) -> None:
        drawing_one_in()
        begin()
        by_rule()
        assert drawing.draw(NOW + 9 * MINUTE) == 0
        assert drawing.draw(NOW + 11 * MINUTE) == 1

    def test_takes_nothing_where_the_rules_want_nothing(self, settings: object, drawing_one_in: Drawing) -> None:
        drawing_one_in()
        file = settings.POLICY_FILE  # type: ignore[attr-defined]
        text = file.read_text(encoding="utf-8")
        start = text.index("[second_looks]")
        file.write_text(text[:start] + text[text.index("[renewal]") :], encoding="utf-8")
        begin()
        by_rule()
        assert drawing.draw(DRAWN) == 0
        drawing_one_in()
        assert drawing.draw(DRAWN) == 0, "chance has spoken of it"

    def test_is_a_step_of_the_line_that_moves_nothing(self, drawing_one_in: Drawing) -> None:
        drawing_one_in()
        begin()
        by_rule()
        assert workflow.advance(now=DRAWN)["sampling: draw decisions to look at again"] == 0
        assert SecondLook.objects.count() == 1

    def test_goes_part_by_part(self, drawing_one_in: Drawing, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(drawing, "AT_ONCE", 2)
        drawing_one_in()
        begin()
        for _ in range(3):
            by_rule()
        assert [drawing.draw(DRAWN) for _ in range(3)] == [2, 1, 0]


class TestTheLeastOfEachOfficer:
    NEXT_MONTH = dt.datetime(2026, 12, 1, 5, tzinfo=dt.UTC)

    @pytest.fixture
    def out_of_luck(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Chance draws nothing by itself, however seldom it would."""
        monkeypatch.setattr(drawing._by_chance, "randrange", lambda most: most - 1)

    @pytest.mark.usefixtures("out_of_luck")
    def test_is_drawn_when_the_month_is_over(self, officer: User, second: User, drawing_one_in: Drawing) -> None:
        drawing_one_in(10_000, 10_000, least=2)
        begin()
        mine = [by_officer(officer) for _ in range(3)]
        one = by_officer(second)
        ruled = by_rule()
        drawing.draw(DRAWN)
        assert DrawnUpTo.objects.get().month == dt.date(2026, 11, 1)
        before = SecondLook.objects.filter(decision__in=[*mine, one]).count()
        drawn = drawing.draw(self.NEXT_MONTH)
        assert before + drawn == 3, "two of three, and the only one"
        assert SecondLook.objects.filter(decision__in=mine).count() == 2
        assert SecondLook.objects.filter(decision=one).exists()
        assert not SecondLook.objects.filter(decision=ruled).exists()
        assert drawing.draw(self.NEXT_MONTH + HOUR) == 0

    def test_is_no_more_than_chance_drew_already(self, officer: User, drawing_one_in: Drawing) -> None:
        drawing_one_in(1, 1, least=2)
        begin()
        for _ in range(3):
            by_officer(officer)
        assert drawing.draw(DRAWN) == 3
        assert drawing.draw(self.NEXT_MONTH) == 0

    def test_is_made_up_for_of_months_in_which_the_worker_was_away(
        self, officer: User, drawing_one_in: Drawing
    ) -> None:
        drawing_one_in(10_000, 10_000, least=1)
        begin()
        by_officer(officer)
        assert drawing.draw(self.NEXT_MONTH + 70 * DAY) == 1
        assert DrawnUpTo.objects.get().month == dt.date(2027, 2, 1)
