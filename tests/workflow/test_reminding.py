"""Reminders of questions and notices: once each, by the policy, and to nobody who has answered."""

import datetime as dt

import pytest
from django.utils import timezone

from rahdari import workflow
from rahdari.decide import queries as decisions
from rahdari.decide import questions
from rahdari.letters import queries as letters
from rahdari.letters.models import Letter
from tests.builders import story

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def reminders(subject: str) -> list[Letter]:
    return [letter for letter in letters.letters_about(subject) if letter.template == "reminder_to_answer"]


class TestRemind:
    def test_of_a_question_two_days_before_its_time_is_over_and_once(self) -> None:
        case = story.a_question(story.a_person())
        question = decisions.open_question(case)
        assert question is not None
        subject = case.application.subject
        workflow.remind(question.due_at - 2 * DAY - dt.timedelta(minutes=1))
        assert reminders(subject) == []
        for hours in (36, 35, 25):
            workflow.remind(question.due_at - dt.timedelta(hours=hours))
        (reminder,) = reminders(subject)
        assert f"/my/applications/{case.application.reference}/question/" in reminder.text

    def test_of_a_notice_likewise(self) -> None:
        case = story.a_notice(story.a_person("ur"))
        notice = decisions.open_notice(case)
        assert notice is not None
        workflow.remind(notice.answer_due_at - dt.timedelta(hours=36))
        (reminder,) = reminders(case.application.subject)
        assert reminder.language == "ur"
        assert f"/my/applications/{case.application.reference}/notice/" in reminder.text

    def test_goes_to_nobody_who_has_answered(self) -> None:
        applicant = story.a_person()
        case = story.a_question(applicant)
        question = decisions.open_question(case)
        assert question is not None
        questions.answer_question(
            question=question,
            answer="Two studios in Lahore.",
            actor=story.actor_of(applicant),
            now=timezone.now(),
        )
        workflow.remind(question.due_at - dt.timedelta(hours=36))
        assert reminders(case.application.subject) == []

    def test_has_a_row_for_each_kind_that_the_policy_counts(self) -> None:
        from rahdari.workflow.reminding import TABLE

        assert {row.of for row in TABLE} >= {"registration", "question", "notice"}
