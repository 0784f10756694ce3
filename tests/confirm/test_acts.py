"""Asking, answering, withdrawing, erasing; tokens. Through the real database."""

import datetime as dt

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from rahdari import policy
from rahdari.confirm import queries, questions, rules, tokens
from rahdari.confirm.models import Channel, SubscriberAnswer, SubscriberQuestion
from rahdari.confirm.rules import AnswerTrouble, Given, OperatorAnswer
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters import queries as letters
from rahdari.policy import clock
from rahdari.programs import tokens as programs_tokens
from tests.builders.subscribers import OPERATOR, OTHER, a_desk, a_question

pytestmark = pytest.mark.django_db
YES, NO = Given(OperatorAnswer.YES), Given(OperatorAnswer.NO, "line_closed")


def answer(question: SubscriberQuestion, given: Given, now: dt.datetime | None = None) -> bool:
    return questions.answer(
        question=question, given=given, channel=Channel.PAGE, by="person:x", now=now or timezone.now()
    )


class TestAsk:
    def test_is_due_when_the_clock_of_the_policy_is_over(self) -> None:
        question = a_question()
        rules_now = policy.current(settings.POLICY_FILE)
        due = clock.add(
            start=question.asked_at, allowance=rules_now.clocks["operator_confirms"], calendar=rules_now.calendar
        )
        assert question.due_at == due

    def test_asks_once_about_a_target(self) -> None:
        question = a_question()
        assert a_question(target=question.target, subject=question.subject).pk == question.pk
        assert a_question(OTHER, target=question.target).pk != question.pk

    def test_writes_to_the_operators_people_once_a_day(self) -> None:
        """However many checks come, and to nobody at another operator; the letter names nobody."""
        ours, another = a_desk(), a_desk(OTHER)
        morning = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
        for hours in (0, 1, 24, 25):
            a_question(name="Planted Nameholder", now=morning + dt.timedelta(hours=hours))
        written = letters.letters_of(ours)
        assert [letter.template for letter in written] == ["operator_asked"] * 2
        assert not any("Nameholder" in letter.text for letter in written)
        assert list(letters.letters_of(another)) == []

    def test_keeps_the_name_masked_only_and_the_subscriber_encrypted(self) -> None:
        question = a_question(subscriber="SN-PLANTED-77", name="Planted Nameholder")
        assert question.name_masked == "P*****d N********r"
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text FROM confirm_subscriberquestion t WHERE id = %s", [question.pk])
            [text] = cursor.fetchone()
        assert "PLANTED" not in text and "Nameholder" not in text
        assert b"PLANTED".hex() not in text
        assert not any("PLANTED" in str(row.detail) for row in Row.objects.all())


class TestAnswer:
    def test_is_recorded_once_with_one_row_of_the_journal(self) -> None:
        question = a_question()
        assert answer(question, YES) and not answer(question, YES)
        assert SubscriberAnswer.objects.filter(question=question).count() == 1
        rows = Row.objects.filter(act="confirm.answered", subject=question.subject)
        assert [row.actor for row in rows] == [f"operator:{OPERATOR}"]

    def test_may_be_changed_and_what_was_said_stays(self) -> None:
        question = a_question()
        answer(question, NO)
        answer(question, YES)
        question.refresh_from_db()
        assert (question.answer, question.delivered_at) == ("yes", None)
        assert [each.answer for each in question.answers.order_by("id")] == ["no", "yes"]

    def test_is_refused_when_it_says_too_little(self) -> None:
        question = a_question()
        with pytest.raises(questions.AnswerNotTaken) as caught:
            answer(question, Given(OperatorAnswer.NO))
        assert caught.value.trouble is AnswerTrouble.NO_REASON
        assert question.answers.count() == 0

    def test_is_refused_once_what_was_asked_is_deleted(self) -> None:
        question = a_question()
        answer(question, YES)
        later = timezone.now() + rules.KEPT_AFTER_ANSWER + dt.timedelta(minutes=1)
        with pytest.raises(questions.AnswerNotTaken) as caught:
            answer(question, NO, later)
        assert caught.value.trouble is AnswerTrouble.CLOSED

    @pytest.mark.parametrize(
        "act", ["UPDATE confirm_subscriberanswer SET answer = 'no'", "DELETE FROM confirm_subscriberanswer"]
    )
    def test_cannot_be_changed_in_the_database(self, act: str) -> None:
        answer(a_question(), YES)
        with pytest.raises(DatabaseError, match="only added"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(act)


class TestWithdrawAndErase:
    def test_a_withdrawn_question_is_seen_by_nobody_and_holds_nothing(self) -> None:
        question = a_question()
        assert questions.withdraw_questions(target=question.target, now=timezone.now(), actor="system:test") == 1
        with pytest.raises(queries.QuestionNotFound):
            queries.question_for_operator(operator=OPERATOR, number=question.number)
        question.refresh_from_db()
        assert (question.subscriber, question.name_masked) == ("", "")

    def test_a_subscriber_number_goes_thirty_days_after_the_answer(self) -> None:
        question, now = a_question(), timezone.now()
        answer(question, YES, now)
        assert queries.OPERATOR.erasing()(now=now + rules.KEPT_AFTER_ANSWER - dt.timedelta(seconds=1)) == 0
        assert queries.OPERATOR.erasing()(now=now + rules.KEPT_AFTER_ANSWER) == 1
        question.refresh_from_db()
        assert (question.subscriber, question.name_masked, question.answer) == ("", "", "yes")


class TestGatekeeper:
    def test_gives_an_operator_its_own_questions_only(self) -> None:
        mine, theirs = a_question(), a_question(OTHER)
        assert list(queries.open_questions(operator=OPERATOR)) == [mine]
        for number in (theirs.number, "Q-AAAA-AAAA", "", "x" * 50):
            with pytest.raises(queries.QuestionNotFound):
                queries.question_for_operator(operator=OPERATOR, number=number)

    def test_pages_through_all_open_questions_once(self) -> None:
        made = {a_question(now=timezone.now()).number for _ in range(7)}
        seen, cursor = [], ""
        while True:
            page, cursor = queries.open_after(operator=OPERATOR, cursor=cursor, at_most=3)
            seen += [each.number for each in page]
            if not cursor:
                break
        assert len(seen) == 7
        assert set(seen) == made

    def test_holds_a_file_against_its_own_questions_only(self) -> None:
        mine, theirs = a_question(), a_question(OTHER)
        found = queries.asked_of(operator=OPERATOR, numbers=[mine.number, theirs.number], by="", now=timezone.now())
        assert list(found) == [mine.number]


class TestTokens:
    def test_are_shown_once_and_kept_as_a_hash(self) -> None:
        now = timezone.now()
        token, text = tokens.make_token(operator=OPERATOR, name="Sample", sandbox=False, by="person:x", now=now)
        assert text not in str(token.__dict__)
        assert queries.token_shown(text, now=now) == token
        assert queries.token_shown(text + "x", now=now) is None
        assert queries.token_shown(text, now=token.ends_at) is None

    def test_end_at_once_and_only_by_their_operator(self) -> None:
        now = timezone.now()
        token, text = tokens.make_token(operator=OPERATOR, name="Sample", sandbox=False, by="person:x", now=now)
        assert not tokens.revoke_token(operator=OTHER, id=token.pk, by="person:y", now=now)
        assert queries.token_shown(text, now=now) == token
        assert tokens.revoke_token(operator=OPERATOR, id=token.pk, by="person:x", now=now)
        assert queries.token_shown(text, now=now) is None

    def test_are_ten_at_most(self) -> None:
        facts = {"operator": OPERATOR, "name": "Sample", "sandbox": True, "by": "person:x", "now": timezone.now()}
        for _ in range(10):
            tokens.make_token(**facts)
        with pytest.raises(programs_tokens.TooManyTokens):
            tokens.make_token(**facts)
