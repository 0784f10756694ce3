"""A month is published, corrected and verified, through PostgreSQL."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from rahdari.decide import granting
from rahdari.figures import actions, cells, queries, verifying
from rahdari.figures.definitions import Words, load
from rahdari.figures.models import Publication
from rahdari.figures.protection import THRESHOLD, Cell, Mark
from rahdari.figures.verifying import Exit
from rahdari.journal.models import JournalEntry
from tests.builders.cases import a_decided_application

pytestmark = pytest.mark.django_db
OCTOBER = dt.date(2026, 10, 1)
ZONE = timezone.get_default_timezone()
NOVEMBER_10 = dt.datetime(2026, 11, 10, 6, tzinfo=ZONE)
WRONG = Words("The rule was counted wrongly.", "قاعدہ غلط شمار ہوا تھا۔")


def read(act: str, times: int, *, day: int = 5) -> None:
    at = dt.datetime(2026, 10, day, 12, tzinfo=ZONE)
    JournalEntry.objects.bulk_create(
        JournalEntry(at=at, act=act, actor="officer:x", subject="application:y") for _ in range(times)
    )


def cell(figure: str, part: str = "all") -> Cell:
    month = queries.month(OCTOBER)
    assert month is not None
    return month.standing[figure, part, cells.NUMBER].cell


class TestPublish:
    def test_tells_rounded_numbers_and_withholds_the_few(self) -> None:
        read("decide.read_case", 41)
        read("appeal.read", 3)
        read("decide.read_case", 9, day=31)
        assert actions.publish_due(NOVEMBER_10) == 1
        assert (cell("reads", "case"), cell("reads", "appeal")) == (Cell(50), Cell(None, Mark.FEW))
        assert JournalEntry.objects.filter(act="figures.published", subject="figures:2026-10").count() == 1

    def test_counts_looks_at_what_is_no_application(self) -> None:
        for act, times in {
            "complaint.read": 12,
            "incident.read": 6,
            "urgent.read_call": 5,
            "decide.read_list": 30,
        }.items():
            read(act, times)
        actions.publish_due(NOVEMBER_10)
        found = [cell("reads_besides", part) for part in ("complaint", "cut_off", "sealed")]
        assert (found[0], found[2].mark) == (Cell(10), Mark.FEW)

    def test_waits_for_its_day_and_is_done_once(self) -> None:
        assert actions.publish_due(NOVEMBER_10) == 1
        assert actions.publish_due(NOVEMBER_10) == 0
        assert actions.publish_due(dt.datetime(2026, 12, 9, 23, tzinfo=ZONE)) == 0
        assert actions.publish_due(dt.datetime(2027, 1, 15, tzinfo=ZONE)) == 2
        with pytest.raises(actions.NotOver):
            actions.publish(month=dt.date(2027, 1, 1), now=dt.datetime(2027, 1, 31, tzinfo=ZONE))

    def test_a_month_is_that_of_the_office(self) -> None:
        read("decide.read_case", 10)
        JournalEntry.objects.create(
            at=dt.datetime(2026, 10, 31, 19, 30, tzinfo=dt.UTC), act="decide.read_case", actor="officer:x", subject="y"
        )
        actions.publish_due(NOVEMBER_10)
        assert cell("reads", "case") == Cell(10)


class TestCorrect:
    def published(self) -> None:
        read("decide.read_case", 41)
        actions.publish(month=OCTOBER, now=NOVEMBER_10)

    def test_stands_beside_the_first_with_its_reason(self) -> None:
        self.published()
        first = Publication.objects.get().cells
        read("decide.read_case", 20)
        made = actions.correct(month=OCTOBER, why=WRONG, now=NOVEMBER_10)
        assert made is not None and {each["figure"] for each in made.cells} == {"reads"}
        month = queries.month(OCTOBER)
        assert month is not None
        assert [edition.why_en for edition in month.editions] == ["", WRONG.en]
        assert Publication.objects.get(edition=1).cells == first
        assert cell("reads", "case") == Cell(60)

    def test_is_none_where_what_is_published_does_not_change(self) -> None:
        self.published()
        read("decide.read_case", 1)
        assert actions.correct(month=OCTOBER, why=WRONG, now=NOVEMBER_10) is None

    def test_comes_with_the_next_month_where_cases_changed(self) -> None:
        self.published()
        read("decide.read_case", 20)
        assert actions.publish_due(dt.datetime(2026, 12, 10, tzinfo=ZONE)) == 2
        assert Publication.objects.get(month=OCTOBER, edition=2).why_en == actions.CHANGED_EN

    def test_is_looked_for_once_where_several_months_are_due(self) -> None:
        self.published()
        read("decide.read_case", 20)
        with CaptureQueriesContext(connection) as asked:
            assert actions.publish_due(dt.datetime(2027, 3, 10, tzinfo=ZONE)) == 4 + 1
        assert Publication.objects.filter(edition=2).get().month == OCTOBER
        assert sum("statement_timeout" in query["sql"] for query in asked) == 4 + 1, "what was counted"

    def test_needs_a_first_one(self) -> None:
        with pytest.raises(actions.NotPublished):
            actions.correct(month=OCTOBER, why=WRONG, now=NOVEMBER_10)


def row(value: int | None, mark: str = "", measure: str = "number") -> Mapping[str, object]:
    return {"figure": "reads", "version": 1, "part": "all", "en": "", "ur": ""} | {
        "measure": measure,
        "value": value,
        "mark": mark,
    }


class TestTheDatabase:
    @pytest.mark.parametrize(
        "cells",
        [
            [row(7)],
            [row(5)],
            [row(12)],
            [row(None)],
            [row(10, "few")],
            [],
            [row(None, "secret")],
            [row(-5, "", "half")],
        ],
    )
    def test_takes_no_small_number_and_none_that_is_not_rounded(self, cells: list[Mapping[str, object]]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            Publication.objects.create(month=OCTOBER, edition=1, at=NOVEMBER_10, cells=cells)

    @pytest.mark.parametrize(
        "act",
        [
            "UPDATE figures_publication SET cells = cells",
            "DELETE FROM figures_publication",
            "TRUNCATE figures_publication",
            "INSERT INTO figures_publication (month, edition, at, why_en, why_ur, cells)"
            " SELECT month, 3, at, 'a', 'b', cells FROM figures_publication",
        ],
    )
    def test_lets_nothing_that_was_published_be_changed(self, act: str) -> None:
        Publication.objects.create(month=OCTOBER, edition=1, at=NOVEMBER_10, cells=[row(10)])
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(act)

    def test_lets_a_correction_say_why(self) -> None:
        Publication.objects.create(month=OCTOBER, edition=1, at=NOVEMBER_10, cells=[row(10)])
        with pytest.raises(IntegrityError), transaction.atomic():
            Publication.objects.create(month=OCTOBER, edition=2, at=NOVEMBER_10, cells=[row(10)])


class TestVerify:
    def differences(self) -> tuple[list[verifying.Difference], Exit]:
        month = queries.month(OCTOBER)
        assert month is not None
        found = list(verifying.differences(month))
        return found, verifying.outcome(found)

    def test_finds_a_month_as_it_was_published(self) -> None:
        read("decide.read_case", 41)
        actions.publish(month=OCTOBER, now=NOVEMBER_10)
        assert self.differences() == ([], Exit.SAME)
        read("decide.read_case", 20)
        actions.correct(month=OCTOBER, why=WRONG, now=NOVEMBER_10)
        assert self.differences() == ([], Exit.SAME)

    def test_says_that_nothing_explains_a_difference(self) -> None:
        read("decide.read_case", 41)
        actions.publish(month=OCTOBER, now=NOVEMBER_10)
        read("decide.read_case", 9)
        found, outcome = self.differences()
        assert outcome == Exit.UNEXPLAINED
        assert {(each.published.part, each.published.value, each.now and each.now.value) for each in found} == {
            ("case", 40, 50)
        }

    def test_explains_another_version_of_the_definition(self, monkeypatch: pytest.MonkeyPatch) -> None:
        read("decide.read_case", 41)
        actions.publish(month=OCTOBER, now=NOVEMBER_10)
        old = load().figures["reads"]
        new = replace(old, version=2, sql=old.sql.replace("appeal.read", "decide.read_list"))
        monkeypatch.setitem(load().figures, "reads", new)  # type: ignore[arg-type]
        read("decide.read_list", 12)
        found, outcome = self.differences()
        assert outcome == Exit.EXPLAINED
        assert "published by version 1 of its definition, counted now by 2" in found[0].why[0]

    def test_explains_a_case_that_changed_later(self) -> None:
        """Eight were granted by the rule; one could not be entered, and went back to an officer."""
        decisions = [a_decided_application().case.decisions.get() for _ in range(THRESHOLD)]
        november, december_10 = dt.date(2026, 11, 1), dt.datetime(2026, 12, 10, tzinfo=ZONE)
        actions.publish(month=november, now=december_10)
        granting.return_grant(decision=decisions[0], why="overlap", now=december_10 + dt.timedelta(hours=1))
        month = queries.month(november)
        assert month is not None and month.standing["decisions", "rule", cells.NUMBER].cell == Cell(10)
        found = list(verifying.differences(month))
        assert verifying.outcome(found) == Exit.EXPLAINED
        assert {each.published.part for each in found} == {"all", "rule"}
        assert found[0].why[0] == "decisions: 1 of its cases changed after it was published"
        assert all(each.now is not None and each.now.cell == Cell(None, Mark.FEW) for each in found)
