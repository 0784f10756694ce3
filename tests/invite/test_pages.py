"""The inviter's pages, the page behind a link, the desk, and what sending an application counts."""

import csv
import datetime as dt
import html
import io
import ipaddress
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from rahdari import policy
from rahdari.apply.models import Application
from rahdari.invite import actions, queries
from rahdari.invite.models import Campaign
from rahdari.invite.rules import Inviter, Whom, Why
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.register import actions as register
from rahdari.register.models import Registration
from tests import urdu
from tests.builders import story
from tests.builders.attestations import ASSOCIATION, OTHER, a_secretary

from .test_acts import a_campaign

pytestmark = pytest.mark.django_db
INVITING = reverse("portal:inviting")


def visitor(language: str = "en", user: User | None = None) -> Client:
    client = Client()
    client.cookies["django_language"] = language
    if user is not None:
        client.force_login(user)
    return client


def an_organisation(owner: User, *, category: str = "vpn_bank", registered: bool = True) -> Organisation:
    now = timezone.now()
    found = people.register_organisation(owner=owner, name="Sample Bank", actor="system:test", now=now)
    if registered:
        entry = register.NewEntry(
            origin=f"endpoint:{uuid.uuid4()}",
            block=ipaddress.ip_network("203.0.113.99/32"),
            protocol="udp",
            port=1194,
            asn=64500,
        )
        register.enter(
            origin=f"application:{uuid.uuid4()}",
            holder=found.holder_ref,
            category=category,
            endpoints=[entry],
            valid_from=now,
            valid_until=now + dt.timedelta(days=365),
            actor="system:test",
            now=now,
        )
    return found


def place_of(campaign: Campaign, number: int = 1, page: str = "portal:invited") -> str:
    return reverse(page, args=[campaign.pk, number, queries.token_of(campaign.pk, number)])


class TestTheInviter:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_of_an_association_gets_links_as_a_file_and_writes_no_word(self, language: str) -> None:
        secretary = visitor(language, a_secretary())
        assert 'name="text"' not in secretary.get(INVITING).text
        choice = f"association:{ASSOCIATION} members"
        sent = secretary.post(INVITING, {"whom": choice, "links": "40", "days": "30", "name": "Your number is locked"})
        campaign = Campaign.objects.get()
        assert sent.headers["Location"] == reverse("portal:invitation", args=[campaign.pk])
        page = secretary.get(sent.headers["Location"])
        if language == "ur":
            assert urdu.page_problems(page.text) == []
        table = secretary.get(reverse("portal:invitation_links", args=[campaign.pk])).content.decode()
        rows = list(csv.DictReader(io.StringIO(table)))
        assert len(rows) == 40 and all(set(row) == {"number", "link"} for row in rows)
        link = rows[6]["link"].removeprefix(settings.SITE_URL.rstrip("/"))
        assert visitor(language).get(link).status_code == 200
        assert "Your number is locked" not in visitor(language).get(link).text

    def test_of_an_organisation_is_its_owner_while_it_is_registered(self) -> None:
        owner, other = story.a_person(), story.a_person()
        an_organisation(owner, registered=False)
        assert "Your account belongs to neither" in visitor(user=owner).get(INVITING).text
        an_organisation(other)
        shown = visitor(user=other).get(INVITING).text
        assert "Its customers" in shown and "Its staff" in shown and "Its students" not in shown

    def test_is_refused_what_the_rules_do_not_allow(self) -> None:
        owner = story.a_person()
        found = an_organisation(owner, category="vpn_company")
        facts = {"whom": f"holder:{found.holder_ref} staff", "links": "10", "days": "10"}
        for wrong in (
            {"whom": f"holder:{found.holder_ref} customers"},
            {"links": "5001"},
            {"days": "91"},
            {"links": ""},
        ):
            assert visitor(user=owner).post(INVITING, facts | wrong).status_code == 422
        assert not Campaign.objects.exists()
        assert visitor(user=owner).post(INVITING, facts).status_code == 302

    def test_sees_no_campaign_of_another_body(self) -> None:
        campaign = a_campaign()
        for user in (story.a_person(), a_secretary(OTHER)):
            for name in ("portal:invitation", "portal:invitation_links"):
                assert visitor(user=user).get(reverse(name, args=[campaign.pk])).status_code == 404
            assert visitor(user=user).post(reverse("portal:stop_inviting", args=[campaign.pk])).status_code == 404

    def test_of_staff_is_told_nothing_ever(self) -> None:
        owner = story.a_person()
        found = an_organisation(owner)
        inviter = Inviter(f"holder:{found.holder_ref}", found.name, (Whom.STAFF,))
        campaign = a_campaign(Whom.STAFF, inviter=inviter)
        actions.end(now=campaign.ends_at)
        page = visitor(user=owner).get(reverse("portal:invitation", args=[campaign.pk])).text
        assert "Nothing: of staff no number is told." in page


class TestALink:
    @pytest.mark.parametrize("language", ["en", "ur"])
    @pytest.mark.parametrize("whom", [Whom.MEMBERS, Whom.STAFF])
    def test_says_who_invites_what_is_asked_and_what_nobody_learns(self, whom: Whom, language: str) -> None:
        page = visitor(language).get(place_of(a_campaign(whom)))
        shown = html.unescape(page.text)
        assert page.status_code == 200 and "Sample Association" in shown
        assert page.headers["Referrer-Policy"] == "same-origin" and page.headers["X-Robots-Tag"] == "noindex"
        if language == "ur":
            assert urdu.page_problems(page.text) == []
        else:
            assert ("we tell it only how many people applied" in shown) == (whom is Whom.MEMBERS)
            assert ("An employer is told nothing" in shown) == (whom is Whom.STAFF)

    def test_that_is_opened_changes_nothing_and_sets_no_cookie(self) -> None:
        campaign, scanner = a_campaign(), Client()
        for _ in range(3):
            assert set(scanner.get(place_of(campaign)).cookies) <= {"csrftoken"}
            assert scanner.head(place_of(campaign)).status_code == 200
        campaign.refresh_from_db()
        assert campaign.finished == 0

    def test_that_was_never_given_out_is_not_found(self) -> None:
        campaign = a_campaign()
        assert Client().get(reverse("portal:invited", args=[campaign.pk, 1, "a" * 26])).status_code == 404
        assert Client().get(place_of(campaign, 31)).status_code == 404
        assert Client().post(place_of(campaign, 31)).status_code == 404

    def test_begins_and_of_staff_leaves_no_trace_in_the_browser(self) -> None:
        assert "invited" in Client().post(place_of(a_campaign())).cookies
        answer = Client().post(place_of(a_campaign(Whom.STAFF)))
        assert answer.headers["Location"] == reverse("apply:start") and "invited" not in answer.cookies

    def test_of_a_stolen_list_dies_at_once_and_says_why(self) -> None:
        campaign, officer = a_campaign(), visitor(user=story.an_officer())
        assert officer.post(reverse("portal:withdraw_invitation", args=[campaign.pk])).status_code == 422
        officer.post(reverse("portal:withdraw_invitation", args=[campaign.pk]), {"why": "list"})
        assert "It was sent to addresses that were not the sender’s to use." in officer.get("/desk/invitations/").text
        page = Client().get(place_of(campaign))
        assert "This invitation was withdrawn" in page.text
        assert "It was sent to addresses that were not the sender’s to use." in page.text
        assert "invited" not in Client().post(place_of(campaign)).cookies
        assert Client().get(place_of(campaign, page="portal:invited_reminders")).status_code == 404

    def test_dies_with_the_registration_of_whoever_invites(self) -> None:
        found = an_organisation(story.a_person())
        inviter = Inviter(f"holder:{found.holder_ref}", found.name, (Whom.CUSTOMERS,))
        campaign = a_campaign(Whom.CUSTOMERS, inviter=inviter)
        assert "Sample Bank" in Client().get(place_of(campaign)).text
        registration = Registration.objects.get(holder=found.holder_ref)
        register.strike_out(registration=registration, code="R1", actor="system:test", now=timezone.now())
        assert "This invitation has ended" in Client().get(place_of(campaign)).text
        assert "invited" not in Client().post(place_of(campaign)).cookies

    def test_gives_two_reminders_for_the_readers_own_calendar(self) -> None:
        campaign = a_campaign(days=30)
        answer = Client().get(place_of(campaign, page="portal:invited_reminders"))
        events = Calendar.from_ical(answer.content).walk("VEVENT")
        assert len(events) == 2
        assert {timezone.localtime(each["DTSTART"].dt).hour for each in events} == {10}
        assert all("Sample Association" not in str(each["SUMMARY"]) and "VPN" not in each["SUMMARY"] for each in events)


class TestSending:
    def test_counts_once_and_keeps_no_link_between_the_two(self) -> None:
        campaign, person = a_campaign(), story.a_person()
        draft, browser = story.a_full_draft(person), visitor(user=person)
        cookie = browser.post(place_of(campaign)).cookies["invited"]
        check = reverse("portal:check", args=[draft.reference])
        assert check.startswith(cookie["path"]) and not reverse("apply:start").startswith(cookie["path"])
        for _ in range(2):
            sent = browser.post(check, {"declare": "on"})
        campaign.refresh_from_db()
        draft.refresh_from_db()
        assert draft.submitted_at is not None and campaign.finished == 1
        assert "invited" not in browser.cookies or not browser.cookies["invited"].value
        assert sent.status_code == 302
        row = [str(value) for value in Application.objects.filter(pk=draft.pk).values_list()[0]]
        assert not any(str(campaign.pk) in value for value in row)

    def test_without_an_invitation_or_with_a_forged_one_counts_nothing(self) -> None:
        campaign, person = a_campaign(), story.a_person()
        draft, browser = story.a_full_draft(person), visitor(user=person)
        browser.cookies["invited"] = str(campaign.pk)
        browser.post(reverse("portal:check", args=[draft.reference]), {"declare": "on"})
        campaign.refresh_from_db()
        draft.refresh_from_db()
        assert draft.submitted_at is not None and campaign.finished == 0


def test_rules_without_the_section_let_nobody_invite(settings: Any) -> None:
    settings.POLICY_FILE = policy.SHIPPED["declaration"]
    shown = visitor(user=story.a_person()).get(INVITING).text
    assert "Under the rules in force nobody invites." in shown


def test_a_withdrawal_keeps_its_reason() -> None:
    campaign = a_campaign()
    actions.withdraw(campaign=campaign, why=Why.PRESSED, actor="officer:1", now=timezone.now())
    assert "People were pressed to register." in Client().get(place_of(campaign)).text
