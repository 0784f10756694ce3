"""What is awaited, from whom, until when; and the way to the account from every page."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.address import directory
from rahdari.apply import drafts
from rahdari.apply.models import Application
from rahdari.attest import requests
from rahdari.attest.models import MembershipInquiry
from rahdari.attest.rules import Answer
from rahdari.confirm import queries as questions
from rahdari.confirm.models import SubscriberQuestion
from rahdari.decide import case_clock
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.vault import keys
from rahdari.vouch import actions as vouch
from rahdari.vouch.models import ReferenceRequest as Clients
from rahdari.vouch.queries import LINKS
from rahdari.web import values
from tests import urdu
from tests.builders import story
from tests.builders.attestations import ASSOCIATION

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operator() -> Iterator[None]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    story.an_operator("sample-fibre", "Sample Fibre")
    yield
    directory.configure(None)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


class TestAnOperatorThatWasAsked:
    def test_is_named_with_its_time_and_nobody_else_is_waited_for(self) -> None:
        applicant = story.a_person()
        browser = browser_of(applicant)
        draft = story.fill(story.a_draft(applicant))
        endpoint = story.add(draft)
        place = {"reference": draft.reference}
        browser.get(reverse("portal:prove", kwargs={**place, "endpoint": endpoint.pk}))
        sent = story.send(story.fresh(draft))
        story.advance()
        status = reverse("portal:status", kwargs=place)
        assert "One thing is missing: the proof of an address" in browser.get(status).text
        assert "1 application waits for you" in browser.get(reverse("portal:home")).text

        way = reverse("portal:prove_operator", kwargs={**place, "endpoint": endpoint.pk})
        assert browser.post(way, {"subscriber": "SN-0100338"}).status_code == 302
        (asked,) = questions.questions_of(sent.subject)
        page = browser.get(status).text
        assert "Waiting for your operator to confirm the address" in page
        assert f"at the latest: {values.when(asked.due_at)}" in page
        assert "<bdi>Sample Fibre</bdi> was asked" in page
        assert way in page
        home = browser.get(reverse("portal:home")).text
        assert "Nothing waits for you" in home and "Waiting for your operator" in home

        SubscriberQuestion.objects.filter(pk=asked.pk).update(due_at=timezone.now() - dt.timedelta(hours=3))
        late = browser.get(status).text
        assert "The answer is late by" in late and 'class="clock late"' in late

    def test_is_named_apart_from_the_urdu_around_it(self) -> None:
        applicant = story.a_person()
        draft = story.fill(story.a_draft(applicant))
        endpoint = story.add(draft)
        browser = browser_of(applicant)
        browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
        page = browser.get(reverse("portal:prove", kwargs={"reference": draft.reference, "endpoint": endpoint.pk})).text
        assert "آپریٹر <bdi>Sample Fibre</bdi> سے تصدیق ہو گی" in page
        assert urdu.page_problems(page) == []


class TestWhoeverElseWasAsked:
    """An application that waits for somebody outside says for whom and until when; our clock stands still."""

    def sent(self, **evidence: str) -> tuple[Client, str, Application]:
        applicant = story.a_person()
        draft = story.fill(story.a_draft(applicant))
        facts = {"application": draft, "actor": story.actor_of(applicant), "now": timezone.now()}
        drafts.save_evidence(**{"text": ""} | evidence, **facts)
        story.prove(story.add(draft))
        sent = story.send(story.fresh(draft))
        story.advance()
        return browser_of(applicant), reverse("portal:status", args=[sent.reference]), sent

    def test_an_association_has_its_own_clock_and_ours_has_not_begun(self) -> None:
        browser, place, sent = self.sent(kind="association", association=ASSOCIATION, association_number="M-00731")
        request = MembershipInquiry.objects.get()
        page = browser.get(place).text
        assert "Waiting for your association to answer" in page and "Decision due in" not in page
        assert "Your association answers in" in page and f"at the latest: {values.when(request.due_at)}" in page
        assert f"<bdi>Sample Association of Software Houses</bdi>: asked, {values.when(request.asked_at)}" in page
        assert "you are registered provisionally" in page and "Our time to decide, 10 working hours" in page
        assert page.count(reverse("portal:proof", args=[sent.reference])) == 1, "another proof is offered once"
        home = browser.get(reverse("portal:home")).text
        assert "Nothing waits for you" in home and "Waiting for your association" in home
        letter = Letter.objects.get(template="application_received", to=sent.applicant)
        assert "within 10 working hours" in letter.text and "at the latest" not in letter.text

        MembershipInquiry.objects.update(due_at=timezone.now() + dt.timedelta(days=30))
        then = timezone.now() + dt.timedelta(days=20)
        requests.answer_request(
            request=MembershipInquiry.objects.get(), answer=Answer.NOT_MEMBER, by="person:x", now=then
        )
        workflow.advance(now=then)
        case = story.case_of(sent)
        assert case.started_at == then and not case_clock.clock_of(case, then).is_late
        page = browser.get(place).text
        assert "An officer is looking at your application" in page and "Decision due in" in page

    def test_in_urdu_too(self) -> None:
        browser, place, _sent = self.sent(kind="association", association=ASSOCIATION, association_number="M-00731")
        browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
        page = browser.get(place).text
        assert "ایسوسی ایشن کے جواب کا انتظار ہے" in page and urdu.page_problems(page) == []

    def test_a_client_is_shown_with_what_they_see_and_may_be_corrected(self) -> None:
        browser, place, sent = self.sent(kind="client_confirms", text="accounts@client.example")
        page = browser.get(place).text
        assert "Waiting for your client to confirm" in page
        asked = reverse("portal:client", args=[sent.reference])
        assert asked in page
        shown = browser.get(asked).text
        question = Clients.objects.get()
        assert "accounts@client.example" in shown and values.when(question.due_at) in shown
        # Whether an email went out is not said: an address that others named may have had its letters.
        assert f"Does “<bdi>{sent.holder_name}</bdi>” work for you?" in shown and "email has been sent" not in shown
        assert 'name="again"' not in shown and "You can send it once more from" in shown
        browser.post(asked, {"again": "1"})
        assert Letter.objects.filter(template="client_question").count() == 1, "a day has to pass"

        for wrong in ("", "no address", sent.applicant.email, "somebody@gmail.com", "accounts@client.example"):
            answer = browser.post(asked, {"correct": "1", "text": wrong}).text
            assert 'class="err"' in answer and Clients.objects.count() == 1
        assert browser.post(asked, {"correct": "1", "text": "office@client-two.example"}).status_code == 302
        story.advance()
        question.refresh_from_db()
        assert question.state == "withdrawn"
        newer = Clients.objects.get(state="waiting")
        assert newer.domain == "client-two.example" and "office@client-two.example" in browser.get(asked).text
        first = reverse("vouch:question", args=[LINKS.token(question)])
        assert "This question is over" in Client().get(first).text
        with pytest.raises(vouch.NoLongerOpen):
            vouch.answer(question=question, given="yes", now=timezone.now())
        vouch.answer(question=newer, given="yes", now=timezone.now())
        story.advance()
        assert story.fresh(sent).status == "granted"
        assert browser.get(asked).status_code == 302

    def test_a_clients_letter_is_sent_once_more_after_a_day(self) -> None:
        browser, _place, sent = self.sent(kind="client_confirms", text="accounts@client.example")
        asked = reverse("portal:client", args=[sent.reference])
        Clients.objects.update(asked_at=timezone.now() - dt.timedelta(hours=25))
        assert 'name="again"' in browser.get(asked).text
        for _ in range(2):
            browser.post(asked, {"again": "1"})
        assert Letter.objects.filter(template="client_question").count() == 2
        assert "Asked once more" in browser.get(asked).text and 'name="again"' not in browser.get(asked).text

    def test_a_client_in_urdu_and_only_for_the_applicant(self) -> None:
        browser, _place, sent = self.sent(kind="client_confirms", text="accounts@client.example")
        asked = reverse("portal:client", args=[sent.reference])
        browser.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ur"
        page = browser.get(asked).text
        assert "کلائنٹ کی تصدیق کا انتظار ہے" in page and urdu.page_problems(page) == []
        assert browser_of(story.a_person()).get(asked).status_code == 404


class TestTheNavigation:
    def test_leads_everybody_to_their_account_and_members_to_their_organisation(self) -> None:
        holder = story.a_person()
        account = f'<a href="{reverse("people:account")}"'
        page = browser_of(holder).get(reverse("portal:home")).text
        assert account in page and "/account/organisations/" not in page
        assert account in browser_of(story.an_officer()).get(reverse("decide:queue")).text
        now = timezone.now()
        made = [
            people.register_organisation(
                owner=holder, name=f"Sample House {number}", company_number=number, ntn="", actor="test", now=now
            )
            for number in ("0000482", "0000731")
        ]
        place = reverse("people:organisations")
        assert f'<a href="{place}"' in browser_of(holder).get(reverse("portal:home")).text
        mine = reverse("people:organisation", kwargs={"id": made[0].pk})
        assert f'<a href="{place}" aria-current="page">' in browser_of(holder).get(mine).text
