"""The pages of an address that changes: in an application, and while it is registered."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.applicant.registration_status import addresses_of
from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as proofs
from rahdari.dyndns import queries
from rahdari.dyndns.models import DynamicHost, ReportedAddress
from rahdari.people.models import User
from tests.builders import story
from tests.builders.connections import Connection, a_connection, a_dynamic_endpoint, listed, report

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def browser_of(person: User, address: str = "203.0.113.33", language: str = "en") -> Client:
    browser = Client(headers={"accept-language": language}, REMOTE_ADDR=address)
    browser.force_login(person)
    return browser


def page_of(connection: Connection) -> str:
    return reverse("portal:changing", args=[connection.registration.reference, connection.host.pk])


class TestApplying:
    def test_the_form_asks_whether_the_address_stays_and_keeps_the_answer(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        browser = browser_of(application.applicant)
        address = reverse("apply:add_address", args=[application.reference])
        given = {"block": "203.0.113.33", "stays": "dynamic", "kind": "wireguard"}
        assert browser.post(address, given).status_code == 302
        assert Endpoint.objects.get().is_dynamic

    def test_a_range_does_not_change_by_itself(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        browser = browser_of(application.applicant)
        address = reverse("apply:add_address", args=[application.reference])
        answer = browser.post(address, {"block": "203.0.113.32/30", "stays": "dynamic", "kind": "wireguard"})
        assert "A range cannot be a changing address." in answer.content.decode()

    def test_a_changing_address_leads_to_an_application(self) -> None:
        person = story.a_person()
        browser = browser_of(person)
        answers = {"who": "vpn_freelancer", "use": "clients", "which": "line"}
        assert browser.post(reverse("apply:start"), answers)["Location"] == reverse("apply:ready")
        assert browser.post(reverse("apply:begin")).status_code == 302
        draft = Application.objects.get(applicant=person)
        address = reverse("apply:add_address", args=[draft.reference])
        assert "It changes from time to time" in browser.get(address).content.decode()
        assert browser.post(address, {"which": "line", "block": "203.0.113.33", "stays": "dynamic"}).status_code == 302
        assert Endpoint.objects.get().is_dynamic

    def test_shows_the_password_once_and_then_never_again(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        endpoint = a_dynamic_endpoint(application)
        browser = browser_of(application.applicant)
        address = reverse("portal:prove", args=[application.reference, endpoint.pk])
        before = browser.get(address).content.decode()
        assert "There is no password yet." in before
        shown = browser.post(address, {"token": "1"})
        assert shown.status_code == 200 and "no-store" in shown["Cache-Control"]
        token = re.search(r"\b([a-z2-9]{5}(?:-[a-z2-9]{5}){3})\b", shown.content.decode())
        assert token is not None and queries.token_shown(token[1]) is not None
        assert token[1] not in browser.get(address).content.decode()

    def test_one_press_on_the_line_itself_proves_it(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        endpoint = a_dynamic_endpoint(application, "203.0.113.34")
        browser = browser_of(application.applicant, "203.0.113.35")
        address = reverse("portal:prove", args=[application.reference, endpoint.pk])
        browser.get(address)
        browser.post(address, {"report": "1"})
        endpoint.refresh_from_db()
        assert str(endpoint.network) == "203.0.113.35/32"
        assert proofs.is_proved(endpoint.subject, endpoint.network)
        assert "Your router reports its address" in browser.get(address).content.decode()

    def test_what_to_copy_is_there_for_each_client(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        endpoint = a_dynamic_endpoint(application)
        page = browser_of(application.applicant).post(
            reverse("portal:prove", args=[application.reference, endpoint.pk]), {"token": "1"}
        )
        text = page.content.decode()
        name = DynamicHost.objects.get().name
        for sign in ("FRITZ!Box", "OpenWrt", "MikroTik", "ddclient", "inadyn", "rahdari agent announce", name):
            assert sign in text, sign


class TestItsPage:
    def test_says_how_it_stands_and_what_to_do(self) -> None:
        connection = a_connection("203.0.113.36")
        browser = browser_of(connection.person)
        assert "We get reports of your changing address" in browser.get(page_of(connection)).content.decode()
        ReportedAddress.objects.update(until=timezone.now() - dt.timedelta(minutes=1))
        silent = browser.get(page_of(connection)).content.decode()
        assert "We no longer get reports of this address" in silent and "Restart the router once." in silent
        workflow.advance(now=timezone.now() + 5 * DAY)
        off = browser.get(page_of(connection)).content.decode()
        assert "It was not reported for too long." in off

    def test_reports_from_here_at_one_press(self) -> None:
        connection = a_connection("203.0.113.37")
        browser = browser_of(connection.person, "203.0.113.38")
        assert "203.0.113.38" in browser.get(page_of(connection)).content.decode()
        browser.post(page_of(connection), {"report": "1"})
        assert listed(connection.registration) == ["203.0.113.37/32", "203.0.113.38/32"]

    def test_counts_one_address_however_often_it_changes(self) -> None:
        connection = a_connection("203.0.113.200")
        for address in ("203.0.113.201", "203.0.113.202"):
            report(connection.host, address)
        registration = connection.registration
        assert len(listed(registration)) == 3, "those that were left are on the list for the overlap"
        assert addresses_of(registration) == 1
        number = reverse("portal:check_number")
        public = Client(headers={"accept-language": "en"}).get(number, {"number": registration.reference}, follow=True)
        assert re.search(r"Registered addresses</dt>\s*<dd>1</dd>", public.content.decode())

    def test_replaces_the_password(self) -> None:
        connection = a_connection("203.0.113.39")
        browser = browser_of(connection.person)
        browser.post(page_of(connection), {"token": "1", "stop": "24"})
        assert queries.token_shown(connection.token).ends_at > timezone.now()
        browser.post(page_of(connection), {"token": "1", "stop": "0"})
        assert queries.token_shown(connection.token).ends_at <= timezone.now()

    def test_pauses_until_a_day_and_says_which_days_there_are(self) -> None:
        connection = a_connection("203.0.113.40")
        browser = browser_of(connection.person)
        answer = browser.post(page_of(connection), {"pause": "on", "until": "2020-01-01"}, follow=True)
        assert "Enter a date within the next 90 days" in answer.content.decode()
        day = timezone.localdate() + 10 * DAY
        browser.post(page_of(connection), {"pause": "on", "until": day.isoformat()})
        assert connection.fresh().paused_until is not None
        browser.post(page_of(connection), {"pause": "off"})
        assert connection.fresh().paused_until is None

    def test_shows_a_rival(self) -> None:
        first, second = a_connection("203.0.113.41"), a_connection("203.0.113.42")
        report(second.host, "203.0.113.41")
        page = browser_of(first.person).get(page_of(first)).content.decode()
        assert "Another registered holder reports this address too" in page
        assert "Not yet: another holder reports this address too" in (
            browser_of(second.person).get(page_of(second)).content.decode()
        )

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_is_reached_from_the_registration(self, language: str) -> None:
        connection = a_connection("203.0.113.43")
        browser = browser_of(connection.person, language=language)
        page = browser.get(reverse("portal:registration", args=[connection.registration.reference]))
        assert page_of(connection) in page.content.decode()
