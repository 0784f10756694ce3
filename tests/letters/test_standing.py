"""What became of a letter, in plain words: in the applicant's inbox and on the officer's page of the case."""

import datetime as dt
import re
import sys
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from rahdari import cli
from rahdari.delivery import provider_health
from rahdari.letters import actions, queries, words
from rahdari.letters.models import Letter, LetterState
from rahdari.ops import doctor
from rahdari.sms.models import Message
from tests import urdu
from tests.builders import story
from tests.builders.letters import FACTS, NOW, a_reader
from tests.sms.test_messages import a_letter, a_reader_with_number, note_of

from .test_bounces import a_notice

pytestmark = pytest.mark.django_db


def told(letter: Letter) -> list[tuple[str, str]]:
    letter.refresh_from_db()
    return [(one.tone, one.text) for one in words.reached(letter)]


class TestReached:
    @pytest.mark.parametrize(
        ("state", "error", "says"),
        [
            (LetterState.QUEUED, "", "The email has been sent."),
            (LetterState.QUEUED, "ConnectionRefusedError", "The mail server has not accepted it yet. We try again."),
            (LetterState.FAILED, "SMTPRecipientsRefused 550", "The mail server says that there is no such address."),
            (LetterState.FAILED, "Returned 5.1.1", "The email came back: there is no such address."),
            (LetterState.FAILED, "Returned 5.2.2", "The email came back: the mailbox accepts no mail."),
            (LetterState.FAILED, "Returned 5.7.1", "The email came back."),
            (LetterState.FAILED, "ConnectionRefusedError", "The email could not be delivered."),
            (LetterState.FAILED, "TooLate", "It could not be sent in time."),
        ],
    )
    def test_by_email(self, state: LetterState, error: str, says: str) -> None:
        letter = a_letter(a_reader())
        Letter.objects.update(state=state, last_error=error)
        assert [text for _, text in told(letter)] == [says]

    @pytest.mark.parametrize(
        ("facts", "tone", "says"),
        [
            ({"state": "delivered", "sent_at": NOW, "closed_at": NOW}, "ok", "SMS delivered"),
            ({"state": "sent", "sent_at": NOW}, "wait", "SMS sent"),
            ({"state": "sent", "sent_at": NOW, "unclear": True}, "warn", "the provider did not confirm it"),
            ({"state": "failed", "reason": "SMPP 11"}, "bad", "the network does not know this number"),
            ({"state": "failed", "reason": "EXPIRED"}, "bad", "was switched off for too long"),
            ({"state": "failed", "reason": "too late"}, "bad", "could not be sent in time"),
            ({"state": "failed", "reason": "UNDELIV 011"}, "bad", "could not be delivered"),
            ({"state": "queued"}, "wait", "SMS waits until"),
        ],
    )
    def test_by_sms(self, facts: dict[str, Any], tone: str, says: str) -> None:
        letter = a_letter(a_reader_with_number())
        Message.objects.update(**facts)
        assert told(letter)[1][0] == tone and says in told(letter)[1][1]
        with translation.override("ur"):
            assert says not in told(letter)[1][1]


class TestTheInbox:
    def client(self, letter: Letter) -> Client:
        browser = Client()
        assert letter.to is not None
        browser.force_login(letter.to)
        return browser

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_shows_the_letter_whole_and_how_it_reached_its_reader(self, language: str) -> None:
        letter = a_letter(a_reader_with_number(language))
        page = self.client(letter).get(reverse("portal:letter", kwargs={"id": letter.pk})).text
        for standing in words.reached(letter) if language == "en" else []:
            assert standing.text in page
        assert "<footer><p>" in page
        assert re.search(r'<h1[^>]*>[^<]*<bdi dir="ltr">RD-[^<]*</bdi>[^<]*</h1>', page), "no line breaks a number"
        if language == "ur":
            assert urdu.page_problems(page) == []

    def test_marks_all_as_read_and_nobody_elses(self) -> None:
        letter, other = a_letter(a_reader()), a_letter(a_reader(email="another@sample-freelancer.example"))
        browser = self.client(letter)
        place = reverse("portal:letters_read")
        assert place in browser.get(reverse("portal:letters")).text
        page = browser.post(place, follow=True).text
        assert "You have read all of them." in page and place not in page
        assert other.to is not None and queries.unread_count(other.to) == 1


class TestTheCase:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_tells_the_officer_which_letters_arrived(self, language: str) -> None:
        case = story.a_question(story.a_person())
        assert case.assigned_to is not None
        case.assigned_to.language = language
        case.assigned_to.save()
        Letter.objects.filter(template="application_question").update(state="failed", last_error="Returned 5.1.1")
        browser = Client()
        browser.force_login(case.assigned_to)
        page = browser.get(reverse("decide:case", kwargs={"reference": case.application.reference})).text
        if language == "en":
            assert "Letters to the applicant" in page
            assert "The email came back: there is no such address." in page
        else:
            assert urdu.page_problems(page) == []


class TestTheDoctor:
    def test_says_who_fails_and_how_long_letters_wait(self) -> None:
        letter = a_letter(a_reader_with_number())
        assert note_of(letter) is not None
        findings = list(doctor.check_letters())
        assert [one.text for one in findings if one.state == doctor.WRONG and "has waited" in one.text]
        for number in range(3):
            provider_health.note_failure("mail", "ConnectionRefusedError", now=NOW + dt.timedelta(minutes=number))
        (mail,) = (one for one in doctor.check_letters() if one.about == "mail")
        assert mail.state == doctor.WRONG
        assert "the mail server failed 3 times in a row" in mail.text and "ConnectionRefusedError" in mail.text
        provider_health.note_taken("mail", now=NOW)
        assert not [one for one in doctor.check_letters() if one.about == "mail"]


class TestTheCommand:
    def run(self, monkeypatch: pytest.MonkeyPatch, content: bytes) -> int:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(content)))
        return cli.main(["letters", "returned"])

    def test_notes_a_letter_that_came_back(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        letter = actions.write_letter(
            to=a_reader(), template="application_late", about="", context=FACTS["application_late"], now=NOW
        )
        Letter.objects.update(state=LetterState.SENT, sent_at=NOW)
        assert self.run(monkeypatch, a_notice(letter.pk)) == 0
        assert "came back (Returned 5.1.1)" in capsys.readouterr().out

    def test_does_not_mind_other_mail(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run(monkeypatch, b"Subject: on holiday\r\n\r\nBack on Monday.") == 0
        assert "Nothing noted" in capsys.readouterr().out
