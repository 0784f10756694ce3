"""Organisations from the first question to the registration, through the pages alone: a fee that is paid by bank, a
bank by rule, an embassy whose letter an officer reads."""

import datetime as dt
import html
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.attest import requests
from rahdari.attest.models import MembershipInquiry
from rahdari.attest.rules import Identifier
from rahdari.checks import queries as checks
from rahdari.checks import rosters
from rahdari.decide import queries as cases
from rahdari.fees import rules as fees
from rahdari.fees.models import Invoice
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Role, User
from rahdari.register import queries as register
from rahdari.vault import keys
from tests.builders import story
from tests.builders.attestations import an_attestation
from tests.builders.drafts import a_pdf
from tests.dyndns.conftest import networks as networks  # every test of this file is on these networks

from .test_again import DAY

pytestmark = pytest.mark.django_db
CENTRE = ("Sample Call Centre (Pvt) Ltd", "0000731")
BANK = ("Sample Microfinance Bank Ltd", "0000744")
STATEMENT = Path(__file__).parent.parent / "fees" / "statements" / "sample.camt053.xml"


@pytest.fixture(autouse=True)
def companies(tmp_path: Path) -> None:
    keys.make_missing(Path(django_settings.DATA) / "keys")
    path = tmp_path / "companies.csv"
    rows = "".join(f"{number},{name},active,organisation.example\n" for name, number in (CENTRE, BANK))
    path.write_text(f"number,name,status,domain\n{rows}", encoding="utf-8")
    rosters.import_roster(name="companies", path=path, now=timezone.now(), actor="system:test", processes=1)


class Visitor:
    """Somebody with a browser: opens a page, fills in its form with all that it hides, and goes where it leads."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.browser = Client(headers={"accept-language": "en"}, REMOTE_ADDR="192.0.2.1")
        self.browser.force_login(user)

    def see(self, path: str) -> str:
        answer = self.browser.get(path)
        assert answer.status_code == 200, (path, answer)
        return html.unescape(answer.content.decode())

    def send(self, path: str, /, to: str = "", **given: Any) -> str:
        """Send the form of this page. Gives the path that it leads to."""
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.see(path))
        kept = {name: value for name, value in hidden if name != "csrfmiddlewaretoken"}
        answer = self.browser.post(to or path, kept | given)
        assert answer.status_code == 302, (path, re.findall(r'class="err"[^>]*>(.*?)</p>', answer.content.decode()))
        return str(answer["Location"])


class Applicant(Visitor):
    def begin(self, who: str) -> Application:
        self.send(reverse("apply:start"), who=who, use="staff", which="server")
        self.browser.post(reverse("apply:begin"))
        return Application.objects.get(applicant=self.user)

    def fill(self, application: Application, name: str, number: str, papers: dict[str, str], addresses: int) -> None:
        def at(step: str, *more: str) -> str:
            return reverse(f"apply:{step}", args=[application.reference, *more])

        self.send(at("company"), name=name, **({"company_number": number, "ntn": ""} if number else {}))
        self.send(at("contact"), name="Sample Manager", mobile="0300 1234568")
        for paper, last_day in papers.items():
            more = {"valid_until": last_day} if last_day else {}
            self.send(at("upload", paper), file=SimpleUploadedFile(f"{paper}.pdf", a_pdf(1), "application/pdf"), **more)
        for last in range(11, 11 + addresses):
            self.send(at("add_address"), block=f"203.0.113.{last}", kind="wireguard", stays="static")

    def prove_and_send(self, application: Application) -> None:
        """The link is opened at each address; of many addresses it is one for all."""
        for endpoint in application.endpoints.all():
            page = self.browser.get(reverse("portal:prove_first", args=[application.reference]))["Location"]
            link = re.search(rf"{re.escape(django_settings.SITE_URL)}(/prove/[A-Za-z0-9/-]+/)", self.see(page))
            assert link is not None
            there = Client(
                REMOTE_ADDR=endpoint.address_text, headers={"accept": "text/plain", "user-agent": "curl/8.14.1"}
            )
            assert there.get(link[1]).content.decode().startswith("Proved"), endpoint.address_text
        where = self.send(reverse("portal:check", args=[application.reference]), declare="on")
        assert where == reverse("portal:status", args=[application.reference])
        story.advance()


_numbers = itertools.count(1)


def an_applicant() -> Applicant:
    email = f"manager-{next(_numbers)}@organisation.example"
    return Applicant(people.register_person(email=email, name="Sample Manager", language="en", now=timezone.now()))


@pytest.fixture
def applicant() -> Applicant:
    return an_applicant()


@pytest.fixture
def accountant() -> Visitor:
    user = people.register_person(email="accounts@authority.example", now=timezone.now())
    people.appoint(user=user, role=Role.ACCOUNTS, actor="system:test", now=timezone.now())
    return Visitor(user)


def registration_of(application: Application) -> Any:
    return register.registration_from(application.subject)


class TestCallCentre:
    CERTIFIED = str(timezone.localdate() + dt.timedelta(days=364))

    def five_addresses(self, applicant: Applicant) -> tuple[Application, Invoice]:
        application = applicant.begin("whitelist_call_centre")
        papers = {"incorporation": "", "call_centre_certificate": self.CERTIFIED}
        applicant.fill(application, *CENTRE, papers, addresses=5)
        assert "5 addresses" in applicant.see(reverse("portal:tasks", args=[application.reference]))
        applicant.prove_and_send(application)
        assert story.fresh(application).status == "submitted", "it waits for the fee"
        return story.fresh(application), Invoice.objects.get(subject=application.subject)

    @pytest.mark.parametrize("form", ["camt.053", "csv"])
    def test_pays_by_bank_for_five_addresses_and_is_registered(
        self, applicant: Applicant, accountant: Visitor, form: str
    ) -> None:
        application, invoice = self.five_addresses(applicant)
        # 1) the fee of the policy: from five addresses on, 200 for each
        assert (invoice.addresses, invoice.amount) == (5, 1000)
        told = Letter.objects.get(template="invoice", to=applicant.user)
        page = applicant.see(reverse("fees:invoice", args=[invoice.number]))
        reference = fees.grouped(invoice.reference)
        assert reference in page and reference in told.text and "1,000.00" in page
        home = applicant.see(reverse("portal:home"))
        assert "1 invoice is to be paid" in home and "1 application waits for you" in home
        status = applicant.see(reverse("portal:status", args=[application.reference]))
        assert "One thing is missing: the fee" in status and "You need not do anything" not in status
        assert reverse("fees:invoice", args=[invoice.number]) in status
        # 2) the bank's statement
        if form == "csv":
            rows = f"Transaction,Date,Amount,Reference\nT1,2026-11-23,1000,Fee {reference}\n"
            statement = SimpleUploadedFile("statement.csv", rows.encode(), "text/csv")
        else:
            text = STATEMENT.read_text().replace("REFERENCE", invoice.reference).replace("2400.00", "1000.00")
            statement = SimpleUploadedFile("statement.xml", text.encode(), "application/xml")
        accountant.send(reverse("fees:statements"), file=statement)
        assert invoice.number not in accountant.see(reverse("fees:open"))
        # 3) the receipt, the grant, the register
        story.advance()
        invoice.refresh_from_db()
        receipt = applicant.see(reverse("fees:receipt", args=[invoice.number]))
        assert invoice.receipt_number in receipt and "was paid in full" in receipt
        assert Letter.objects.filter(template="invoice_paid", to=applicant.user).count() == 1
        registration = registration_of(application)
        assert registration is not None and len(register.entries_of(registration)) == 5
        assert story.fresh(application).status == "granted"
        page = applicant.see(reverse("portal:registration", args=[registration.reference]))
        assert registration.reference in page and "203.0.113.15" in page

    def test_that_pays_too_little_waits_for_the_rest(self, applicant: Applicant, accountant: Visitor) -> None:
        application, invoice = self.five_addresses(applicant)
        for transaction, amount in (("T1", 600), ("T2", 400)):
            assert registration_of(application) is None
            rows = f"Transaction,Date,Amount,Reference\n{transaction},2026-11-23,{amount},{invoice.reference}\n"
            sent = SimpleUploadedFile("statement.csv", rows.encode(), "text/csv")
            accountant.send(reverse("fees:statements"), file=sent)
            story.advance()
        assert registration_of(application) is not None

    def test_with_four_addresses_pays_nothing(self, applicant: Applicant) -> None:
        application = applicant.begin("whitelist_call_centre")
        papers = {"incorporation": "", "call_centre_certificate": self.CERTIFIED}
        applicant.fill(application, *CENTRE, papers, addresses=4)
        applicant.prove_and_send(application)
        assert not Invoice.objects.exists() and registration_of(application) is not None


class TestCompany:
    """That chooses its association in the place of papers, on the page of documents."""

    def begun(self, applicant: Applicant) -> Application:
        application = applicant.begin("vpn_company")
        applicant.fill(application, *BANK, {}, addresses=1)
        return application

    def at(self, step: str, application: Application) -> str:
        return reverse(f"apply:{step}", args=[application.reference])

    def test_that_is_attested_is_registered_without_a_paper(self, applicant: Applicant) -> None:
        found = an_attestation(claim="it_company", identifier=Identifier("company", BANK[1]), name=BANK[0])
        application = self.begun(applicant)
        assert "Choose your association" in applicant.see(self.at("documents", application))
        where = applicant.send(self.at("association", application), number="M-00731")
        assert where == self.at("documents", application)
        page = applicant.see(where)
        assert "Your association vouches for you" in page and "Sample Association of Software Houses" in page
        applicant.prove_and_send(application)
        check = checks.checks_of(application.subject).get(kind="attestation")
        assert (check.outcome, check.evidence["attestation"]) == ("passed", found.number)
        assert not checks.checks_of(application.subject).filter(kind="documents").exists()
        assert registration_of(application) is not None

    def test_that_is_not_attested_yet_is_asked_about(self, applicant: Applicant) -> None:
        application = self.begun(applicant)
        applicant.send(self.at("association", application), number="M-00731")
        applicant.prove_and_send(application)
        [asked] = MembershipInquiry.objects.all()
        assert (asked.name, asked.member_number) == (BANK[0], "M-00731")
        assert registration_of(application) is None
        facts: dict[str, Any] = {"claim": "it_company", "method": "register", "by": "person:x", "now": timezone.now()}
        requests.attest_applicant(request=asked, valid_until=timezone.localdate() + 200 * DAY, **facts)
        story.advance()
        assert registration_of(application) is not None

    def test_that_takes_it_back_is_asked_for_papers(self, applicant: Applicant) -> None:
        application = self.begun(applicant)
        applicant.send(self.at("association", application), number="M-00731")
        assert applicant.send(self.at("documents", application), self.at("association", application), leave="1")
        assert "documents" in applications.missing_steps(story.fresh(application), applications.policy_in_force())


class TestBank:
    def test_is_registered_by_rule(self, applicant: Applicant) -> None:
        application = applicant.begin("vpn_bank")
        assert application.service == "vpn_bank"
        applicant.fill(application, *BANK, {"banking_licence": ""}, addresses=1)
        applicant.prove_and_send(application)
        registration = registration_of(application)
        assert registration is not None
        decision = cases.decision_of(story.case_of(application))
        assert decision is not None and decision.decided_by.startswith("rule:")
        # What the public learns of a number: that it is valid. Neither a name nor an address.
        public = Client().get(reverse("portal:check_number"), {"number": registration.reference}).content.decode()
        assert "Valid" in public and BANK[0] not in public and "203.0.113.11" not in public


class TestEmbassy:
    def test_is_registered_when_an_officer_has_read_its_letter(self, applicant: Applicant) -> None:
        application = applicant.begin("vpn_mission")
        applicant.fill(application, "Sample Embassy", "", {"mission_letter": ""}, addresses=1)
        applicant.prove_and_send(application)
        assert registration_of(application) is None
        assert "An officer is looking at your application" in applicant.see(
            reverse("portal:status", args=[application.reference])
        )
        officer = Visitor(story.an_officer())

        def at(name: str, **more: Any) -> str:
            return reverse(f"decide:{name}", kwargs={"reference": application.reference, **more})

        assert application.reference in officer.see(reverse("decide:queue"))
        officer.send(at("case"), at("take"))
        case = officer.see(at("case"))
        paper = re.search(r"\?paper=[0-9a-f-]+", case)
        assert paper is not None
        letter = re.search(r"/desk/cases/[^/]+/documents/([0-9a-f-]+)/", officer.see(at("case") + paper[0]))
        check = re.search(r"/desk/cases/[^/]+/checks/([0-9a-f-]+)/", case)
        assert letter is not None and check is not None
        assert officer.browser.get(letter[0]).content.startswith(b"%PDF")
        officer.send(at("case"), check[0], outcome="passed", how="It names who may act for the embassy.")
        officer.send(at("case"), at("decide"), decision="grant")
        story.advance()
        registration = registration_of(application)
        assert registration is not None
        told = Letter.objects.get(template="application_granted", to=applicant.user)
        assert registration.reference in told.text
        assert registration.reference in applicant.see(reverse("portal:status", args=[application.reference]))
