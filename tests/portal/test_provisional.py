"""A provisional registration says so wherever it is shown: to its holder, on the certificate, to whoever checks it."""

import ipaddress
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.address import directory
from rahdari.applicant.late_evidence import options_of
from rahdari.apply.models import Application
from rahdari.decide import case_clock, desk
from rahdari.decide.models import Case
from rahdari.ops import samples, seed
from rahdari.people.models import User
from rahdari.register import actions as register
from rahdari.register.models import Registration
from rahdari.vault import links
from rahdari.web.values import day
from tests.builders import cases as builders
from tests.builders import story
from tests.builders.drafts import a_photo

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    """203.0.113.0/24 has a known network, so that the rule may grant."""
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


@pytest.fixture
def holder() -> User:
    return story.a_person()


@pytest.fixture
def registration(holder: User) -> Registration:
    now = timezone.now()
    application = builders.an_application(applicant=holder, evidence="work_profile", now=now)
    workflow.advance(now=now)
    return story.registration_of(Application.objects.get(pk=application.pk))


@pytest.fixture
def browser(client: Client, holder: User) -> Client:
    client.force_login(holder)
    return client


class TestThePageBeforeSending:
    def test_names_the_day_on_which_a_provisional_registration_would_end(self, browser: Client, holder: User) -> None:
        draft = story.a_full_draft(holder)
        story.drafts.save_evidence(
            application=draft, kind="work_profile", text="A profile.", actor="person:x", now=timezone.now()
        )
        until = case_clock.provisional_until(story.fresh(draft), timezone.now())
        page = browser.get(reverse("portal:check", args=[draft.reference])).text
        assert f"provisional, until {day(until)} if it is granted today" in page


class TestThePage:
    def test_says_what_is_awaited_from_whom_and_until_when(self, browser: Client, registration: Registration) -> None:
        page = browser.get(reverse("portal:provisional", args=[registration.reference])).text
        assert "You are registered provisionally" in page
        assert "One more proof or certificate is still missing." in page and "From you" in page
        # Ninety days, and on to the next open day.
        days = (registration.valid_until - registration.valid_from).days
        assert 90 <= days <= 96 and f"of {days} days" in page
        home = browser.get(reverse("portal:home")).text
        assert "Something is still missing</h1>" in home and "is provisional until" in home
        assert "Nothing waits for you" not in home
        assert "Renew</a>" not in browser.get(reverse("portal:registration", args=[registration.reference])).text

    def test_names_each_proof_that_is_enough_and_leads_to_it(self, browser: Client, registration: Registration) -> None:
        page = browser.get(reverse("portal:provisional", args=[registration.reference])).text
        reference = Application.objects.get().reference
        ways = options_of(Application.objects.get(), timezone.now())
        assert len(ways) > 1 and "One of these is enough" in page
        for way in ways:
            assert reverse("portal:send_proof", args=[reference, way.key]) in page and way.title in page
        browser.post(reverse("portal:pause_registration", args=[registration.reference]), {"days": "7"})
        place = reverse("portal:provisional", args=[registration.reference])
        assert place in browser.get(reverse("portal:registration", args=[registration.reference])).text
        paused = browser.get(place).text
        assert "It is paused" in paused and "on the register now" not in paused and ways[0].title in paused

    def test_says_of_an_address_that_its_operator_is_silent_about_that_its_proof_is_to_come(self) -> None:
        """A company whose operator was asked, and whose time to answer is over."""
        now = timezone.now()
        story.an_operator("sample-fibre", "Sample Fibre")
        seed.import_rosters(now)
        samples.registered_while_its_operator_is_silent(now)
        application = Application.objects.get()
        found = story.registration_of(application)
        client = Client()
        client.force_login(application.applicant)
        page = client.get(reverse("portal:registration", args=[found.reference])).text
        assert "Still to come" in page and "Confirmed by another method" not in page

        # The list of taxpayers stands in for papers: that there are none is held against nobody. The desk reads that
        # they were looked for, and what stands in their place.
        status = client.get(reverse("portal:status", args=[application.reference])).text
        assert "4 of 5 checks passed" in status
        officer = story.an_officer()
        (row,) = desk.rows_of(Case.objects.values_list("pk", "application"), officer=officer, now=now)
        assert row.failed_kinds == [] and row.passed == 5
        at_the_desk = Client()
        at_the_desk.force_login(officer)
        at_the_desk.post(reverse("decide:why", args=[application.reference]), {"why": "mistake"})
        case = at_the_desk.get(reverse("decide:case", args=[application.reference])).text
        assert "Checks: 5 passed, 1 failed, 1 waiting" in case
        assert "Another proof is accepted in its place." in case

    def test_in_urdu_too(self, browser: Client, registration: Registration) -> None:
        browser.cookies["django_language"] = "ur"
        page = browser.get(reverse("portal:provisional", args=[registration.reference])).text
        assert "آپ کی رجسٹریشن عبوری ہے" in page and "آپ کی طرف سے" in page

    def test_is_not_there_for_others_nor_once_it_is_a_full_one(
        self, browser: Client, registration: Registration
    ) -> None:
        place = reverse("portal:provisional", args=[registration.reference])
        stranger = Client()
        stranger.force_login(story.a_person())
        assert stranger.get(place).status_code == 404
        register.confirm_registration(
            registration=registration, valid_until=registration.valid_until, actor="rule:1", now=timezone.now()
        )
        assert browser.get(place).url == reverse("portal:registration", args=[registration.reference])  # type: ignore[attr-defined]


class TestElsewhere:
    def test_no_page_says_that_nothing_is_to_be_done(self, browser: Client, registration: Registration) -> None:
        application = Application.objects.get(pk=registration.origin.removeprefix("application:"))
        place = reverse("portal:provisional", args=[registration.reference])
        page = browser.get(reverse("portal:status", args=[application.reference])).text
        assert "You are registered provisionally" in page and place in page
        assert "You need not do anything" not in page
        browser.cookies["django_language"] = "ur"
        assert "آپ کی رجسٹریشن عبوری ہے" in browser.get(reverse("portal:status", args=[application.reference])).text

    def test_the_registration_and_the_list_say_it(self, browser: Client, registration: Registration) -> None:
        page = browser.get(reverse("portal:registration", args=[registration.reference])).text
        assert "You are registered provisionally" in page and "Provisional until" in page
        assert "Valid until" not in page
        assert "Provisional until" in browser.get(reverse("portal:home")).text

    def test_the_certificate_says_it_in_both_languages(self, browser: Client, registration: Registration) -> None:
        page = browser.get(reverse("portal:certificate", args=[registration.reference])).text
        assert "Provisional, valid until" in page and "عبوری، " in page
        pdf = browser.get(reverse("portal:certificate_pdf", args=[registration.reference]))
        assert pdf.content.startswith(b"%PDF")

    def test_the_public_check_says_it(self, client: Client, registration: Registration) -> None:
        page = client.get(reverse("portal:check_number"), {"number": registration.reference}).text
        assert "Valid, provisionally" in page and "Provisional until" in page
        token = links.token("certificate", registration.reference)
        paper = client.get(reverse("portal:certificate_link", args=[registration.reference, token])).text
        assert "Valid, provisionally" in paper


class TestOneMoreProof:
    def place(self, registration: Registration, kind: str = "") -> str:
        reference = Application.objects.get().reference
        if kind:
            return reverse("portal:send_proof", args=[reference, kind])
        return reverse("portal:proof", args=[reference])

    def test_is_asked_for_where_it_is_awaited(self, browser: Client, registration: Registration) -> None:
        page = browser.get(reverse("portal:provisional", args=[registration.reference])).text
        assert self.place(registration) in page
        choices = browser.get(self.place(registration)).text
        assert "client_letter" in choices and "work_profile" not in choices and "self_declaration" not in choices

    def test_makes_it_a_full_registration(self, browser: Client, registration: Registration) -> None:
        place = self.place(registration, "client_email")
        assert "Enter or paste it here" in browser.post(place, {"text": ""}).text
        response = browser.post(place, {"text": "From studio@client.example: we work with you."}, follow=True)
        assert "It has arrived." in response.text
        workflow.advance(now=timezone.now())
        registration.refresh_from_db()
        assert not registration.is_provisional
        assert browser.get(place).status_code == 302

    def test_wants_a_file_that_can_be_read(self, browser: Client, registration: Registration) -> None:
        place = self.place(registration, "contract")
        assert "Choose a file or take a photo" in browser.post(place, {}).text
        empty = SimpleUploadedFile("contract.pdf", b"", "application/pdf")
        assert "The file is empty." in browser.post(place, {"file": empty}).text
        photo = SimpleUploadedFile("contract.jpg", a_photo(), "image/jpeg")
        assert browser.post(place, {"file": photo}).status_code == 302

    def test_may_be_a_client_who_is_asked(self, browser: Client, registration: Registration) -> None:
        place = self.place(registration, "client_confirms")
        assert "Anybody can have an address" in browser.post(place, {"text": "someone@gmail.com"}).text
        assert browser.post(place, {"text": "accounts@client.example"}).status_code == 302

    def test_of_an_unknown_kind_is_not_there(self, browser: Client, registration: Registration) -> None:
        assert browser.get(self.place(registration, "self_declaration")).status_code == 404

    def test_of_somebody_else_is_not_there(self, client: Client, registration: Registration) -> None:
        client.force_login(story.a_person())
        assert client.get(self.place(registration)).status_code == 404
