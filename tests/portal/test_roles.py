"""What each role of an organisation reaches: its applications, addresses, registration and invoices, page by page."""

import datetime as dt
import ipaddress
import uuid
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import bulk, drafts, parts
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.decide import ending
from rahdari.fees import actions as fees
from rahdari.fees.rules import Due
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.register.rules import NewEntry
from rahdari.vault import keys
from tests.builders import story

pytestmark = pytest.mark.django_db
ROLES = ("owner", "manager", "technician", "accountant", "viewer", "stranger")
PAPERS = {"owner", "manager"}
ADDRESSES = PAPERS | {"technician"}
SEE = ADDRESSES | {"viewer"}
INVOICES = PAPERS | {"accountant"}


class World:
    """A company with a draft, a registration and an invoice, and a person for each role."""

    def __init__(self, host: int = 99) -> None:
        keys.make_missing(Path(django_settings.DATA) / "keys")
        now = timezone.now()
        self.people: dict[str, User] = {role: story.a_person() for role in ROLES}
        owner = self.people["owner"]
        self.company: Organisation = people.register_organisation(
            owner=owner, name="Sample House", company_number="0000482", actor=str(owner), now=now
        )
        for role in ROLES[1:-1]:
            user = self.people[role]
            people.add_member(organisation=self.company, user=user, role=role, actor=str(owner), now=now)
        draft = drafts.start_application(applicant=owner, service="vpn_company", actor=story.actor_of(owner), now=now)
        facts = {"application": draft, "actor": story.actor_of(owner), "now": now}
        drafts.save_company(name="Sample House", company_number="0000482", ntn="", **facts)
        bulk.add_endpoints(wanted=[bulk.NewEndpoint(ipaddress.ip_network("203.0.113.24"), "wireguard")], **facts)
        self.draft: Application = story.fresh(draft)
        self.registration: Registration = register.enter(
            origin=f"application:{uuid.uuid4()}",
            holder=self.company.holder_ref,
            category="vpn_company",
            endpoints=[
                NewEntry(
                    origin=f"endpoint:{uuid.uuid4()}",
                    block=ipaddress.ip_network(f"203.0.113.{host}"),
                    protocol="udp",
                    port=51820,
                    asn=None,
                )
            ],
            valid_from=now,
            valid_until=now + dt.timedelta(days=365),
            actor="system:test",
            now=now,
        )
        self.invoice = fees.issue_invoice(
            subject=f"application:{uuid.uuid4()}",
            about="A-2611-SAMP-0001",
            holder=self.company.holder_ref,
            service="vpn_company",
            due=Due(5, 0, Decimal(200), once=False),
            currency="PKR",
            due_at=now + dt.timedelta(days=30),
            zone=ZoneInfo("Asia/Karachi"),
            now=now,
        )

    def browser(self, role: str) -> Client:
        client = Client(headers={"accept-language": "en"}, REMOTE_ADDR="198.51.100.7")
        client.force_login(self.people[role])
        return client

    def who_reaches(self, place: str) -> set[str]:
        answers = {role: self.browser(role).get(place).status_code for role in ROLES}
        assert set(answers.values()) <= {200, 404}, answers
        return {role for role, code in answers.items() if code == 200}


@pytest.fixture
def world() -> World:
    return World()


def of_draft(world: World, name: str, *more: object) -> str:
    return reverse(name, args=[world.draft.reference, *more])


class TestApplications:
    @pytest.mark.parametrize("name", ["portal:tasks", "apply:company", "apply:contact", "apply:documents"])
    def test_are_for_who_may_apply(self, world: World, name: str) -> None:
        assert world.who_reaches(of_draft(world, name)) == PAPERS

    def test_show_their_addresses_to_a_technician(self, world: World) -> None:
        endpoint = applications.endpoints_of(world.draft).get()
        for name, more in (
            ("apply:addresses", []),
            ("apply:add_address", []),
            ("apply:add_many", []),
            ("apply:change_address", [endpoint.pk]),
            ("portal:prove_many", []),
            ("portal:prove", [endpoint.pk]),
        ):
            assert world.who_reaches(of_draft(world, name, *more)) == ADDRESSES, name

    def test_show_a_technician_no_answer(self, world: World) -> None:
        browser = world.browser("technician")
        for name in ("apply:addresses", "portal:prove_many", "portal:home"):
            place = reverse(name) if name == "portal:home" else of_draft(world, name)
            page = browser.get(place).text
            assert "0000482" not in page and of_draft(world, "portal:tasks") not in page, name
        assert of_draft(world, "portal:prove_many") in browser.get(reverse("portal:home")).text
        back = browser.get(of_draft(world, "portal:application"))
        assert back.headers["Location"] == of_draft(world, "portal:prove_many")

    def test_tell_a_technician_how_many_addresses_wait_for_a_proof(self, world: World) -> None:
        browser, overview = world.browser("technician"), reverse("portal:organisation", args=[world.company.pk])
        for place in (reverse("portal:home"), overview):
            page = browser.get(place).text
            assert "Nothing waits for you" not in page and of_draft(world, "portal:prove_many") in page
        assert "1 address to prove" in browser.get(reverse("portal:home")).text
        assert of_draft(world, "portal:prove_many") not in world.browser("viewer").get(overview).text

    def test_lead_a_technician_to_a_page_while_there_is_no_address(self, world: World) -> None:
        endpoint = applications.endpoints_of(world.draft).get()
        parts.remove_endpoint(endpoint=endpoint, actor="person:x", now=timezone.now())
        for name in ("portal:prove_many", "portal:prove_first", "portal:application"):
            assert world.browser("technician").get(of_draft(world, name), follow=True).status_code == 200, name

    def test_promise_a_technician_nothing_that_only_others_may_do(self, world: World) -> None:
        endpoint = applications.endpoints_of(world.draft).get()
        place, check = of_draft(world, "portal:prove", endpoint.pk), of_draft(world, "portal:check")
        assert check in world.browser("owner").get(place).text
        assert check not in world.browser("technician").get(place).text
        ending.pause(registration=world.registration, days=7, actor="person:1", now=timezone.now())
        said = {each.to: each.text for each in Letter.objects.filter(template="registration_paused")}
        assert "press “Continue it now”" in said[world.people["owner"]]
        told = said[world.people["technician"]]
        assert "Continue it now" not in told and "an owner or a manager" in told

    def test_take_an_address_of_a_technician_in_their_name(self, world: World) -> None:
        given = {"block": "203.0.113.25", "kind": "wireguard"}
        assert world.browser("technician").post(of_draft(world, "apply:add_address"), given).status_code == 302
        assert world.browser("viewer").post(of_draft(world, "apply:add_address"), given).status_code == 404
        assert [row.address_text for row in applications.endpoints_of(world.draft)] == ["203.0.113.24", "203.0.113.25"]

    def test_stand_on_the_page_of_a_manager_too(self, world: World) -> None:
        assert of_draft(world, "portal:tasks") in world.browser("manager").get(reverse("portal:home")).text
        assert world.draft.reference not in world.browser("viewer").get(reverse("portal:home")).text
        assert world.draft.reference not in world.browser("accountant").get(reverse("portal:home")).text

    def test_are_closed_to_a_manager_who_was_removed(self, world: World) -> None:
        manager, now = world.people["manager"], timezone.now()
        browser = world.browser("manager")
        assert browser.get(of_draft(world, "portal:tasks")).status_code == 200
        people.remove_member(organisation=world.company, user=manager, actor="person:x", now=now)
        assert browser.get(of_draft(world, "portal:tasks")).status_code == 404

    def test_of_a_viewer_with_the_companys_number_are_not_the_companys(self, world: World) -> None:
        viewer, now = world.people["viewer"], timezone.now()
        draft = drafts.start_application(applicant=viewer, service="vpn_company", actor="person:x", now=now)
        drafts.save_company(
            application=draft, name="Sample House", company_number="0000482", ntn="", actor="person:x", now=now
        )
        assert story.fresh(draft).organisation != world.company


class TestRegistrations:
    def test_are_seen_by_all_but_who_keeps_accounts(self, world: World) -> None:
        for name in ("portal:registration", "portal:certificate"):
            assert world.who_reaches(reverse(name, args=[world.registration.reference])) == SEE

    def test_are_changed_by_role(self, world: World) -> None:
        number, entry = world.registration.reference, world.registration.entries.get()
        for name, more, expected in (
            ("portal:renew", [], PAPERS),
            ("portal:end_registration", [], PAPERS),
            ("portal:change_addresses", [], ADDRESSES),
            ("portal:change_entry", [entry.pk], ADDRESSES),
            ("portal:prove_again", [entry.pk], ADDRESSES),
        ):
            assert world.who_reaches(reverse(name, args=[number, *more])) == expected, name

    def test_offer_each_role_what_it_may_do(self, world: World) -> None:
        page = reverse("portal:registration", args=[world.registration.reference])
        change = reverse("portal:change_addresses", args=[world.registration.reference])
        end = reverse("portal:end_registration", args=[world.registration.reference])
        for role, expected in {
            "owner": (True, True),
            "manager": (True, True),
            "technician": (True, False),
            "viewer": (False, False),
        }.items():
            shown = world.browser(role).get(page).text
            assert (change in shown, end in shown) == expected, role


class TestInvoices:
    def test_are_for_who_may_see_them(self, world: World) -> None:
        assert world.who_reaches(reverse("fees:invoice", args=[world.invoice.number])) == INVOICES
        listed = {role for role in ROLES if world.invoice.number in world.browser(role).get("/my/invoices/").text}
        assert listed == INVOICES

    def test_show_an_accountant_no_address(self, world: World) -> None:
        browser = world.browser("accountant")
        for place in (reverse("portal:home"), reverse("portal:registrations"), "/my/invoices/"):
            assert "203.0.113." not in browser.get(place).text
