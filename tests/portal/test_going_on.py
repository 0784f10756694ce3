"""From one page on to the next: after a task, after a proof, from one address to the next."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import drafts, parts
from rahdari.apply.models import Application
from rahdari.control import queries as proofs
from rahdari.people.models import User
from rahdari.vault import keys
from tests.builders import story
from tests.checks.asked import challenges_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture
def applicant() -> User:
    return story.a_person()


@pytest.fixture
def browser(applicant: User) -> Client:
    client = Client()
    client.force_login(applicant)
    return client


def at(name: str, application: Application, **more: object) -> str:
    return reverse(f"portal:{name}", kwargs={"reference": application.reference, **more})


class TestWhoSeesWhatIsTold:
    """Beside the questions about a person: what is true of their kind of application, and nothing is left out."""

    def test_names_the_operator_the_association_and_the_certificate(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        page = browser.get(reverse("apply:about", args=[draft.reference])).text
        assert "Operators and the public never see your name" not in page
        assert "An operator only if it is asked to confirm your address" in page
        assert "An association or a client, only if you choose it" in page and "Anyone who scans the code" in page
        Application.objects.filter(pk=draft.pk).update(fixed_address="mobile")
        page = browser.get(reverse("apply:about", args=[draft.reference])).text
        assert "Your mobile operator: your mobile number" in page and "An operator only if" not in page


def test_home_and_start_page_promise_the_same_time(browser: Client) -> None:
    minutes = re.search(r"about (\d+) minutes", browser.get(reverse("portal:start")).text)
    assert minutes is not None and f"about {minutes[1]} minutes" in browser.get(reverse("portal:home")).text


def test_what_is_needed_is_told_before_somebody_signs_up(client: Client) -> None:
    client.post(reverse("apply:start"), {"who": "vpn_freelancer", "use": "clients", "which": "server"})
    page = client.get(reverse("apply:ready")).text
    assert "identity card" not in page and "One proof of employment or freelance work" in page
    assert "Somebody confirms it" in page
    # With these alone the number of a card is asked, so nobody finds out halfway that it is at home.
    assert "an association with your card number" in page and "With your card number. Nobody else is asked." in page


class TestTheNextTask:
    def test_is_the_first_that_is_open_then_the_proof_then_to_send(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        facts = {"application": draft, "actor": story.actor_of(applicant), "now": timezone.now()}
        drafts.save_person(name="", **facts)
        assert browser.get(at("next_task", draft))["Location"].endswith("/about-you/")
        # A name that is known is not asked again.
        drafts.save_person(name=applicant.name, **facts)
        assert browser.get(at("next_task", draft))["Location"].endswith("/evidence/")
        story.fill(draft)
        assert browser.get(at("next_task", draft))["Location"].endswith("/addresses/")
        endpoint = story.add(draft, "203.0.113.24")
        assert browser.get(at("next_task", draft))["Location"] == at("prove", draft, endpoint=endpoint.pk)
        story.prove(endpoint)
        assert browser.get(at("next_task", draft))["Location"] == at("check", draft)
        story.send(story.fresh(draft))
        assert browser.get(at("next_task", draft))["Location"] == at("application", draft)

    def test_is_to_send_it_from_the_address_which_proves_it(self, browser: Client, applicant: User) -> None:
        draft = story.fill(story.a_draft(applicant))
        here = {"REMOTE_ADDR": "203.0.113.24"}
        given = {"block": "203.0.113.24", "which": "server", "kind": "wireguard", "stays": "static"}
        added = browser.post(reverse("apply:add_address", args=[draft.reference]), given, **here)
        assert added["Location"] == at("check", draft)
        words, warning = "Sending the application from here proves the address", "Not proved yet"
        page = browser.get(at("check", draft), **here).text
        assert words in page and warning not in page
        page = browser.get(at("check", draft), REMOTE_ADDR="198.51.100.7").text
        assert words not in page and warning in page
        [endpoint] = draft.endpoints.all()
        assert not proofs.is_proved(endpoint.subject, endpoint.network), "a look proves nothing"
        browser.post(at("check", draft), {"declare": "on"}, **here)
        assert proofs.is_proved(endpoint.subject, endpoint.network)

    def test_is_the_proof_where_sending_is_not_enough(self, browser: Client, applicant: User) -> None:
        draft = story.fill(story.a_draft(applicant))
        endpoint = story.add(draft, "203.0.113.24")
        on = at("prove", draft, endpoint=endpoint.pk)
        assert browser.get(at("next_task", draft), REMOTE_ADDR="198.51.100.7")["Location"] == on
        browser.post(at("check", draft), {"declare": "on"}, REMOTE_ADDR="198.51.100.7")
        assert not proofs.is_proved(endpoint.subject, endpoint.network)

    def test_is_the_proof_of_an_address_that_somebody_else_has(self, browser: Client, applicant: User) -> None:
        """They learn it when they have proved it, before they send."""
        other = story.a_granted_application(story.a_person())
        story.granted_by_hand(story.case_of(other), story.an_officer())
        story.advance()
        assert story.registration_of(other)
        [taken] = other.endpoints.all()
        draft = story.fill(story.a_draft(applicant))
        address = taken.address_text
        endpoint = story.add(draft, address)
        on = at("prove", draft, endpoint=endpoint.pk)
        assert browser.get(at("next_task", draft), REMOTE_ADDR=address)["Location"] == on

    def test_is_nobody_elses(self, applicant: User) -> None:
        stranger = Client()
        stranger.force_login(story.a_person())
        assert stranger.get(at("next_task", story.a_draft(applicant))).status_code == 404


class TestAProof:
    def test_after_the_last_proof_leads_to_check_and_send(self, browser: Client, applicant: User) -> None:
        draft = story.fill(story.a_draft(applicant))
        endpoint = story.add(draft, "203.0.113.24")
        pressed = browser.post(at("prove", draft, endpoint=endpoint.pk), {"here": "1"}, REMOTE_ADDR="203.0.113.24")
        assert pressed["Location"] == at("check", draft)

    def test_pressed_on_another_network_proves_nothing(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        endpoint = story.add(draft, "203.0.113.24")
        url = at("prove", draft, endpoint=endpoint.pk)
        assert "You are on another network now" in browser.get(url, REMOTE_ADDR="198.51.100.7").text
        assert browser.post(url, {"here": "1"}, REMOTE_ADDR="198.51.100.7")["Location"] == url
        assert not proofs.is_proved(endpoint.subject, endpoint.network)

    def test_by_the_link_leads_on_with_the_same_application(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        endpoint = story.add(draft, "203.0.113.24")
        browser.get(at("prove", draft, endpoint=endpoint.pk), REMOTE_ADDR="198.51.100.7")
        link = proofs.link_url(challenges_of(endpoint.subject)[0]).removeprefix(django_settings.SITE_URL)
        page = browser.post(link, REMOTE_ADDR="203.0.113.24").text
        on = reverse("portal:after_the_link", args=[endpoint.pk])
        assert f'href="{on}"' in page
        assert browser.get(on)["Location"] == at("next_task", draft)
        stranger = Client()
        stranger.force_login(story.a_person())
        assert stranger.get(on)["Location"] == reverse("portal:home"), "nobody else learns whose it is"

    def test_names_the_next_address_after_this_one(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        rows = [story.add(draft, f"203.0.113.{host}") for host in (21, 22, 23)]
        for here, there in ((0, 1), (1, 2), (2, 0)):
            page = browser.get(at("prove", draft, endpoint=rows[here].pk), REMOTE_ADDR="198.51.100.7").text
            after = page.split("Next address")[0].rsplit('href="', 1)[1]
            assert after.startswith(at("prove", draft, endpoint=rows[there].pk))


class TestARegistration:
    def test_lists_addresses_in_their_order_with_what_the_holder_calls_them(
        self, browser: Client, applicant: User
    ) -> None:
        draft = story.fill(story.a_draft(applicant))
        facts: dict[str, Any] = {"runs": "wireguard", "actor": story.actor_of(applicant), "now": timezone.now()}
        for last in (100, 9, 30):
            block, label = f"203.0.113.{last}", f"Office {last}"
            story.prove(parts.add_endpoint(application=story.fresh(draft), block=block, label=label, **facts))
        story.send(story.fresh(draft))
        story.advance()
        story.granted_by_hand(story.case_of(draft), story.an_officer())
        story.advance()
        page = browser.get(reverse("portal:registration", args=[story.registration_of(draft).reference])).text
        rows = re.findall(r"<code>203\.0\.113\.(\d+)</code>.*?Office (\d+)", page)
        assert rows == [(last, last) for last in ("9", "30", "100")]
