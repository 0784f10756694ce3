"""A suspension ends by itself, and what is not decided in its time stays: also when the worker was down for days."""

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from rahdari import policy
from rahdari.decide import case_clock, deadlines, ending, queries, revocation, seconding, transitions
from rahdari.decide.models import Case, Notice, Revocation
from rahdari.decide.rules import CannotSecond, NoticeState
from rahdari.journal import queries as journal
from rahdari.letters import queries as letters
from rahdari.people.models import User
from rahdari.register import queries as entries
from rahdari.register.models import Change, Registration
from rahdari.register.rules import Standing
from tests.builders.cases import DAY, HOUR, MINUTE, NOW, PAPER, a_case

from . import test_actions
from .test_revocation import LATER, answered, granted, letters_to, proposed

pytestmark = pytest.mark.django_db


def suspended(officer: User, second: User, code: str = "S4") -> tuple[Case, Registration, Revocation]:
    case, found = granted()
    proposed(case, officer, code)
    answered(case)
    taken = revocation.second_revocation(case=case, officer=second, because="Two proofs failed.", now=LATER + DAY)
    return case, entries.fresh(found), taken


def open_notice(case: Case) -> Notice:
    fresh = queries.case_of(case.application)
    assert fresh is not None
    notice = queries.open_notice(fresh)
    assert notice is not None
    notice.case = fresh
    return notice


def acts_of(case: Case) -> list[str]:
    return [row.act for row in journal.about(case.application.subject)]


def text_of_last_letter(case: Case) -> str:
    last = letters.letters_of(case.application.applicant).order_by("written_at", "id").last()
    assert last is not None
    return last.text


class TestEndOfASuspension:
    def test_is_known_from_the_start_to_the_register_and_the_holder(
        self, officer: User, second: User, time_machine: Any
    ) -> None:
        case, found, taken = suspended(officer, second)
        assert taken.ends_at is not None and found.suspended_until == taken.ends_at
        assert dt.timedelta(days=90) <= taken.ends_at - taken.at < dt.timedelta(days=95)
        assert f"{taken.ends_at.astimezone(policy.current(None).calendar.zone_info):%B %Y}" in text_of_last_letter(case)
        time_machine.move_to(taken.at, tick=False)
        holder = Client()
        holder.force_login(case.application.applicant)
        page = holder.get(reverse("portal:registration", args=[found.reference])).text
        assert "It is valid again on" in page

    def test_comes_by_itself_and_late_where_the_worker_was_down(self, officer: User, second: User) -> None:
        case, found, taken = suspended(officer, second)
        assert taken.ends_at is not None
        assert not ending.resume_due(now=taken.ends_at - MINUTE)
        back = taken.ends_at + 5 * DAY
        assert ending.resume_due(now=back) == 1
        assert entries.standing(entries.fresh(found), back) is Standing.VALID
        taken.refresh_from_db()
        assert (taken.ended_at, taken.ended_by, taken.restored_at) == (back, "clock", None)
        assert letters_to(case)[-1] == "registration_goes_on"
        assert "The time for which it was suspended is over" in text_of_last_letter(case)
        assert acts_of(case)[0] == "decide.suspension_ended"
        last = Change.objects.filter(entry__registration=found).last()
        assert last is not None and last.act == "resume"
        assert not ending.resume_due(now=back + DAY), "it ends once"
        with pytest.raises(transitions.NotPossibleNow):
            revocation.restore_registration(case=case, officer=second, why="Again.", now=back)

    def test_leaves_nothing_in_the_way_of_another_proposal(self, officer: User, second: User) -> None:
        case, _found, taken = suspended(officer, second)
        assert taken.ends_at is not None
        after = taken.ends_at + DAY
        ending.resume_due(now=after)
        revocation.propose_revocation(
            case=case, officer=officer, code="S4", text="Again.", evidence="Tries of today.", paper=PAPER, now=after
        )
        assert open_notice(case).state == NoticeState.RUNNING

    def test_of_a_pause_is_no_end_of_a_suspension(self, officer: User, second: User) -> None:
        case, found, _taken = suspended(officer, second)
        revocation.restore_registration(case=case, officer=second, why="It was proved again.", now=LATER + 2 * DAY)
        ending.pause(registration=found, days=7, actor="person:x", now=LATER + 3 * DAY)
        assert ending.resume_due(now=LATER + 12 * DAY) == 1
        assert "decide.suspension_ended" not in acts_of(case)
        assert "was suspended is over" not in text_of_last_letter(case)


class TestTimeToDecide:
    def test_is_told_with_the_notice_and_begins_with_the_answer(self, officer: User) -> None:
        case, _found = granted()
        proposed(case, officer)
        told = open_notice(case)
        assert told.decide_by is not None and told.decide_by > told.answer_due_at
        answered(case)
        after = open_notice(case)
        assert after.decide_by is not None and after.answered_at is not None
        assert after.answered_at < after.decide_by < told.decide_by

    def test_drops_the_proposal_when_it_is_over_and_tells_both_sides(self, officer: User, director: User) -> None:
        case, found = granted()
        proposed(case, officer)
        answered(case)
        due = open_notice(case).decide_by
        assert due is not None
        assert deadlines.close_unanswered(now=due) == 0
        # Nobody decides by it any more, though the worker was not there yet.
        with pytest.raises(transitions.MayNotSecond) as error:
            revocation.second_revocation(case=case, officer=director, because="So it is.", now=due + MINUTE)
        assert error.value.why == CannotSecond.LATE
        late = due + 6 * DAY
        assert deadlines.close_unanswered(now=late) == 1
        notice = Notice.objects.get(case=case)
        assert (notice.withdrawn_at, notice.withdrawn_by) == (late, None)
        assert entries.standing(entries.fresh(found), late) is Standing.VALID
        assert letters_to(case)[-1] == "registration_stays"
        assert "not decided in the time" in text_of_last_letter(case)
        assert [each.template for each in letters.letters_of(officer)] == ["proposal_lapsed"]
        assert acts_of(case)[0] == "decide.proposal_lapsed"
        assert deadlines.close_unanswered(now=late) == 0
        revocation.propose_revocation(
            case=case, officer=officer, code="X5", text="Again.", evidence="The same.", now=late
        )

    def test_is_kept_where_the_worker_slept_through_the_answer_and_the_decision(self, officer: User) -> None:
        case, _found = granted()
        proposed(case, officer)
        due = open_notice(case).decide_by
        assert due is not None
        back = due + 3 * DAY
        assert deadlines.close_unanswered(now=back) == 1, "first the time to answer is over"
        assert deadlines.close_unanswered(now=back) == 1, "and then the time to decide"
        assert Notice.objects.get(case=case).withdrawn_at == back

    def test_is_never_made_earlier_by_a_calendar_that_changed(self, officer: User) -> None:
        case, _found = granted()
        proposed(case, officer)
        notice = open_notice(case)
        assert notice.decide_by is not None
        Notice.objects.filter(pk=notice.pk).update(decide_by=notice.decide_by + 9 * DAY)
        assert case_clock.decide_by_as_told(open_notice(case)) == notice.decide_by + 9 * DAY
        assert deadlines.close_unanswered(now=notice.decide_by + DAY) == 1, "the time to answer alone"
        assert open_notice(case).state == NoticeState.RIPE

    def test_does_not_run_for_a_refusal(self, officer: User) -> None:
        notice = test_actions.answered(a_case(), officer)
        assert notice.decide_by is None
        assert not seconding.is_out_of_time(notice, NOW + 900 * DAY)

    @given(st.integers(0, 400 * 24 * 60))
    def test_and_the_end_of_a_suspension_are_always_ahead_and_bounded(self, minutes: int) -> None:
        rules = policy.current(None)
        start = NOW + dt.timedelta(minutes=minutes)
        ends = policy.add(start=start, allowance=rules.clocks["suspension_lasts"], calendar=rules.calendar)
        assert start < ends <= start + dt.timedelta(days=400)
        assert policy.add(start=start, allowance=rules.clocks["order_after_hearing"], calendar=rules.calendar) > start


class TestDatabase:
    def facts(self, case: Case, found: Registration, officer: User, second: User) -> dict[str, Any]:
        return {
            "case": case,
            "registration": found,
            "notice": open_notice(case),
            "codes": ["S4"],
            "proposed_by": officer,
            "seconded_by": second,
            "decided_by": f"officer:{second.pk}",
            "rule_version": "1",
            "at": LATER + 2 * HOUR,
            "appeal_until": LATER + 30 * DAY,
        }

    def test_takes_no_suspension_without_an_end_or_with_one_that_is_far_away(self, officer: User, second: User) -> None:
        case, found = granted()
        proposed(case, officer, "S4")
        answered(case)
        facts = self.facts(case, found, officer, second)
        at: dt.datetime = facts["at"]
        for kind, ends_at in (
            ("suspension", None),
            ("suspension", at),
            ("suspension", at + 401 * DAY),
            ("striking_out", at + DAY),
        ):
            with pytest.raises(DatabaseError, match="suspension_names_its_end"), transaction.atomic():
                Revocation.objects.create(kind=kind, ends_at=ends_at, **facts)
        Revocation.objects.create(kind="suspension", ends_at=at + DAY, **facts)

    def test_lets_only_the_clock_or_a_rule_end_one_and_the_clock_not_before_its_day(
        self, officer: User, second: User
    ) -> None:
        _case, _found, taken = suspended(officer, second)
        assert taken.ends_at is not None
        row = Revocation.objects.filter(pk=taken.pk)
        for wrong in (
            {"ended_at": taken.ends_at, "ended_by": f"officer:{officer.pk}"},
            {"ended_at": taken.ends_at - MINUTE, "ended_by": "clock"},
            {"ended_at": None, "ended_by": "clock"},
        ):
            with pytest.raises(DatabaseError, match="ended_by_the_clock_or_a_rule"), transaction.atomic():
                row.update(**wrong)
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            row.update(ends_at=taken.ends_at + DAY)
        row.update(ended_at=taken.ends_at, ended_by="clock")
        with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
            row.update(ended_at=None, ended_by="")
