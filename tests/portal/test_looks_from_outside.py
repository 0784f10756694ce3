"""Associations, operators, clients and co-holders who read of a holder stand under "who looked at my data"."""

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.address import directory
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.attest import attestations, requests
from rahdari.attest.models import Attestation
from rahdari.attest.rules import Identifier, Tie
from rahdari.checks import queries as checks
from rahdari.confirm import tokens
from rahdari.confirm.models import SubscriberQuestion
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.share import actions as share
from rahdari.share import queries as sharing
from rahdari.vault import keys
from rahdari.vouch import actions as vouch
from rahdari.vouch.queries import LINKS
from tests.builders import story
from tests.builders.attestations import ASSOCIATION, a_secretary, an_attestation
from tests.builders.programs import Program
from tests.builders.subscribers import OPERATOR, a_desk, a_question

from .test_looks import browser, looks, status_of

pytestmark = pytest.mark.django_db
IN_ITS_LIST = "One line in its list of members, or of those who ask: your name, and what it says of you"
IN_A_FILE = "One line of a file of its members: your name, and what it says of you"
OF_MEMBERSHIP = "What it says of your membership: your name and member number"


@pytest.fixture(autouse=True)
def vault_keys() -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    yield
    directory.configure(None)


@pytest.fixture
def application() -> Application:
    return story.a_case(story.a_person()).application


def told(application: Application) -> list[list[str]]:
    return looks(application.applicant, status_of(application))


class TestAnAssociation:
    @pytest.fixture
    def desk(self) -> Client:
        return browser(a_secretary())

    @pytest.fixture
    def attestation(self, application: Application) -> Attestation:
        """One that counted for the application."""
        found = an_attestation()
        attestations.note_use(
            attestation=found,
            subject=application.subject,
            holder=application.holder_ref,
            person=f"person:{application.applicant_id}",
            weight="full",
            tie=Tie.ASSOCIATION,
            now=timezone.now(),
        )
        return found

    def test_that_reads_a_question_is_told(self, application: Application, desk: Client) -> None:
        asked = requests.ask(
            association=ASSOCIATION,
            subject=application.subject,
            service=application.service,
            name="Sample Freelancer 1",
            member_number="M-7",
            known_by=[Identifier("email", "one@client.example")],
            due_at=timezone.now() + dt.timedelta(days=3),
            now=timezone.now(),
        )
        desk.get(reverse("attest:asked", args=[asked.pk]))
        what = "The question whether you are a member: your name, member number and email"
        assert told(application) == [["Association", what, "To answer whether you are a member"]]
        desk.get(reverse("attest:members"))
        assert ["Association", IN_ITS_LIST, "To keep its list of members"] in told(application)

    @pytest.mark.parametrize(
        ("page", "what"),
        [("members", IN_ITS_LIST), ("own_list", IN_A_FILE), ("attestation", OF_MEMBERSHIP), ("revoke", OF_MEMBERSHIP)],
    )
    def test_that_reads_what_it_attested_is_told(
        self, application: Application, desk: Client, attestation: Attestation, page: str, what: str
    ) -> None:
        arguments = [attestation.number] if page in {"attestation", "revoke"} else []
        assert desk.get(reverse(f"attest:{page}", args=arguments)).status_code == 200
        assert told(application) == [["Association", what, "To keep its list of members"]]

    def test_that_would_take_many_back_is_told(
        self, application: Application, desk: Client, attestation: Attestation
    ) -> None:
        content = f"member_number\n{attestation.member_number}\n".encode()
        sent = {"members": SimpleUploadedFile("gone.csv", content), "revocation": "left", "explanation": "You left."}
        page = desk.post(reverse("attest:revoke_many"), sent, follow=True)
        assert attestation.name in page.content.decode()
        assert [row[1] for row in told(application)] == [IN_ITS_LIST]

    def test_of_another_is_told_nothing(self, application: Application, desk: Client) -> None:
        an_attestation()
        desk.get(reverse("attest:members"))
        desk.get(reverse("attest:own_list"))
        assert told(application) == []


class TestAnOperator:
    LISTED = "One line in its list of questions: your number there, and your name with the first and last letters"
    FILED = "One line of a file of questions: your number there, and your name with the first and last letters"
    FETCHED = "One question, by its own system: your number there, and your name with the first and last letters"
    WHY = "To answer whether you are its customer"

    @pytest.fixture(autouse=True)
    def question(self, application: Application) -> SubscriberQuestion:
        a_question()
        return a_question(subject=application.subject)

    @pytest.mark.parametrize(("page", "what"), [("checks", LISTED), ("download", FILED)])
    def test_at_its_desk_is_told(self, application: Application, page: str, what: str) -> None:
        assert browser(a_desk()).get(reverse(f"confirm:{page}")).status_code == 200
        assert told(application) == [["Operator", what, self.WHY]]

    def test_by_its_own_system_is_told_once_a_day(self, application: Application, question: SubscriberQuestion) -> None:
        _token, key = tokens.make_token(
            operator=OPERATOR, name="Sample system", sandbox=False, by="person:x", now=timezone.now()
        )
        system = Client(headers={"authorization": f"Bearer {key}"})
        before = JournalEntry.objects.count()
        for _ in range(3):
            listed = system.get(reverse("confirm:list_checks"))
            assert question.number in listed.content.decode()
            system.get(reverse("confirm:get_check", args=[question.number]))
        assert told(application) == [["Operator", self.FETCHED, self.WHY]]
        assert JournalEntry.objects.count() == before + 1, "one row for both questions, however often the system asks"

    def test_stands_on_the_page_of_the_registration_and_for_programs(self) -> None:
        program = Program()
        granted = story.a_granted_application(program.person)
        registration = story.registration_of(granted)
        a_question(subject=granted.subject)
        browser(a_desk()).get(reverse("confirm:download"))
        row = ["Operator", self.FILED, self.WHY]
        assert looks(program.person, reverse("portal:registration", args=[registration.reference])) == [row]
        [item] = program.get(f"/registrations/{registration.reference}/looks").said["items"]
        assert [item["who"], item["what"], item["why"]] == row
        [item] = program.get(f"/applications/{granted.reference}/looks").said["items"]
        assert [item["who"], item["what"], item["why"]] == row


class TestAClient:
    def test_who_opens_the_link_is_told_until_it_is_answered(self, application: Application) -> None:
        check = checks.checks_of(application.subject)[0]
        rules = applications.policy_in_force().vouching
        assert rules is not None
        asked = vouch.ask(
            subject=f"check:{check.pk}",
            name="Sample Freelancer 1",
            address="manager@client.example",
            asked_by=f"person:{application.applicant_id}",
            language="en",
            rules=rules,
            now=timezone.now(),
        )
        place = reverse("vouch:question", args=[LINKS.token(asked)])
        assert "Sample Freelancer 1" in Client().get(place).content.decode()
        row = [
            "The person who opened the link that we sent to your client or employer",
            "Your name, and that you ask to register your connection",
            "To answer whether you work for them",
        ]
        assert told(application) == [row]
        vouch.answer(question=asked, given="yes", now=timezone.now())
        assert "Sample Freelancer 1" not in Client().get(place).content.decode()
        assert told(application) == [row], "a page that shows no name is no look"


class TestWhoHasTheSameAddress:
    WHAT = "The name that you chose, and that you ask to share the address"

    @pytest.mark.parametrize("page", ["sharing", "question", "program"])
    def test_is_told_when_they_read_the_name(self, page: str) -> None:
        first = Program()
        story.a_granted_application(first.person)
        second = story.a_case(story.a_person()).application
        endpoint, taken = second.endpoints.get(), first.person.applications.get().endpoints.get()
        terms = sharing.terms()
        assert terms is not None
        share.ask(
            subject=endpoint.subject,
            block=taken.network,
            holder=second.holder_ref,
            name="Desk 7",
            asked_by=f"person:{second.applicant_id}",
            terms=terms,
            now=timezone.now(),
        )
        question = sharing.questions_to(first.person).get()
        if page == "program":
            assert first.get("/sharing").said["questions"][0]["name"] == "Desk 7"
        else:
            arguments = [question.pk] if page == "question" else []
            assert "Desk 7" in browser(first.person).get(reverse(f"share:{page}", args=arguments)).content.decode()
        row = ["Somebody who has the same address", self.WHAT, "To answer whether you may share it"]
        assert told(second) == [row]
        assert looks_of(first.person) == []


def looks_of(person: User) -> list[list[str]]:
    application = Application.objects.get(applicant=person)
    return looks(person, status_of(application))
