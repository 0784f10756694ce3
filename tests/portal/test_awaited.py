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

from rahdari.address import directory
from rahdari.confirm import queries as questions
from rahdari.confirm.models import Question
from rahdari.page import urdu, values
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.vault import keys

from . import story

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

        Question.objects.filter(pk=asked.pk).update(due_at=timezone.now() - dt.timedelta(hours=3))
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
