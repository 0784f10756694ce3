"""From a proposal to a refusal: reasons, notice, answer, the second officer."""

import datetime as dt

import pytest
from django.test import override_settings

from rahdari.apply.models import Application
from rahdari.decide import case_clock, deadlines, granting, queries, questions, refusals, transitions
from rahdari.decide.models import Decision
from rahdari.decide.rules import CannotSecond, NoticeState, Status
from rahdari.letters import queries as letters
from rahdari.people.models import User
from tests.builders.cases import DAY, HOUR, MINUTE, a_case, a_person

from .test_actions import LATER, SENTENCE, acts_on, answered, grantable, letters_to, noticed, taken

pytestmark = pytest.mark.django_db


class TestReasonRequired:
    """Guard reason_required: a refusal names a code and says a sentence, of the proposer and of the second officer."""

    def test_holds_for_proposer_and_second_officer(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        with pytest.raises(transitions.ReasonNeeded) as caught:
            refusals.propose_refusal(case=case, officer=officer, codes=[], text=SENTENCE, now=LATER)
        assert caught.value.what == "codes"
        with pytest.raises(transitions.ReasonNeeded) as caught:
            refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text=" ", now=LATER)
        assert caught.value.what == "text"
        answered(case, officer)
        with pytest.raises(transitions.ReasonNeeded):
            refusals.second_refusal(case=case, officer=second, because="", now=LATER + 2 * HOUR)
        assert not Decision.objects.exists()


class TestConfirmedCodesOnly:
    """Guard confirmed_codes_only: a code whose provision is not confirmed cannot be used in production."""

    def test_holds_for_questions_and_refusals(self, officer: User) -> None:
        case = taken(a_case(), officer)
        with override_settings(REASONS_TO_CONFIRM_ALLOWED=False):
            with pytest.raises(transitions.CodeNotUsable):
                refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text=SENTENCE, now=LATER)
            with pytest.raises(transitions.CodeNotUsable):
                questions.ask_question(case=case, officer=officer, code="Q4", now=LATER)
            assert refusals.propose_refusal(case=case, officer=officer, codes=["R10"], text=SENTENCE, now=LATER)

    def test_holds_for_the_second_officer_too(self, officer: User, second: User) -> None:
        case = a_case()
        answered(case, officer)
        with override_settings(REASONS_TO_CONFIRM_ALLOWED=False), pytest.raises(transitions.CodeNotUsable):
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=LATER + 2 * HOUR)


class TestNoticeBeforeRefusal:
    """Guard notice_before_refusal."""

    def test_tells_the_applicant_and_decides_nothing(self, officer: User) -> None:
        case = a_case()
        notice = noticed(case, officer, "R3", "R6", "R3")
        assert notice.codes == ["R3", "R6"]
        case = queries.cases().get(pk=case.pk)
        assert case.status == Status.OPEN and case.application.status == "submitted"
        assert letters_to(case)[-1] == "application_notice"
        assert case_clock.clock_of(case, LATER).waits_for == "applicant"
        letter = letters.letters_of(case.application.applicant).first()
        assert letter is not None and "R3" in letter.text and SENTENCE in letter.text

    def test_holds_before_there_was_one(self, officer: User, second: User) -> None:
        case = taken(a_case(), officer)
        with pytest.raises(transitions.NotPossibleNow):
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=LATER)

    def test_holds_while_there_is_time_to_answer(self, officer: User, second: User) -> None:
        case = a_case()
        noticed(case, officer)
        with pytest.raises(transitions.MayNotSecond) as caught:
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=LATER + DAY)
        assert caught.value.why is CannotSecond.NOT_YET

    def test_takes_a_late_answer_until_the_second_officer_decides(self, officer: User, second: User) -> None:
        case = a_case()
        notice = noticed(case, officer)
        after = notice.answer_due_at + MINUTE
        deadlines.close_unanswered(now=after)
        refusals.answer_notice(notice=notice, answer="Sorry, here it is.", actor="person:x", now=after)
        refusals.second_refusal(case=case, officer=second, because="Agreed.", now=after)
        with pytest.raises(transitions.AlreadyAnswered):
            refusals.answer_notice(notice=notice, answer="And this.", actor="person:x", now=after)


class TestSecondRefusal:
    def test_refuses_with_codes_provisions_remedies_and_appeal(self, officer: User, second: User) -> None:
        case = a_case()
        answered(case, officer, "R3")
        decision = refusals.second_refusal(
            case=case, officer=second, because="The answer shows no bill.", now=LATER + DAY
        )
        assert (decision.proposed_by, decision.seconded_by) == (officer, second)
        refusal = queries.refusal_of(Application.objects.get(pk=case.application_id))
        assert refusal is not None
        assert [one.reason.code for one in refusal.reasons] == ["R3"]
        assert [(one.instrument.key, one.place) for one in refusal.reasons[0].provisions] == [
            ("portal", ""),
            ("telecom_act", "6(b), 6(c), 6(d)"),
            ("general_clauses", "24A"),
        ]
        assert [remedy.key for remedy in refusal.remedies] == ["appeal", "new_application", "ombudsman"]
        assert refusal.text == "The answer shows no bill." and refusal.notice_text == SENTENCE
        # Thirty days from 17 November end on 17 December, a Thursday.
        assert refusal.appeal_until.astimezone(case_clock.calendar().zone_info).date() == dt.date(2026, 12, 17)
        assert refusal.forum is not None and refusal.forum.sits == "authority"
        case = queries.cases().get(pk=case.pk)
        assert case.application.status == "refused"
        assert letters_to(case)[-1] == "application_refused"
        assert acts_on(case)[-1] == "decide.refused"

    def test_of_a_code_of_director_rank_takes_a_director(self, officer: User, second: User, director: User) -> None:
        """Guard director_rank."""
        case = a_case()
        answered(case, officer, "R3", "R4")
        with pytest.raises(transitions.MayNotSecond) as caught:
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=LATER + DAY)
        assert caught.value.why is CannotSecond.RANK
        assert refusals.second_refusal(case=case, officer=director, because="Agreed.", now=LATER + DAY)

    def test_by_somebody_without_a_post_is_not_possible(self, officer: User) -> None:
        case = a_case()
        answered(case, officer)
        with pytest.raises(transitions.NotAnOfficer):
            refusals.second_refusal(case=case, officer=a_person(), because="Agreed.", now=LATER + DAY)


class TestDropRefusal:
    def test_lets_the_case_go_on(self, officer: User, second: User) -> None:
        case = a_case()
        answered(case, officer)
        case = refusals.drop_refusal(case=case, officer=second, why="The bill is in order.", now=LATER + DAY)
        assert case.standing.notice == NoticeState.NONE and case.status == Status.OPEN
        grantable(case, officer)
        assert granting.grant(case=case, officer=officer, now=LATER + DAY)
