"""A question to a client: asked once, answered once, by its page only; nobody is written to who does not want it."""

import datetime as dt
import threading
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy
from rahdari.inquiry.kinds import NoLongerOpen, NotAnAnswer
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters import sending
from rahdari.letters.models import Letter
from rahdari.vouch import actions, queries
from rahdari.vouch.models import MailOptOut, ReferenceRequest
from rahdari.vouch.queries import LINKS, REFERENCE
from rahdari.vouch.rules import APPLICANTS_TO_ADDRESS, WhyNot

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 16, 5, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
RULES = policy.current(None).vouching
NAME, ADDRESS = "Sample Freelancer 31", "accounts@client.example"


def ask(subject: str = "check:1", **other: Any) -> ReferenceRequest:
    assert RULES is not None
    facts: dict[str, Any] = {
        "name": NAME,
        "address": ADDRESS,
        "asked_by": "person:1",
        "language": "en",
        "rules": RULES,
        "now": NOW,
    }
    return actions.ask(subject=subject, **(facts | other))


class TestAsk:
    def test_writes_one_letter_with_the_link_and_no_secret_of_the_applicant(self) -> None:
        question = ask()
        assert ask() == question, "the same subject is asked once"
        letter = Letter.objects.get()
        token = LINKS.token(question)
        assert letter.to_id is None and letter.address == ADDRESS and letter.template == "client_question"
        assert reverse("vouch:question", args=[token]) in letter.text
        assert reverse("vouch:stop", args=[token]) in letter.text
        assert NAME in letter.text and "3520212345671" not in letter.text
        assert LINKS.opened_by(token) == question

    def test_keeps_the_address_encrypted_and_out_of_the_journal(self) -> None:
        ask()
        with connection.cursor() as cursor:
            cursor.execute("SELECT vouch_referencerequest::text FROM vouch_referencerequest")
            row = cursor.fetchone()[0]
        assert "accounts" not in row and NAME not in row and "client.example" in row
        assert not any("accounts" in str(one.detail) for one in Row.objects.all())

    def test_forgets_words_and_address_of_the_letter_once_it_is_sent(self) -> None:
        ask()
        letter = Letter.objects.get()
        sending.send_due(now=NOW)
        assert [message.to for message in mail.outbox] == [[ADDRESS]]
        letter.refresh_from_db()
        assert (letter.address, letter.text, letter.html) == ("", "", "")

    @pytest.mark.parametrize(
        ("address", "why"), [("someone@gmail.com", WhyNot.FREE_MAIL), ("SOMEONE@Yahoo.com", WhyNot.FREE_MAIL)]
    )
    def test_is_refused_for_free_mail(self, address: str, why: WhyNot) -> None:
        with pytest.raises(actions.MayNotAsk) as refused:
            ask(address=address)
        assert refused.value.why is why
        assert not ReferenceRequest.objects.exists() and not Letter.objects.exists()

    def test_counts_by_applicant_by_address_and_forgets_the_count_in_time(self) -> None:
        assert RULES is not None
        for number in range(RULES.most_by_applicant):
            ask(f"check:{number}", address=f"person{number}@client.example")
        with pytest.raises(actions.MayNotAsk) as refused:
            ask("check:more", address="another@client.example")
        assert (refused.value.why, refused.value.domain) == (WhyNot.TOO_MANY, "client.example")
        assert ask("check:later", address="another@client.example", now=NOW + RULES.counted_in + DAY)
        for number in range(RULES.most_to_address):
            ask(f"check:own{number}", asked_by="person:9")
        with pytest.raises(actions.MayNotAsk):
            ask("check:last", asked_by="person:9")

    def test_writes_nothing_beyond_what_an_address_gets_and_tells_nobody(self) -> None:
        assert RULES is not None
        most = RULES.most_to_address * APPLICANTS_TO_ADDRESS
        questions = [ask(f"check:{number}", asked_by=f"person:{number}") for number in range(most + 1)]
        assert [each.goes_out for each in questions] == [True] * most + [False]
        assert Letter.objects.count() == most
        last = questions[-1]
        assert actions.resend(question=last, actor="person:6", now=NOW + DAY).resent_at == NOW + DAY
        assert actions.remind(now=NOW + 5 * DAY) == most + 1
        assert not Letter.objects.filter(about=f"vouch:{last.pk}").exists()
        questions = [ReferenceRequest.objects.get(pk=each.pk) for each in questions]
        same = ("state", "asked_at", "due_at", "remind_at", "reminded_at", "erase_at", "domain", "ended_at")
        assert len({tuple(getattr(each, name) for name in same) for each in questions}) == 1
        assert ask("check:later", asked_by="person:99", now=NOW + RULES.counted_in + DAY).goes_out


class TestAnswer:
    def test_counts_once_and_the_first_one_stays(self) -> None:
        question = actions.answer(question=ask(), given="yes", now=NOW + DAY)
        assert (question.state, question.ended_at) == ("yes", NOW + DAY)
        assert actions.answer(question=question, given="yes", now=NOW + 2 * DAY).ended_at == NOW + DAY
        with pytest.raises(NoLongerOpen):
            actions.answer(question=question, given="no", now=NOW + 2 * DAY)

    def test_comes_too_late_after_the_link_has_ended(self) -> None:
        question = ask()
        with pytest.raises(NoLongerOpen):
            actions.answer(question=question, given="yes", now=question.due_at)
        assert REFERENCE.expire(now=question.due_at) == 1
        question.refresh_from_db()
        assert question.state == "silent"
        assert REFERENCE.expire(now=question.due_at) == 0

    def test_is_yes_no_or_not_me(self) -> None:
        with pytest.raises(NotAnAnswer):
            actions.answer(question=ask(), given="waiting", now=NOW)

    def test_the_database_keeps_it_over_at_a_moment(self) -> None:
        question = ask()
        with pytest.raises(IntegrityError), transaction.atomic():
            ReferenceRequest.objects.filter(pk=question.pk).update(state="yes")
        with pytest.raises(IntegrityError), transaction.atomic():
            ReferenceRequest.objects.filter(pk=question.pk).update(delivered_at=NOW)


class TestStop:
    def test_ends_the_question_and_nobody_writes_there_again(self) -> None:
        question = actions.stop(question=ask(), now=NOW)
        assert question.state == "stopped"
        actions.stop(question=question, now=NOW)
        assert MailOptOut.objects.count() == 1
        assert "accounts" not in MailOptOut.objects.get().address_index
        with pytest.raises(actions.MayNotAsk) as refused:
            ask("check:2", address=ADDRESS.upper())
        assert refused.value.why is WhyNot.STOPPED
        # Of somebody else it would tell that the address was named before.
        assert not ask("check:3", asked_by="person:2", address=ADDRESS.upper()).goes_out
        assert Letter.objects.count() == 1

    def test_after_an_answer_leaves_the_answer(self) -> None:
        question = actions.answer(question=ask(), given="yes", now=NOW)
        assert actions.stop(question=question, now=NOW).state == "yes"
        assert queries.wants_no_mail(ADDRESS)


class TestTime:
    def test_reminds_once_and_never_whoever_asked_us_to_stop(self) -> None:
        question, other = ask(), ask("check:2", asked_by="person:2", address="two@client.example")
        MailOptOut.objects.create(address_index=other.address_index, at=NOW)
        assert actions.remind(now=question.remind_at) == 2
        assert actions.remind(now=question.remind_at) == 0
        assert [one.template for one in Letter.objects.filter(template="client_reminder")] == ["client_reminder"]

    def test_forgets_address_and_name_and_keeps_domain_and_answer(self) -> None:
        question = actions.answer(question=ask(), given="no", now=NOW + DAY)
        assert question.erase_at == NOW + 31 * DAY, "as the page on privacy says: so long after the answer"
        assert REFERENCE.erasing()(now=question.erase_at - DAY) == 0
        assert REFERENCE.erasing()(now=question.erase_at) == 1
        question.refresh_from_db()
        assert (question.address, question.name, question.domain, question.state) == ("", "", "client.example", "no")
        assert REFERENCE.erasing()(now=question.erase_at) == 0


class TestThePage:
    def place(self, name: str = "question") -> str:
        return reverse(f"vouch:{name}", args=[LINKS.token(self.question)])

    @pytest.fixture(autouse=True)
    def asked(self) -> None:
        self.question = ask(now=timezone.now())

    def state(self) -> str:
        return ReferenceRequest.objects.get().state

    def test_opened_by_anybody_or_any_program_changes_nothing(self, client: Client) -> None:
        for method in ("get", "head"):
            response = getattr(client, method)(self.place())
            assert response.status_code == 200
            assert response.headers["Referrer-Policy"] == "same-origin", "with none the origin of the form is null"
            assert "noindex" in response.headers["X-Robots-Tag"]
        client.get(self.place("stop"))
        assert self.state() == "waiting"

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_says_what_is_confirmed_and_nothing_more(self, client: Client, language: str) -> None:
        client.cookies["django_language"] = language
        page = client.get(self.place()).text
        assert NAME in page and ADDRESS not in page
        assert ("whether" in page or "Nothing else." in page) if language == "en" else "اور کچھ نہیں۔" in page

    @pytest.mark.parametrize("given", ["yes", "no", "not_me"])
    def test_takes_one_answer_by_its_button(self, client: Client, given: str) -> None:
        assert client.post(self.place(), {"answer": given}).status_code == 302
        assert self.state() == given
        page = client.get(self.place()).text
        assert "Thank you for your answer" in page and 'name="answer"' not in page
        client.post(self.place(), {"answer": "yes" if given != "yes" else "no"})
        assert self.state() == given

    def test_asks_again_when_no_button_was_pressed(self, client: Client) -> None:
        assert "Press one of the three buttons" in client.post(self.place(), {}).text

    def test_needs_our_own_form(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.get(self.place())
        form = {"answer": "yes", "csrfmiddlewaretoken": strict.cookies["csrftoken"].value}
        assert strict.post(self.place(), form, headers={"origin": "https://elsewhere.example"}).status_code == 403
        assert strict.post(self.place(), {"answer": "yes"}).status_code == 403
        assert self.state() == "waiting"

    def test_stops_by_one_press(self, client: Client) -> None:
        assert "We will not email you again" in client.post(self.place("stop")).text
        assert self.state() == "stopped"
        assert "We will not email you again" in client.get(self.place()).text

    def test_of_a_link_that_was_never_given_says_so(self, client: Client) -> None:
        for token in ("a" * 26, "x"):
            response = client.get(reverse("vouch:question", args=[token]))
            assert response.status_code == 404 and "This link does not work" in response.text


@pytest.mark.django_db(transaction=True)
def test_two_questions_of_one_person_at_once_are_counted_one_after_the_other() -> None:
    assert RULES is not None
    for number in range(RULES.most_by_applicant - 1):
        ask(f"check:{number}", address=f"person{number}@client.example")
    asked: list[str] = []

    def one_more(subject: str) -> None:
        try:
            ask(subject, address=f"{subject[-1]}@client.example")
            asked.append(subject)
        except actions.MayNotAsk:
            pass
        finally:
            connection.close()

    tabs = [threading.Thread(target=one_more, args=[f"check:tab{number}"]) for number in range(3)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(asked) == 1
