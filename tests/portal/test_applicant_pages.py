"""The applicant's pages, from the first task to the registration, in both languages."""

import dataclasses
import ipaddress
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.address import directory
from rahdari.apply import parts, sending
from rahdari.apply.models import Application
from rahdari.control import methods
from rahdari.control import queries as proofs
from rahdari.control.rules import OF_THE_WHOLE
from rahdari.decide import case_clock
from rahdari.decide import queries as cases
from rahdari.letters import queries as inbox
from rahdari.people.models import User
from rahdari.vault import keys
from tests import urdu
from tests.builders import story
from tests.checks.asked import challenges_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


@pytest.fixture
def feed(settings: Any, tmp_path: Path) -> Path:
    """A data folder of its own, so that the feed begins with this test's database."""
    shutil.copytree(settings.DATA / "keys", tmp_path / "data" / "keys")
    settings.DATA = tmp_path / "data"
    return tmp_path / "offline"


@pytest.fixture
def applicant() -> User:
    return story.a_person()


@pytest.fixture
def browser(applicant: User) -> Client:
    client = Client()
    client.force_login(applicant)
    return client


def at(name: str, application: Application, **more: Any) -> str:
    return reverse(f"portal:{name}", kwargs={"reference": application.reference, **more})


class TestHome:
    def test_of_somebody_new_leads_to_the_start(self, browser: Client) -> None:
        page = browser.get(reverse("portal:home")).text
        assert "You have no application yet" in page
        assert reverse("apply:start") in page

    def test_offers_letters_in_the_language_of_the_page(self, browser: Client, applicant: User) -> None:
        question = "Our letters to you are not in the language of this page."
        assert question not in browser.get(reverse("portal:home")).text
        applicant.language = "ur"
        applicant.save()
        browser.cookies["django_language"] = "en"
        assert question in browser.get(reverse("portal:home")).text
        browser.post(reverse("web:language", args=["en"]), {"next": reverse("portal:home")})
        applicant.refresh_from_db()
        assert applicant.language == "en"
        assert question not in browser.get(reverse("portal:home")).text

    def test_says_first_what_waits(self, browser: Client, applicant: User) -> None:
        case = story.a_question(applicant)
        story.a_case(applicant)
        page = browser.get(reverse("portal:home")).text
        assert "1 application waits for you" in page
        assert at("question", case.application) in page

    def test_says_when_nothing_waits(self, browser: Client, applicant: User) -> None:
        granted = story.a_granted_application(applicant)
        page = browser.get(reverse("portal:home")).text
        assert "Nothing waits for you" in page
        assert story.registration_of(granted).reference in page

    def test_needs_a_sign_in(self, client: Client) -> None:
        answer = client.get(reverse("portal:home"))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))

    def test_of_an_officer_is_the_desk(self) -> None:
        client = Client()
        client.force_login(story.an_officer())
        assert client.get(reverse("portal:home"))["Location"] == reverse("decide:queue")


class TestTasks:
    def test_counts_and_opens_what_can_be_done(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        page = browser.get(at("tasks", draft)).text
        assert "Add an address first" in page
        assert at("check", draft) not in page
        story.fill(draft)
        endpoint = story.add(draft)
        page = browser.get(at("tasks", draft)).text
        assert "0 of 1 proved" in page
        assert at("check", draft) in page
        assert "We decide when the proof arrives." in page
        story.prove(endpoint)
        assert "1 of 1 proved" in browser.get(at("tasks", draft)).text

    def test_of_what_was_sent_lead_to_the_status(self, browser: Client, applicant: User) -> None:
        sent = story.send(story.a_full_draft(applicant))
        assert browser.get(at("tasks", sent))["Location"] == at("status", sent)
        assert browser.get(at("application", sent))["Location"] == at("status", sent)
        assert browser.get(at("check", sent))["Location"] == at("application", sent)


class TestProve:
    def test_shows_the_link_and_that_the_visitor_is_elsewhere(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        endpoint = story.add(draft, "203.0.113.24")
        page = browser.get(at("prove", draft, endpoint=endpoint.pk), REMOTE_ADDR="198.51.100.7").text
        assert "The link works only when it is opened from" in page
        assert proofs.link_url(challenges_of(endpoint.subject).get()) in page
        assert "Prove it now" not in page

    def test_on_the_network_is_one_press(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        endpoint = story.add(draft, "203.0.113.24")
        url = at("prove", draft, endpoint=endpoint.pk)
        page = browser.get(url, REMOTE_ADDR="203.0.113.24").text
        assert "You are on that network now" in page
        assert 'name="here" value="1">Prove it now</button>' in page
        pressed = browser.post(url, {"here": "1"}, REMOTE_ADDR="203.0.113.24")
        # On with that very application: here to what is still missing, later to check and send.
        assert pressed["Location"] == f"/my/applications/{draft.reference}/evidence/"
        assert "This address is proved" in browser.get(url).text

    def test_says_from_where_the_link_was_opened_in_vain(
        self, browser: Client, client: Client, applicant: User
    ) -> None:
        draft = story.a_draft(applicant)
        endpoint = story.add(draft, "203.0.113.24")
        url = at("prove", draft, endpoint=endpoint.pk)
        browser.get(url)
        link = proofs.link_url(challenges_of(endpoint.subject)[0])
        client.get(link.removeprefix(django_settings.SITE_URL), REMOTE_ADDR="198.51.100.99")
        assert "198.51.100.99" in browser.get(url).text

    def test_of_an_address_that_was_removed_ends(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        endpoint = story.add(draft)
        browser.get(at("prove", draft, endpoint=endpoint.pk))
        link = proofs.link_url(challenges_of(endpoint.subject)[0]).removeprefix(django_settings.SITE_URL)
        parts.remove_endpoint(endpoint=endpoint, actor=story.actor_of(applicant), now=timezone.now())
        story.advance()
        assert [each.status for each in challenges_of(endpoint.subject)] == ["withdrawn"]
        assert Client().post(link, REMOTE_ADDR=str(endpoint.network.network_address)).status_code == 200
        assert not proofs.is_proved(endpoint.subject, endpoint.network)

    def test_of_one_port_counts_for_the_other_ports_of_the_server(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        first, second = (story.add(draft, "203.0.113.24", port=port) for port in (51820, 1194))
        other = story.add(draft, "203.0.113.25")
        story.prove(first)
        assert "2 of 3 proved" in browser.get(at("tasks", draft)).text
        assert proofs.is_proved(second.subject, second.network)
        assert not proofs.is_proved(other.subject, other.network)
        assert browser.get(at("prove_first", draft))["Location"] == at("prove", draft, endpoint=other.pk)


class TestSend:
    def test_needs_the_declaration(self, browser: Client, applicant: User) -> None:
        draft = story.a_full_draft(applicant)
        page = browser.post(at("check", draft), {"version": draft.version})
        assert "<title>Error:" in page.text
        assert "Tick the box if this is true. Without it you cannot send the application." in page.text
        assert "These answers are true, and I apply for myself." in page.text
        assert story.fresh(draft).status == "draft"

    def test_twice_sends_once(self, browser: Client, applicant: User) -> None:
        draft = story.a_full_draft(applicant)
        shown = browser.get(at("check", draft)).text
        assert f'value="{draft.version}"' in shown
        given = {"version": draft.version, "declare": "on"}
        assert browser.post(at("check", draft), given)["Location"] == at("status", draft)
        first = story.fresh(draft).submitted_at
        assert browser.post(at("check", draft), given).status_code == 302
        assert story.fresh(draft).submitted_at == first
        assert browser.get(at("status", draft)).status_code == 200

    def test_of_a_page_that_is_out_of_date_shows_it_again(self, browser: Client, applicant: User) -> None:
        draft = story.a_full_draft(applicant)
        old = draft.version
        story.add(draft, "203.0.113.200")
        page = browser.post(at("check", draft), {"version": old, "declare": "on"})
        assert "changed on another page meanwhile" in page.text
        assert story.fresh(draft).status == "draft"

    def test_without_a_proof_waits_for_it(self, browser: Client, applicant: User) -> None:
        draft = story.fill(story.a_draft(applicant))
        endpoint = story.add(draft)
        assert "1 address is not proved yet" in browser.get(at("check", draft)).text
        browser.post(at("check", draft), {"version": story.fresh(draft).version, "declare": "on"})
        story.advance()
        page = browser.get(at("status", draft)).text
        assert "the proof of an address" in page
        story.prove(endpoint)
        story.advance()
        assert "You are on the register" in browser.get(at("status", draft)).text

    def test_of_what_is_not_complete_leads_to_the_tasks(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        assert browser.get(at("check", draft))["Location"] == at("tasks", draft)

    def test_after_the_address_was_registered_by_another_application_says_so(
        self, browser: Client, applicant: User
    ) -> None:
        draft = story.a_full_draft(applicant)
        sooner = story.fill(story.a_draft(applicant))
        story.prove(story.add(sooner, apply_address(draft)))
        story.send(sooner)
        story.advance()
        page = browser.post(at("check", draft), {"version": draft.version, "declare": "on"})
        assert "cannot be registered as it is" in page.text
        assert story.fresh(draft).status == "draft"


def apply_address(application: Application) -> str:
    from rahdari.apply import queries

    return queries.endpoints_of(application)[0].address_text


class TestStatus:
    def test_names_office_hours_of_a_clock_of_hours(self, browser: Client, applicant: User, monkeypatch: Any) -> None:
        sent = story.send(story.a_full_draft(applicant))
        assert "in office hours, by" in browser.get(at("status", sent)).text
        days = dataclasses.replace(case_clock.allowance_of(sent), unit="working_days")
        monkeypatch.setattr("rahdari.decide.case_clock.allowance_of", lambda application: days)
        page = browser.get(at("status", sent)).text
        assert "Decision due in" in page and "in office hours" not in page

    def test_of_what_was_just_sent(self, browser: Client, applicant: User) -> None:
        page = browser.get(at("status", story.send(story.a_full_draft(applicant)))).text
        assert "We are checking your application" in page and "Decision due in" in page
        assert '<noscript><meta http-equiv="refresh"' in page

    def test_with_an_officer_names_the_point(self, browser: Client, applicant: User) -> None:
        case = story.a_case(applicant)
        page = browser.get(at("status", case.application)).text
        assert "An officer is looking at your application" in page
        assert "Our list of networks in the country does not have" in page

    def test_after_the_grant_tells_when_and_where_it_is_in_force(
        self, browser: Client, applicant: User, feed: Path
    ) -> None:
        for slug in ("sample-fibre", "example-broadband"):
            story.an_operator(slug, slug.replace("-", " ").title())
        granted = story.a_granted_application(applicant)
        url = at("status", granted)
        assert "Operators get the entry within seconds" in browser.get(url).text
        story.published(feed)
        page = browser.get(url).text
        assert "In force at 0 of 2 operators" in page
        story.in_force_at("sample-fibre")
        page = browser.get(url).text
        assert "In force at 1 of 2 operators" in page
        assert "<bdi>Sample Fibre</bdi>" in page
        story.in_force_at("example-broadband")
        page = browser.get(url).text
        assert "Your registration is in force" in page
        assert "data-follow" not in page

    def test_of_a_draft_is_its_task_list(self, browser: Client, applicant: User) -> None:
        draft = story.a_draft(applicant)
        assert browser.get(at("status", draft))["Location"] == at("tasks", draft)


class TestWithdraw:
    def test_asks_once_and_then_does_it(self, browser: Client, applicant: User) -> None:
        sent = story.send(story.a_full_draft(applicant))
        assert "Withdraw this application?" in browser.get(at("withdraw", sent)).text
        assert story.fresh(sent).status == "submitted"
        browser.post(at("withdraw", sent))
        assert story.fresh(sent).status == "withdrawn"
        assert "You withdrew this application" in browser.get(at("status", sent)).text
        assert browser.post(at("withdraw", sent)).status_code == 302

    def test_comes_too_late_after_the_decision(self, browser: Client, applicant: User) -> None:
        granted = story.a_granted_application(applicant)
        browser.post(at("withdraw", granted))
        assert story.fresh(granted).status == "granted"


class TestQuestion:
    def test_is_answered_once(self, browser: Client, applicant: User) -> None:
        case = story.a_question(applicant)
        url = at("question", case.application)
        page = browser.get(url).text
        assert "Which clients do you reach from there?" in page
        assert "Time to answer" in page
        assert browser.post(url, {"answer": ""}).text.count("Write an answer") >= 2
        assert browser.post(url, {"answer": "Two studios."})["Location"] == at("status", case.application)
        assert story.case_of(case.application).questions.get().answer == "Two studios."
        assert browser.get(url)["Location"] == at("status", case.application)

    def test_gives_more_time_as_often_as_the_policy_says(self, browser: Client, applicant: User) -> None:
        case = story.a_question(applicant)
        url = at("question", case.application)
        assert "Give me more time" in browser.get(url).text
        before = story.case_of(case.application).questions.get().due_at
        browser.post(url, {"more_time": "1"})
        after = story.case_of(case.application).questions.get().due_at
        assert after > before
        assert "Give me more time" not in browser.get(url).text
        browser.post(url, {"more_time": "1"})
        assert story.case_of(case.application).questions.get().due_at == after

    def test_bounds_the_answer(self, browser: Client, applicant: User) -> None:
        case = story.a_question(applicant)
        longest = case_clock.policy_of(case.application).limits.answer_characters
        page = browser.post(at("question", case.application), {"answer": "x" * (longest + 1)}).text
        assert f"Shorten the answer to {longest} characters" in page
        assert "x" * longest in page


class TestNotice:
    def test_is_answered_once(self, browser: Client, applicant: User) -> None:
        case = story.a_notice(applicant)
        url = at("notice", case.application)
        page = browser.get(url).text
        assert 'Reason <bdi dir="ltr">R3</bdi>' in page
        assert "The operator has no contract with you." in page
        browser.post(url, {"answer": "It is my landlord's line."})
        page = browser.get(url).text
        assert "It is my landlord&#x27;s line." in page
        assert "<textarea" not in page
        assert "A second officer is looking" in browser.get(at("status", case.application)).text

    def test_that_does_not_stand_leads_on(self, browser: Client, applicant: User) -> None:
        case = story.a_case(applicant)
        assert browser.get(at("notice", case.application)).status_code == 302


class TestRefusal:
    def test_says_reason_provision_what_passed_what_next_and_appeal(self, browser: Client, applicant: User) -> None:
        case = story.a_refusal(applicant)
        page = browser.get(at("refusal", case.application)).text
        for part in (
            'Reason <bdi dir="ltr">R3</bdi>',
            "Provision",
            "What passed",
            "What to do next",
            "You may appeal until",
            "The line belongs to somebody else, as you say yourself.",
        ):
            assert part in page
        assert at("refusal", case.application) in browser.get(at("status", case.application)).text


class TestRegistration:
    def test_shows_validity_addresses_and_who_looked(self, browser: Client, applicant: User) -> None:
        case = story.a_case(applicant)
        officer = story.an_officer()
        cases.case_for_officer(officer=officer, reference=case.application.reference, now=timezone.now())
        story.granted_by_hand(case, officer)
        story.advance()
        registration = story.registration_of(case.application)
        page = browser.get(reverse("portal:registration", args=[registration.reference])).text
        assert "Your registration is valid" in page
        assert registration.entries.get().block.network_address.exploded in page
        assert "The whole file of the application" in page
        assert str(officer.pk) not in page

    def test_says_that_no_look_is_shown_and_never_that_nobody_looked(self, browser: Client, applicant: User) -> None:
        # An officer's look at a shared card is shown to nobody.
        registration = story.registration_of(story.a_granted_application(applicant))
        page = browser.get(reverse("portal:registration", args=[registration.reference])).text
        assert "No look is shown here so far" in page and "One look is not shown to anybody" in page
        assert "nobody</summary>" not in page and "Has an officer opened the file" not in page


class TestLetters:
    def test_are_read_once_opened(self, browser: Client, applicant: User) -> None:
        story.a_granted_application(applicant)
        page = browser.get(reverse("portal:letters")).text
        assert "2 letters are unread." in page
        link = page.partition('<li class="task"><span><a href="')[2].partition('"')[0]
        letter = browser.get(link)
        assert letter.status_code == 200
        assert letter.text.count("<h1") == 1
        assert "1 letter is unread." in browser.get(reverse("portal:letters")).text


class TestSomebodyElses:
    """Another person's thing and a thing that is not there give the same page."""

    @pytest.mark.parametrize(
        "name", ["application", "tasks", "prove_first", "check", "status", "question", "notice", "refusal", "withdraw"]
    )
    def test_application_is_not_found(self, browser: Client, name: str) -> None:
        others = story.a_question(story.a_person()).application
        theirs = browser.get(at(name, others))
        absent = browser.get(reverse(f"portal:{name}", args=["A-2611-AAAA-BBBB"]))
        assert theirs.status_code == absent.status_code == 404
        assert theirs.text.partition("<main")[2] == absent.text.partition("<main")[2]
        assert browser.post(at(name, others)).status_code in {404, 405}

    def test_endpoint_registration_and_letter_are_not_found(self, browser: Client, applicant: User) -> None:
        other = story.a_person()
        granted = story.a_granted_application(other)
        registration = story.registration_of(granted)
        assert browser.get(reverse("portal:registration", args=[registration.reference])).status_code == 404
        draft, theirs = story.a_draft(applicant), story.a_draft(other)
        endpoint = story.add(theirs)
        assert browser.get(at("prove", draft, endpoint=endpoint.pk)).status_code == 404
        letter = inbox.letters_of(other)[0]
        assert browser.get(reverse("portal:letter", args=[letter.pk])).status_code == 404

    def test_nothing_is_shown_to_a_visitor_who_is_not_signed_in(self, client: Client, applicant: User) -> None:
        sent = story.a_question(applicant).application
        for name in ("application", "tasks", "prove_first", "check", "status", "question", "withdraw"):
            assert client.get(at(name, sent))["Location"].startswith(reverse("account_login"))


def _pages(applicant: User, feed: Path) -> Iterator[tuple[str, str]]:
    draft = story.a_draft(applicant)
    yield "tasks, nothing done", at("tasks", draft)
    story.fill(draft)
    first, second = story.add(draft), story.add(draft)
    story.prove(first)
    yield "tasks", at("tasks", draft)
    yield "proved", at("prove", draft, endpoint=first.pk)
    yield "prove", at("prove", draft, endpoint=second.pk)
    block = story.add(draft, "192.0.2.8/29")
    for method in methods.LOOKED_AT:
        endpoint = block if method in OF_THE_WHOLE else second
        yield f"way: {method}", at("prove_method", draft, endpoint=endpoint.pk, method=method)
    yield "way: contact", at("prove_contact", draft, endpoint=block.pk)
    yield "prove, a range", at("prove", draft, endpoint=block.pk)
    given: dict[str, Any]
    for method, given in story.GIVEN.items():
        story.take_a_method(second, method, given)
        yield f"way: {method}, begun", at("prove_method", draft, endpoint=second.pk, method=method)
    yield "prove, several ways", at("prove", draft, endpoint=second.pk)
    yield "check", at("check", draft)
    yield "withdraw", at("withdraw", draft)
    question, notice, refusal = story.a_question(applicant), story.a_notice(applicant), story.a_refusal(applicant)
    for case, name in ((question, "question"), (notice, "notice"), (refusal, "refusal")):
        yield name, at(name, case.application)
        yield f"status: {name}", at("status", case.application)
    yield "status: review", at("status", story.a_case(applicant).application)
    yield "status: sent", at("status", story.send(story.a_full_draft(applicant)))
    withdrawn = story.a_full_draft(applicant)
    sending.withdraw_application(application=story.send(withdrawn), actor="person:1", now=timezone.now())
    yield "status: withdrawn", at("status", withdrawn)
    story.an_operator("sample-fibre", "Sample Fibre")
    granted = story.a_granted_application(applicant)
    yield "status: granted", at("status", granted)
    story.published(feed)
    yield "status: published", at("status", granted)
    story.in_force_at("sample-fibre")
    yield "status: in force", at("status", granted)
    registration = story.registration_of(granted)
    yield "registration", reverse("portal:registration", args=[registration.reference])
    again = reverse("portal:prove_again", args=[registration.reference, registration.entries.get().pk])
    yield "proof", again
    story.begin_again(registration)
    yield "proof, asked for again", again
    yield "registrations", reverse("portal:registrations")
    yield "home", reverse("portal:home")
    yield "letters", reverse("portal:letters")
    for letter in inbox.letters_of(applicant):
        yield f"letter: {letter.template}", reverse("portal:letter", args=[letter.pk])


class TestInBothLanguages:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_every_page_is_whole(self, applicant: User, feed: Path, settings: Any, language: str) -> None:
        settings.PROOF_RESOLVERS = ["192.0.2.53"]
        applicant.language = language
        applicant.save()
        client = Client(headers={"Accept-Language": language})
        client.force_login(applicant)
        sound: Callable[[str], list[Any]] = urdu.page_problems if language == "ur" else lambda _text: []
        problems = {}
        for name, url in _pages(applicant, feed):
            page = client.get(url)
            assert page.status_code == 200, name
            assert f'<html lang="{language}"' in page.text, name
            assert page.text.count("<h1") == 1, name
            assert "style=" not in page.text, name
            assert "{{" not in page.text and "%(" not in page.text, name
            if found := sound(page.text):
                problems[name] = found
        assert not problems, "\n".join(f"{name}: {found}" for name, found in problems.items())
