"""By telephone: the officer's page, and those of whoever called."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import entered
from rahdari.apply.entered_models import DeskEntry
from rahdari.apply.models import Application
from rahdari.people.models import User
from tests.builders import story
from tests.builders.entered import EMAIL, NUMBER, an_entry, code_of

pytestmark = pytest.mark.django_db
GIVEN = {
    "way": "telephone",
    "language": "ur",
    "contact": EMAIL,
    "service": "vpn_freelancer",
    "name": "Sample Caller",
    "mobile": "0300 1234567",
    "which": "line",
    "block": "203.0.113.77",
}


def at_the_desk(officer: User) -> Client:
    client = Client()
    client.force_login(officer)
    return client


def opened(entry: DeskEntry, client: Client) -> str:
    """Reads it with the code."""
    given = {"number": entry.reference, "code": code_of(entry)}
    return client.post(reverse("portal:entered"), given, follow=True).text


class TestAtTheDesk:
    def test_enters_it_and_shows_the_number_and_not_what_was_said(self) -> None:
        client = at_the_desk(story.an_officer())
        page = client.post(reverse("portal:desk_entries"), GIVEN, follow=True).text
        entry = DeskEntry.objects.get()
        said = entered.Said.of(entry)
        assert (said.block, said.kind, said.mobile) == ("203.0.113.77", "any", "+923001234567")
        # No service of these rules reads what it is for.
        assert 'name="purpose"' not in page
        assert entry.reference in page and EMAIL not in page and "Sample Caller" not in page
        page = client.post(reverse("portal:drop_entry", args=[entry.pk]), follow=True).text
        assert "Erased. The code does not work any more." in page and not DeskEntry.objects.exists()

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"contact": "nobody"}, "sends no SMS: enter an email address"),
            ({"contact": "a@"}, "before and after the sign @"),
            ({"contact": ""}, "Enter an email address"),
            ({"way": "", "language": "", "service": ""}, "Choose how they came to you"),
            ({"which": "server", "block": "203.0.113.77"}, "Choose what runs there"),
            ({"block": "203.0.113."}, "address"),
        ],
    )
    def test_says_what_is_missing_and_enters_nothing(self, change: dict[str, str], said: str) -> None:
        answer = at_the_desk(story.an_officer()).post(reverse("portal:desk_entries"), GIVEN | change)
        assert answer.status_code == 422 and said in answer.text and not DeskEntry.objects.exists()

    @pytest.mark.parametrize("sends", [True, False])
    def test_says_beforehand_what_a_mobile_number_cannot_do(self, settings: Any, tmp_path: Path, sends: bool) -> None:
        if sends:
            settings.SMS_FOLDER = tmp_path / "sms"
        page = at_the_desk(story.an_officer()).get(reverse("portal:desk_entries")).text
        assert ("With a mobile number alone they can read it and not take it over" in page) == sends
        assert ("Their email address or mobile number" in page) == sends

    def test_says_so_where_a_part_that_was_named_becomes_the_whole(self) -> None:
        client, runs = at_the_desk(story.an_officer()), {"which": "server", "kind": "other", "protocol": "udp"}
        page = client.post(reverse("portal:desk_entries"), GIVEN | runs | {"port": "1701"}, follow=True).text
        assert "You named a part of" in page and "All its parts are registered." in page
        page = client.post(reverse("portal:desk_entries"), GIVEN | runs | {"block": "", "port": "1701"}, follow=True)
        assert "The code goes out now" in page.text and "You named a part of" not in page.text

    def test_takes_no_address_where_none_was_said(self) -> None:
        at_the_desk(story.an_officer()).post(reverse("portal:desk_entries"), GIVEN | {"block": "", "which": ""})
        assert entered.Said.of(DeskEntry.objects.get()).block == ""

    def test_is_the_same_page_for_a_contact_with_an_account_and_one_without(self) -> None:
        pages = []
        for contact in (EMAIL, story.a_person().email):
            client = at_the_desk(story.an_officer())
            page = client.post(reverse("portal:desk_entries"), GIVEN | {"contact": contact}, follow=True).text
            entry = DeskEntry.objects.latest("entered_at")
            pages.append((len(page), entry.reference in page))
            entered.drop(entry=entry, officer=entry.entered_by, now=timezone.now())
        assert abs(pages[0][0] - pages[1][0]) < 40 and pages[0][1] and pages[1][1]

    def test_shows_no_officer_what_another_entered(self) -> None:
        entry = an_entry(story.an_officer())
        other = at_the_desk(story.an_officer())
        assert entry.reference not in other.get(reverse("portal:desk_entries")).text
        other.post(reverse("portal:drop_entry", args=[entry.pk]))
        assert DeskEntry.objects.filter(pk=entry.pk).exists()


class TestWhoeverCalled:
    @pytest.mark.parametrize("contact", [EMAIL, NUMBER])
    def test_reads_all_of_it_signs_in_and_takes_it_over(
        self, client: Client, contact: str, settings: Any, tmp_path: Path
    ) -> None:
        settings.SMS_FOLDER = tmp_path / "sms"
        entry, holder = an_entry(story.an_officer(), contact=contact), story.a_person()
        page = opened(entry, client)
        for said in ("Sample Caller", "203.0.113.200", "+923001234567", "WireGuard", contact):
            assert said in page
        assert "Sign in and take it over" in page
        assert ("your mobile number is not enough" in page) == (contact == NUMBER)
        answer = client.post(reverse("portal:take_entry"))
        assert answer.headers["Location"].startswith(reverse("account_login"))
        typed = client.get(answer.headers["Location"]).context["form"]["email"].value()
        assert typed == (EMAIL if contact == EMAIL else "")
        client.force_login(holder)
        opened(entry, client)
        answer = client.post(reverse("portal:take_entry"), follow=True)
        made = Application.objects.get()
        assert answer.request["PATH_INFO"] == reverse("portal:tasks", args=[made.reference])
        assert made.applicant == holder
        assert not DeskEntry.objects.exists()

    def test_says_that_it_was_not_them(self, client: Client) -> None:
        entry = an_entry(story.an_officer())
        opened(entry, client)
        assert "All of it is erased" in client.post(reverse("portal:disown_entry")).text
        assert not DeskEntry.objects.exists()
        assert client.get(reverse("portal:entered_read")).status_code == 302

    def test_learns_the_same_of_a_number_that_is_not_there(self, client: Client) -> None:
        given = {"number": "E-AAAA-AAAA", "code": "12345678"}
        answer = client.post(reverse("portal:entered"), given)
        assert answer.status_code == 422 and "We have no entry with this number and this code" in answer.text

    def test_tries_no_more_than_twenty_codes_an_hour(self, client: Client) -> None:
        for number in range(21):
            answer = client.post(reverse("portal:entered"), {"number": f"E-AAAA-AA{number:02}", "code": "12345678"})
        assert "Too many codes were tried" in answer.text

    def test_has_half_an_hour_to_read_it(self, client: Client) -> None:
        entry = an_entry(story.an_officer())
        opened(entry, client)
        session = client.session
        session["portal.entry"] = [str(entry.pk), (timezone.now() - dt.timedelta(minutes=31)).isoformat()]
        session.save()
        assert client.get(reverse("portal:entered_read")).headers["Location"] == reverse("portal:entered")

    def test_is_not_the_officer_who_entered_it(self) -> None:
        officer = story.an_officer()
        entry, client = an_entry(officer), at_the_desk(officer)
        opened(entry, client)
        page = client.post(reverse("portal:take_entry"), follow=True).text
        assert "Only they can take it over" in page and DeskEntry.objects.exists()
