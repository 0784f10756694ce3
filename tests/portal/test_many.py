"""Many addresses of an organisation: added, proved by one link, sent, decided, entered and published, all of them."""

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.address import directory
from rahdari.apply import access, bulk, drafts, parts, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import rosters
from rahdari.control import queries as proofs
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.portal.applicant import prove_many
from rahdari.vault import keys
from tests.builders import story
from tests.builders.drafts import a_pdf

pytestmark = pytest.mark.django_db
KNOWN = [f"203.0.113.{host}" for host in range(1, 41)]


@pytest.fixture(autouse=True)
def keys_and_networks() -> Iterator[None]:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


@pytest.fixture
def owner() -> User:
    return story.a_person()


def with_addresses(owner: User, addresses: list[str] = KNOWN, **more: Any) -> Application:
    """A company's draft with these addresses, and nothing else in it."""
    draft = drafts.start_application(
        applicant=owner, service="vpn_company", actor=story.actor_of(owner), now=timezone.now()
    )
    wanted = [bulk.NewEndpoint(ipaddress.ip_network(each), "wireguard", **more) for each in addresses]
    added = bulk.add_endpoints(application=draft, wanted=wanted, actor=story.actor_of(owner), now=timezone.now())
    assert not added.troubles
    return story.fresh(draft)


def signed_in(user: User, **more: Any) -> Client:
    client = Client(headers={"accept-language": "en"}, REMOTE_ADDR="198.51.100.7", **more)
    client.force_login(user)
    return client


def list_of(draft: Application) -> str:
    return reverse("portal:prove_many", args=[draft.reference])


def link_on(page: str) -> str:
    found = re.search(r"curl (\S+)</code>", page)
    assert found is not None
    return found[1].removeprefix(django_settings.SITE_URL.rstrip("/"))


def proved(draft: Application) -> int:
    rows = list(applications.endpoints_of(draft))
    return len(proofs.proofs_of([row.subject for row in rows]))


class TestTheWholeLine:
    def test_carries_all_of_them(self, owner: User, tmp_path: Path) -> None:
        roster = tmp_path / "companies.csv"
        roster.write_text("number,name,domain\n0000482,Sample Software House (Pvt) Ltd,client.example\n")
        rosters.import_roster(name="companies", path=roster, now=timezone.now(), actor="system:test", processes=1)
        story.an_operator("sample-fibre", "Sample Fibre")
        draft = with_addresses(owner)
        facts: dict[str, Any] = {"application": draft, "actor": story.actor_of(owner), "now": timezone.now()}
        drafts.save_company(name="Sample Software House (Pvt) Ltd", company_number="0000482", ntn="", **facts)
        drafts.save_contact(name="Network manager", mobile="+923001234520", **facts)
        parts.attach_document(rule="incorporation", name="letter.pdf", content=a_pdf(), **facts)
        client = signed_in(owner)
        assert client.get(reverse("portal:check", args=[draft.reference])).text.count("Not proved yet") == len(KNOWN)
        link = link_on(client.get(list_of(draft)).text)
        for address in KNOWN:
            Client(REMOTE_ADDR=address, headers={"accept": "*/*", "user-agent": "curl/8.14.1"}).get(link)
        story.send(story.fresh(draft))
        for _ in range(3):
            story.advance()
        registration = story.registration_of(story.fresh(draft))
        assert sorted(str(entry.block.network_address) for entry in registration.entries.all()) == sorted(KNOWN)
        story.published(tmp_path / "offline")
        page = client.get(reverse("portal:registration", args=[registration.reference])).text
        assert "Published at" in page and all(f"<code>{address}</code>" in page for address in KNOWN)


class TestTheList:
    def test_of_no_addresses_leads_a_technician_to_where_they_are_added(self, owner: User) -> None:
        draft = drafts.start_application(
            applicant=owner, service="vpn_company", actor=story.actor_of(owner), now=timezone.now()
        )
        facts: dict[str, Any] = {"application": draft, "actor": story.actor_of(owner), "now": timezone.now()}
        saved = drafts.save_company(name="Sample House", company_number="0000482", ntn="", **facts)
        technician = story.a_person()
        people.add_member(
            organisation=saved.organisation, user=technician, role="technician", actor="system:test", now=timezone.now()
        )
        client = signed_in(technician)
        for page in ("portal:prove_many", "portal:prove_first"):
            answer = client.get(reverse(page, args=[draft.reference]), follow=True)
            assert answer.status_code == 200
            assert answer.redirect_chain[-1][0] == reverse("apply:add_address", args=[draft.reference])
        sending.withdraw_application(application=story.fresh(draft), actor=story.actor_of(owner), now=timezone.now())
        answer = client.get(reverse("portal:application", args=[draft.reference]))
        assert answer["Location"] == reverse("portal:home"), "nothing of it is left to prove"

    def test_comes_first_for_many(self, owner: User) -> None:
        many, few = with_addresses(owner), with_addresses(owner, ["203.0.113.200"])
        first = signed_in(owner).get(reverse("portal:prove_first", args=[many.reference]))
        assert first.headers["Location"] == list_of(many)
        assert list_of(few) not in signed_in(owner).get(reverse("portal:prove_first", args=[few.reference])).url

    def test_shows_what_is_to_prove_in_front(self, owner: User) -> None:
        draft = with_addresses(owner, KNOWN[:6], label="Branch North")
        rows = list(applications.endpoints_of(draft))
        story.prove(rows[0])
        page = signed_in(owner).get(list_of(draft)).text
        assert "1 of 6 addresses is proved." in page and "Branch North" in page
        table = page.split("<tbody")[1]
        assert table.index(KNOWN[1]) < table.index(f">{KNOWN[0]}<")

    def test_asks_the_database_no_more_for_more(self, owner: User, django_assert_max_num_queries: Any) -> None:
        draft = with_addresses(owner)
        client = signed_in(owner)
        with django_assert_max_num_queries(25):
            assert client.get(list_of(draft)).status_code == 200
        with django_assert_max_num_queries(40):
            assert client.get(reverse("portal:tasks", args=[draft.reference])).status_code == 200
        with django_assert_max_num_queries(25):
            assert client.get(reverse("apply:addresses", args=[draft.reference])).status_code == 200


class TestTheLink:
    def test_proves_the_address_that_it_is_opened_from(self, owner: User) -> None:
        draft = with_addresses(owner)
        link = link_on(signed_in(owner).get(list_of(draft)).text)
        answer = Client(REMOTE_ADDR=KNOWN[7], headers={"accept": "*/*", "user-agent": "curl/8.14.1"}).get(link)
        assert answer.text.startswith("Proved for 1 entry") and "\u2066" not in answer.text and proved(draft) == 1
        assert (
            "Already proved"
            in Client(REMOTE_ADDR=KNOWN[7], headers={"accept": "*/*", "user-agent": "curl/8.14.1"}).get(link).text
        )
        page = Client(REMOTE_ADDR=KNOWN[8]).post(link).text
        assert "This address is proved" in page and "Continue the application" not in page
        assert proved(draft) == 2
        # On the phone of whoever applies the link took the place of the application: there is a way back.
        assert "Continue the application" in signed_in(owner).post(link, REMOTE_ADDR=KNOWN[9]).text

    def test_proves_all_that_runs_at_the_address(self, owner: User) -> None:
        draft = with_addresses(owner, KNOWN[:1])
        other = bulk.NewEndpoint(ipaddress.ip_network(KNOWN[0]), "openvpn_udp")
        bulk.add_endpoints(application=draft, wanted=[other], actor="person:x", now=timezone.now())
        link = link_on(signed_in(owner).get(list_of(draft)).text)
        answer = Client(REMOTE_ADDR=KNOWN[0], headers={"accept": "*/*", "user-agent": "curl/8.14.1"}).get(link)
        assert answer.text.startswith("Proved for 2 entries") and proved(draft) == 2

    def test_proves_nothing_from_elsewhere(self, owner: User) -> None:
        draft = with_addresses(owner)
        link = link_on(signed_in(owner).get(list_of(draft)).text)
        page = Client(REMOTE_ADDR="198.51.100.99").get(link).text
        assert "This address is not in the application" in page
        for text in (owner.email, owner.name, KNOWN[0]):
            assert text not in page.replace(link, "")
        assert proved(draft) == 0

    def test_asks_in_a_browser_wherever_it_was_sent_from(self, owner: User) -> None:
        draft = with_addresses(owner)
        link = link_on(signed_in(owner).get(list_of(draft)).text)
        there = Client(REMOTE_ADDR=KNOWN[3])
        for site in ("none", "same-origin", "cross-site"):
            page = there.get(link, headers={"sec-fetch-site": site, "sec-fetch-dest": "document"}).text
            assert "Is this your address?" in page and proved(draft) == 0
        assert "This address is proved" in there.post(link).text and proved(draft) == 1

    def test_is_pressed_on_the_list_itself(self, owner: User) -> None:
        draft = with_addresses(owner)
        client = signed_in(owner, enforce_csrf_checks=True)
        page = client.get(list_of(draft), REMOTE_ADDR=KNOWN[4]).text
        form = re.search(
            r'method="post" action="(/prove/\S+)"><input \S+ name="csrfmiddlewaretoken" value="(\w+)"', page
        )
        assert form is not None and form[1] == link_on(page)
        pressed = client.post(form[1], {"csrfmiddlewaretoken": form[2]}, REMOTE_ADDR=KNOWN[4])
        assert "This address is proved" in pressed.text and proved(draft) == 1

    def test_of_a_range_counts_each_address(self, owner: User) -> None:
        draft = with_addresses(owner, ["203.0.113.48/29"])
        link = link_on(signed_in(owner).get(list_of(draft)).text)
        assert (
            "One address of the range is proved" in Client(REMOTE_ADDR="203.0.113.49").post(link).text
            and proved(draft) == 0
        )
        assert "This address is proved" in Client(REMOTE_ADDR="203.0.113.50").post(link).text and proved(draft) == 1

    def test_is_no_other_applications(self, owner: User) -> None:
        one, other = with_addresses(owner, KNOWN[:5]), with_addresses(owner, KNOWN[5:10])
        token = access.prove_all_token(one)
        answer = Client(REMOTE_ADDR=KNOWN[5]).get(reverse("portal:prove_by_link", args=[other.reference, token]))
        assert answer.status_code == 404 and proved(other) == 0

    def test_that_nobody_has_is_tried_no_oftener_than_so(self, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(prove_many, "UNKNOWN_LINKS", 2)
        monkeypatch.setattr(prove_many, "PER_SECONDS", 86_400)  # none comes back while the test runs
        link = reverse("portal:prove_by_link", args=[with_addresses(owner, KNOWN[:1]).reference, "x" * 26])
        # One subscriber of IPv6 has 2^64 addresses, and one budget.
        tries = [Client(REMOTE_ADDR=f"2001:db8:0:7::{last}").get(link).status_code for last in range(3)]
        assert tries == [404, 404, 429]
