"""The calendar is corrected after times were told: they move later, where they are read and by letter, never back."""

import datetime as dt

import pytest

from rahdari import workflow
from rahdari.appeal import actions as appeals
from rahdari.appeal.queries import heard_between
from rahdari.calendar.models import CalendarCorrection
from rahdari.decide import assignment, calendar_changes, case_clock, deadlines, hearings, questions, refusals
from rahdari.decide import queries as decide
from rahdari.decide.models import Case, CaseQuestion, Hearing, Notice
from rahdari.decide.rules import CannotSecond, HearingOutcome
from rahdari.decide.transitions import MayNotSecond
from rahdari.letters import queries as letters
from rahdari.people.models import Role, User
from rahdari.policy.corrections import Kind
from tests.appeal.test_appeals import refused, sent
from tests.builders.cases import DAY, HOUR, MINUTE, NOW, a_case, an_officer
from tests.decide.test_heard_before_refusal import asked as asked_before_refusal
from tests.decide.test_hearings import ASKED, asked, first_day, open_notice, set_for
from tests.decide.test_hearings import decide as decide_now

from .said import in_force

pytestmark = pytest.mark.django_db


def days_of(at: dt.datetime) -> dt.date:
    return at.astimezone(case_clock.calendar().zone_info).date()


def follow(now: dt.datetime = NOW) -> int:
    return workflow.advance(now=now)["decide: follow the calendar"]


def letters_to(user: User) -> list[str]:
    return [each.template for each in letters.letters_of(user).order_by("written_at", "id")]


def a_question(officer: User) -> CaseQuestion:
    case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
    return questions.ask_question(case=case, officer=officer, code="Q4", text="Which client?", now=NOW)


def a_notice(officer: User) -> Notice:
    case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
    return refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No bill.", now=NOW)


def fresh[Row: (CaseQuestion, Notice)](row: Row) -> Row:
    return type(row).objects.get(pk=row.pk)


def told_by(row: CaseQuestion | Notice) -> dt.datetime:
    return row.answer_due_at if isinstance(row, Notice) else row.due_at


def due_at(row: CaseQuestion | Notice) -> dt.datetime:
    return case_clock.notice_due_at(row) if isinstance(row, Notice) else case_clock.question_due_at(row)


class TestATimeToAnswer:
    @pytest.mark.parametrize("asks", ["question", "notice"])
    def test_moves_with_a_closure_and_not_back_with_the_order(
        self, supervisor: User, officer: User, second: User, asks: str
    ) -> None:
        row: CaseQuestion | Notice = a_question(officer) if asks == "question" else a_notice(officer)
        told, case = told_by(row), row.case
        closed = in_force(supervisor, second, NOW.date() + DAY, NOW.date() + 3 * DAY, now=NOW + HOUR)
        # The page is right before the workflow has come by.
        later = due_at(row)
        assert later > told
        assert follow(NOW + HOUR) == 1 and told_by(fresh(row)) == later
        assert letters_to(case.application.applicant)[-1] == "answer_time_moved"
        assert follow(NOW + HOUR) == 0
        withdrawn = {"kind": Kind.WORKED, "replaces": closed, "why": "The order was withdrawn."}
        in_force(supervisor, second, closed.first, closed.last, now=NOW + 2 * HOUR, **withdrawn)
        follow(NOW + 2 * HOUR)
        assert due_at(fresh(row)) == later == told_by(fresh(row))
        assert letters_to(case.application.applicant).count("answer_time_moved") == 1

    def test_that_moved_after_it_ran_out_keeps_the_second_officer_back(
        self, supervisor: User, officer: User, second: User
    ) -> None:
        notice = a_notice(officer)
        after = notice.answer_due_at + MINUTE
        deadlines.close_unanswered(now=after)
        assert fresh(notice).ran_out_at == after
        # Of days that are over: the office was closed, and nobody had said so.
        in_force(supervisor, second, days_of(notice.answer_due_at), now=after)
        with pytest.raises(MayNotSecond) as error:
            refusals.second_refusal(case=notice.case, officer=second, because="No bill came.", now=after)
        assert error.value.why == CannotSecond.NOT_YET
        follow(after)
        moved = fresh(notice)
        assert moved.answer_due_at > after and letters_to(notice.case.application.applicant)[-1] == "answer_time_moved"
        refusals.answer_notice(notice=moved, answer="Here it is.", actor="person:x", now=after + HOUR)
        refusals.second_refusal(case=notice.case, officer=second, because="It is another one.", now=after + 2 * HOUR)

    def test_of_a_refusal_that_was_decided_stays(self, supervisor: User, officer: User, second: User) -> None:
        notice = a_notice(officer)
        refusals.answer_notice(notice=notice, answer="Here.", actor="person:x", now=NOW + HOUR)
        refusals.second_refusal(case=notice.case, officer=second, because="It is another one.", now=NOW + 2 * HOUR)
        in_force(supervisor, second, NOW.date() + DAY, now=NOW + 3 * HOUR)
        assert follow(NOW + 3 * HOUR) == 0


class TestTheClockOfACase:
    def test_stands_still_on_a_day_that_is_closed_in_steps_that_are_bounded(
        self, supervisor: User, officer: User
    ) -> None:
        cases = [a_case() for _ in range(3)]
        before = {case.pk: Case.objects.get(pk=case.pk).due_at for case in cases}
        in_force(supervisor, officer, NOW.date() + DAY, now=NOW)
        assert [calendar_changes.follow(now=NOW, at_most=2) for _ in range(3)] == [2, 1, 0]
        for case in cases:
            found = Case.objects.get(pk=case.pk)
            assert found.due_at == case_clock.clock_of(found, NOW).due_at > before[case.pk]

    def test_asks_no_more_for_more_cases(
        self, supervisor: User, officer: User, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(6):
            a_case()
        in_force(supervisor, officer, NOW.date() + DAY, now=NOW)
        with django_assert_max_num_queries(14):  # type: ignore[operator]
            assert calendar_changes.follow(now=NOW, at_most=10) == 6


class TestAHearing:
    def closed(self, supervisor: User, officer: User, second: User) -> tuple[Case, Hearing, CalendarCorrection]:
        case, _found = asked(officer)
        hearing = set_for(case, officer, first_day(case))
        return case, hearing, in_force(supervisor, second, days_of(hearing.starts_at), now=ASKED + HOUR)

    def test_on_a_day_that_is_closed_is_told_of_and_moved(self, supervisor: User, officer: User, second: User) -> None:
        case, hearing, _said = self.closed(supervisor, officer, second)
        notice = open_notice(case)
        told = notice.decide_by
        follow(ASKED + HOUR)
        follow(ASKED + HOUR)
        holder = case.application.applicant
        assert letters_to(holder).count("hearing_day_closed") == letters_to(officer).count("hearing_day_closed") == 1
        after = hearing.starts_at + HOUR
        with pytest.raises(hearings.OfficeClosed):
            hearings.record_hearing(
                case=case, officer=officer, attended="", minutes="Nobody.", now=after, nobody_came=True
            )
        with pytest.raises(MayNotSecond):
            decide_now(case, second, after)
        again = set_for(case, officer, first_day(case, after), now=after, why="The office was closed.")
        # It is no move of the officer's: two are left.
        for _ in range(hearings.MOST_MOVES):
            again = set_for(case, officer, first_day(case, after) + DAY, now=after, why="A room was full.")
        with pytest.raises(hearings.MovedTooOften):
            set_for(case, officer, first_day(case, after) + 2 * DAY, now=after, why="Once more.")
        notice = open_notice(case)
        assert told is not None and notice.decide_by is not None and notice.decide_by > told
        assert hearings.to_come(notice) == again and hearing.outcome != HearingOutcome.NOBODY_CAME

    def test_about_a_refusal_is_told_of_until_that_is_dropped(
        self, supervisor: User, officer: User, second: User
    ) -> None:
        case, other = asked_before_refusal(officer), asked_before_refusal(officer)
        for each in (case, other):
            hearing = set_for(each, officer, first_day(each))
        refusals.drop_refusal(case=other, officer=officer, why="It was true.", now=ASKED)
        in_force(supervisor, second, days_of(hearing.starts_at), now=ASKED + HOUR)
        follow(ASKED + HOUR)
        assert letters_to(case.application.applicant).count("hearing_day_closed") == 1
        assert letters_to(officer).count("hearing_day_closed") == 1
        assert "hearing_off" in letters_to(other.application.applicant)
        assert "hearing_day_closed" not in letters_to(other.application.applicant)

    def test_is_not_set_for_a_day_that_was_closed(self, supervisor: User, officer: User, second: User) -> None:
        case, _found = asked(officer)
        day = first_day(case) + DAY
        in_force(supervisor, second, days_of(day), now=ASKED)
        with pytest.raises(hearings.NotOpenThen) as error:
            set_for(case, officer, day)
        assert [days_of(opens) - days_of(day) for opens, _closes in error.value.near] == [-DAY, DAY]

    def test_of_an_appeal_is_told_of_while_the_appeal_is_open(
        self, supervisor: User, officer: User, second: User
    ) -> None:
        decider = an_officer("Supervisor E", role=Role.SUPERVISOR)
        now, open_one, withdrawn = ASKED + 3 * DAY, *(sent(refused(officer, second), heard=True) for _ in range(2))
        day, _last = heard_between(open_one, now)
        for appeal in (open_one, withdrawn):
            appeals.take(appeal=appeal, user=decider, now=now)
            appeals.set_hearing(appeal=appeal, user=decider, starts_at=day, place="By telephone", now=now)
        appeals.withdraw(appeal=withdrawn, actor="person:x", now=now + HOUR)
        in_force(supervisor, second, days_of(day), now=now + HOUR)
        for _round in range(2):
            follow(now + HOUR)
        holder, other = (each.case.application.applicant for each in (open_one, withdrawn))
        assert letters_to(holder).count("hearing_day_closed") == letters_to(decider).count("hearing_day_closed") == 1
        assert "hearing_day_closed" not in letters_to(other)
        said = {"appeal": open_one, "user": decider, "attended": "", "minutes": "Nobody.", "nobody_came": True}
        with pytest.raises(hearings.OfficeClosed):
            appeals.record_hearing(now=day + HOUR, **said)  # type: ignore[arg-type]


class TestAWarning:
    def test_reaches_who_has_the_case_before_it_is_late_and_else_the_supervisors(
        self, supervisor: User, officer: User
    ) -> None:
        assignment.take_case(case=a_case(), officer=officer, now=NOW)
        free = a_case()
        near, late = Case.objects.values_list("near_at", "late_at").get(pk=free.pk)
        assert near is not None and late is not None and near < late
        assert deadlines.warn_before_late(near - MINUTE) == 0
        assert deadlines.warn_before_late(near) == 2
        assert letters_to(officer) == letters_to(supervisor) == ["cases_due_soon"]
        assert deadlines.warn_before_late(near + MINUTE) == 0

    def test_comes_once_an_hour_at_most(self, supervisor: User) -> None:
        case = a_case()
        near = Case.objects.get(pk=case.pk).near_at
        assert near is not None and deadlines.warn_before_late(near) == 1
        other = a_case(now=NOW + MINUTE)
        near = Case.objects.get(pk=other.pk).near_at
        assert near is not None and deadlines.warn_before_late(near) == 0
        assert deadlines.warn_before_late(near + HOUR) == 1
        assert decide.cases().filter(warned_at__isnull=True).count() == 0
