"""Who looked at my data: from the first day, after a refusal, and nothing that did not happen so."""

import datetime as dt
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
from rahdari.apply import drafts
from rahdari.apply.models import Application
from rahdari.decide import case_clock, revocation
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.vault import keys, links
from tests.builders import story
from tests.builders.drafts import asking, cnic_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


def browser(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


def looks(user: User, address: str) -> list[list[str]]:
    """The rows under "Who looked at my data": who, what, why."""
    page = browser(user).get(address).content.decode()
    part = page[page.index('id="looked"') :]
    rows = re.findall(r'<tr role="row"><th scope="row".*?</tr>', part, re.DOTALL)
    cells = [re.findall(r"<td.*?</td>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in row] for row in cells]


def a_registration() -> Registration:
    return story.registration_of(story.a_granted_application(story.a_person()))


def status_of(application: Application) -> str:
    return reverse("portal:status", args=[application.reference])


class TestLooks:
    def test_at_the_name_by_a_certificate_is_told(self) -> None:
        registration = a_registration()
        place = f"/c/{registration.reference}/{links.token('certificate', registration.reference)}/"
        person = Application.objects.get().applicant
        assert "Holder" in Client().get(place).text
        told = looks(person, reverse("portal:registration", args=[registration.reference]))
        assert [row[1] for row in told if row[2] == "Certificate checked"] == [
            "The name of the holder, and whether and how long the certificate is valid"
        ]

    def test_at_an_application_are_told_from_the_first_day(self) -> None:
        officer, case = story.an_officer(), story.a_case(story.a_person())
        person, address = case.application.applicant, status_of(case.application)
        assert looks(person, address) == []
        desk = browser(officer)
        for _ in range(3):
            desk.get(reverse("decide:queue"))
        desk.get(reverse("decide:case", args=[case.application.reference]))
        desk.post(reverse("decide:contact", args=[case.application.reference]))
        told = looks(person, address)
        assert ["Officer", "The contact details", "To decide the application"] in told
        assert ["Officer", "The whole file of the application 2 times that day", "To decide the application"] in told
        [listed] = [row for row in told if "list of applications" in row[1]]
        assert listed[1].endswith("3 times that day") and listed[2] == "To choose the next case"
        assert len(told) == 3

    def test_at_the_outcome_of_another_account_are_on_record_alone(self, settings: Any, tmp_path: Path) -> None:
        """The case page counts what was decided before under the same card number, whoever's account it was. Neither
        learns of it that the other gave the number."""
        asking(settings, tmp_path, card_number="required", contact_number="optional")
        officer, granted = story.an_officer(), story.a_granted_application(story.a_person())
        person, address = granted.applicant, status_of(granted)
        other, stranger = story.a_person(), story.a_case(story.a_person()).application
        draft = story.a_full_draft(other, known=False)
        common = {"application": draft, "actor": story.actor_of(other), "now": timezone.now()}
        drafts.save_person(name=draft.name, cnic=cnic_of(person), **common)
        second = story.send(draft)
        story.advance()
        desk = browser(officer)
        assert "No other application" in desk.get(reverse("decide:case", args=[stranger.reference])).text
        assert looks(person, address) == []
        for count in (1, 2):
            before = JournalEntry.objects.count()
            assert "1 granted" in desk.get(reverse("decide:case", args=[second.reference])).text
            assert JournalEntry.objects.count() == before + 2, "of the case itself, and of the one beside it"
            kept = JournalEntry.objects.filter(act="decide.read_outcome", reason="same_number")
            assert kept.count() == count and looks(person, address) == []
        assert [row[1] for row in looks(other, status_of(second))] == [
            "The whole file of the application 2 times that day"
        ]

    def test_at_the_own_outcomes_are_no_look_at_another(self) -> None:
        person = story.a_person()
        granted = story.a_granted_application(person)
        page = reverse("decide:case", args=[story.a_case(person).application.reference])
        assert "1 granted" in browser(story.an_officer()).get(page).text
        assert looks(person, status_of(granted)) == []

    def test_at_what_may_be_revoked_beside_the_approvals_is_told(self) -> None:
        application = story.a_granted_application(story.a_person())
        person, address = application.applicant, status_of(application)
        revocation.propose_revocation(
            case=story.case_of(application),
            officer=story.an_officer(),
            code="X5",
            text="The letter is forged.",
            evidence="An answer.",
            now=timezone.now(),
        )
        assert looks(person, address) == []
        assert application.name in browser(story.an_officer()).get(reverse("decide:approvals")).text
        [told] = looks(person, address)
        assert told[0] == "Officer" and "list of applications" in told[1]

    def test_of_many_days_are_all_told(self) -> None:
        application = story.a_granted_application(story.a_person())
        for days in range(120):
            at = timezone.now() - dt.timedelta(days=days)
            facts = {"act": "decide.read_case", "actor": "officer:before", "subject": application.subject}
            JournalEntry.objects.create(at=at, **facts)
        assert len(looks(application.applicant, status_of(application))) == 120
        page = browser(application.applicant).get(status_of(application)).text
        before, folded, _after = page.partition("Who looked before that")
        assert folded and before.count('<th scope="row" role="rowheader">') == 100

    def test_of_the_public_are_called_so_and_bury_nobody(self) -> None:
        registration = a_registration()
        person = Application.objects.get(pk=registration.origin.removeprefix("application:")).applicant
        for _ in range(15):
            Client().get(reverse("portal:check_number"), {"number": registration.reference})
        address = reverse("portal:registration", args=[registration.reference])
        told = looks(person, address)
        what = "Whether the number is valid, and how long 15 times that day"
        assert told == [["A member of the public", what, "Number checked"]]

    def test_of_a_closed_case_needs_a_reason_that_its_applicant_reads(self) -> None:
        registration = a_registration()
        application = Application.objects.get(pk=registration.origin.removeprefix("application:"))
        desk, address = browser(story.an_officer()), reverse("decide:case", args=[application.reference])
        before = JournalEntry.objects.count()
        asked = desk.get(address)
        assert asked["Location"] == reverse("decide:why", args=[application.reference])
        page = desk.get(asked["Location"]).content.decode()
        assert application.reference in page and application.name not in page
        assert desk.post(asked["Location"], {"why": "curious"}).status_code == 422
        assert JournalEntry.objects.count() == before, "nothing of the file was shown"
        answer = desk.post(asked["Location"], {"why": "complaint"}, follow=True)
        assert application.name in answer.content.decode()
        row = JournalEntry.objects.latest("id")
        version = case_clock.policy_of(application).version
        assert (row.act, row.reason, row.ground) == ("decide.read_case", "complaint", f"policy:{version}")
        registered = reverse("portal:registration", args=[registration.reference])
        for page in (registered, status_of(application)):
            told = looks(application.applicant, page)
            assert [
                "Officer", "The whole file of the application", "A complaint, an objection or an appeal"
            ] in told  # fmt: skip

    def test_of_a_closed_case_that_is_not_there_is_not_told_apart(self) -> None:
        desk = browser(story.an_officer())
        assert desk.get(reverse("decide:why", args=["A-2611-XXXX-XXXX"])).status_code == 404
        open_one = story.a_case(story.a_person())
        assert desk.get(reverse("decide:why", args=[open_one.application.reference])).status_code == 404
        assert browser(story.a_person()).get(reverse("decide:why", args=["A-2611-XXXX-XXXX"])).status_code == 403

    def test_of_reads_without_a_reason_say_so(self) -> None:
        registration: Registration = a_registration()
        person = Application.objects.get(pk=registration.origin.removeprefix("application:")).applicant
        JournalEntry.objects.create(
            at=timezone.now(), act="decide.read_case", actor="officer:before", subject=registration.origin
        )
        [row] = looks(person, reverse("portal:registration", args=[registration.reference]))
        assert row[2] == "No reason was recorded"
