"""Checks that a room beside checks answers: they wait, are answered once, and keep what was known before."""

import datetime as dt
from dataclasses import replace

import pytest

from rahdari.checks import checking, kinds
from rahdari.checks.answers import CheckRequest
from rahdari.checks.models import Check, Outcome
from rahdari.checks.rules import Answer
from rahdari.journal import queries as journal
from tests.checks.asked import all_answered

pytestmark = pytest.mark.django_db

NOW = dt.datetime(2026, 11, 10, 9, 31, 40, tzinfo=dt.UTC)
SUBJECT = "application:00000000-0000-4000-8000-000000000001"
YES = Answer("passed", "sample_yes", {"by": "sample"})
NO = Answer("failed", "sample_no", {"by": "sample"})


@pytest.fixture(autouse=True)
def a_kind_of_another_room(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = replace(kinds.KINDS["operator"], key="sample_kind")
    monkeypatch.setitem(kinds.KINDS, "sample_kind", planted)


def waiting_check(required: bool = True) -> Check:
    request = CheckRequest(kind="sample_kind", target="", reason="R3", required=required)
    [check] = checking.open_checks(subject=SUBJECT, requests=[request], now=NOW)
    return check


def tell(found: Answer, *, anew: bool = False) -> bool:
    return checking.answer_check(
        subject=SUBJECT, kind="sample_kind", target="", found=found, actor="sample", now=NOW, anew=anew
    )


class TestAnswerCheck:
    def test_waits_until_the_other_room_has_an_answer(self) -> None:
        check = waiting_check()
        assert checking.answer_waiting(now=NOW) == 0
        assert tell(Answer("waiting", "sample_not_yet")) is False
        assert not all_answered(SUBJECT)
        assert tell(YES) is True
        assert all_answered(SUBJECT)
        check.refresh_from_db()
        assert (check.outcome, check.finding, check.reason_code) == (Outcome.PASSED, "sample_yes", "")
        assert [row.act for row in journal.about(SUBJECT)].count("checks.answered") == 1

    def test_gives_the_policys_code_only_where_somebody_is_to_blame(self) -> None:
        check = waiting_check()
        tell(NO)
        check.refresh_from_db()
        assert check.reason_code == "R3"
        tell(Answer("failed", "sample_silent", blames=False), anew=True)
        check.refresh_from_db()
        assert check.reason_code == ""

    def test_is_recorded_once_and_anew_only_when_asked(self) -> None:
        check = waiting_check()
        assert tell(YES)
        assert not tell(NO)
        assert not tell(YES, anew=True)
        assert tell(NO, anew=True)
        check.refresh_from_db()
        assert check.evidence["before"]["finding"] == "sample_yes"

    def test_of_a_check_that_nobody_opened_changes_nothing(self) -> None:
        assert not tell(YES)
        assert not Check.objects.exists()
