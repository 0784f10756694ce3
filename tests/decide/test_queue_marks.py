"""What the queue filters by is kept on the case, by whoever answers a check, in the transaction of the answer."""

import uuid

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from rahdari.checks import checking
from rahdari.checks import queries as checks
from rahdari.checks.models import Check
from rahdari.checks.rules import Answer
from rahdari.decide import assignment, desk, questions, refusals
from rahdari.decide.models import Case
from rahdari.people.models import User
from tests.builders.cases import MINUTE, NOW, a_case, a_person

pytestmark = pytest.mark.django_db


def found(officer: User, **asked: str) -> list[Case]:
    return [row.case for row in desk.desk(officer=officer, filters=desk.Filters(**asked), now=NOW).rows]


class TestChecks:
    def test_an_answer_marks_the_case_whoever_gives_it(self, officer: User) -> None:
        case = a_case(is_denied=False)
        assert found(officer, checks="failed") == [case] and not found(officer, checks="passed")
        taken = assignment.take_case(case=case, officer=officer, now=NOW)
        failed = [check for check in checks.checks_of(case.application.subject) if check.outcome == "failed"]
        for check in failed:
            assignment.record_check(
                case=taken, officer=officer, check=check.pk, outcome="passed", how="Sample", now=NOW
            )
        assert found(officer, checks="passed") == [case] and not found(officer, checks="failed")
        one = failed[0]
        again = Answer("failed", "not_proved", {})
        named = {"subject": one.subject, "kind": one.kind, "target": one.target}
        checking.answer_check(**named, found=again, actor="system:checks", now=NOW, anew=True)
        assert found(officer, checks="failed") == [case]

    def test_a_check_that_is_opened_later_marks_it_too(self, officer: User) -> None:
        case = a_case()
        assert not found(officer, checks="waiting")
        subject = case.application.subject
        Check.objects.create(subject=subject, kind="roster", target="later", title={"en": "x"}, opened_at=NOW)
        assert found(officer, checks="waiting") == [case]

    def test_one_that_is_not_required_and_those_of_others_mark_nothing(self, officer: User) -> None:
        case, other = a_case(is_denied=False), f"application:{uuid.uuid4()}"
        Check.objects.filter(subject=case.application.subject).update(required=False)
        assert found(officer, checks="passed") == [case]
        for subject in (other, "endpoint:x"):
            Check.objects.create(subject=subject, kind="roster", target="", title={"en": "x"}, opened_at=NOW)
        assert found(officer, checks="passed") == [case]

    @pytest.mark.django_db(transaction=True)
    def test_whoever_writes_checks_locks_them_before_the_case(self, officer: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        check = checks.checks_of(case.application.subject)[0]
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            assignment.record_check(case=case, officer=officer, check=check.pk, outcome="failed", how="Sample", now=NOW)
        locked = [each["sql"].split('FROM "')[1].split('"')[0] for each in queries if "FOR " in each["sql"][-20:]]
        assert locked[:2] == ["checks_check", "decide_case"]


class TestProposals:
    def test_are_kept_with_who_made_them_while_they_stand(self, officer: User, second: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        notice = refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No bill.", now=NOW)
        assert Case.objects.get(pk=case.pk).proposed_by == officer and desk.for_me(officer=second) == 0
        refusals.answer_notice(notice=notice, answer="Here.", actor="person:x", now=NOW)
        assert (desk.for_me(officer=second), desk.for_me(officer=officer)) == (1, 0)
        refusals.drop_refusal(case=case, officer=second, why="Sample", now=NOW)
        assert Case.objects.get(pk=case.pk).proposed_by is None and desk.for_me(officer=second) == 0


class TestPages:
    def test_what_a_search_finds_is_counted_and_shown_up_to_a_number(
        self, officer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(desk, "PER_PAGE", 2)
        monkeypatch.setattr(desk, "MOST_FOUND", 4)
        cases = [a_case(now=NOW + MINUTE * at) for at in range(7)]
        pages = [desk.desk(officer=officer, filters=desk.Filters(q="sample", page=at), now=NOW) for at in (1, 2, 900)]
        assert [[row.case for row in shown.rows] for shown in pages] == [cases[:2], cases[2:4], cases[2:4]]
        assert [(shown.total, shown.is_more, shown.has_next, shown.ends_early) for shown in pages] == [
            (5, True, True, False), (5, True, False, True), (5, True, False, True),
        ]  # fmt: skip
        every = [desk.desk(officer=officer, filters=desk.Filters(page=at), now=NOW) for at in (1, 2, 3, 4)]
        assert [row.case for shown in every for row in shown.rows] == cases

    def test_one_behind_the_last_is_the_last(self, officer: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(desk, "PER_PAGE", 2)
        cases = [a_case(now=NOW + MINUTE * at) for at in range(3)]
        shown = desk.desk(officer=officer, filters=desk.Filters(page=900), now=NOW)
        assert ([row.case for row in shown.rows], shown.filters.page, shown.first) == (cases[2:], 2, 3)

    def test_count_without_the_officers_own(self, officer: User) -> None:
        a_case(applicant=officer)
        other = a_case(applicant=a_person())
        taken = assignment.take_case(case=other, officer=officer, now=NOW)
        questions.ask_question(case=taken, officer=officer, code="Q4", text="Sample", now=NOW)
        shown = desk.desk(officer=officer, filters=desk.Filters(view="applicant"), now=NOW)
        assert [row.case for row in shown.rows] == [other]
        assert {name: shown.counts[name] for name in ("open", "applicant", "mine")} == {
            "open": 0, "applicant": 1, "mine": 1,
        }  # fmt: skip
