"""In whose name a number is registered, and when a name is contested."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.apply import queries as applications
from rahdari.apply import renewal, subjects
from rahdari.apply.models import Application
from rahdari.checks import contacts
from rahdari.checks import words as check_words
from rahdari.complaint import actions as complaints
from rahdari.complaint import contesting
from rahdari.complaint import queries as complaint_queries
from rahdari.complaint.models import Complaint
from rahdari.decide import assignment, granting
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.people.models import Organisation, User
from rahdari.publish import actions as publishing
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.vault import links
from tests.builders.cases import DAY, HOUR, NOW, an_officer, prove

from .test_representing import (
    COMPANIES,
    NAME,
    NUMBER,
    OFFICE,
    VARIES,
    a_freelancer,
    browser_of,
    imported,
    letters_to,
    proved_and_sent,
    sent,
    whose,
)
from .test_representing import rosters as rosters

pytestmark = pytest.mark.django_db


class TestANameUnderOnesOwnNumber:
    """Whose the number is says nothing of the name: the list has that too."""

    BANK = "Sample Microfinance Bank Ltd"

    @pytest.mark.parametrize("email", [OFFICE, "manager@mail.example"])
    def test_that_is_another_on_the_list_goes_to_an_officer(self, email: str) -> None:
        application = sent(email, name=self.BANK)
        if email != OFFICE:
            assert contacts.answer_as_contact(check=whose(application), agrees=True, now=NOW)
            workflow.advance(now=NOW)
        assert (whose(application).outcome, whose(application).finding) == ("failed", "another_name")
        assert whose(application).reason_code == "" and decisions.case_of(application) is not None
        assert register.registration_from(application.subject) is None

    def test_is_not_given_to_an_organisation_that_is_registered_already(self, tmp_path: Path) -> None:
        first = sent(OFFICE)
        imported(tmp_path, "companies", "number,name\n0000744,Sample Microfinance Bank Ltd\n")
        again = sent("", "203.0.113.67", user=first.applicant, name=self.BANK, at=NOW + DAY)
        assert whose(again).finding == "not_shown" and again.organisation == first.organisation
        assert Organisation.objects.get(pk=again.organisation_id).name == NAME

    def test_is_granted_as_the_list_writes_it_and_kept_as_it_was_typed(self) -> None:
        application = sent(OFFICE, name="Simple  Softwair House, Private Limited")
        registration = register.registration_from(application.subject)
        assert registration is not None and subjects.holder_name_of(registration) == NAME
        assert Organisation.objects.get(pk=application.organisation_id).name == NAME
        assert application.holder_name.startswith("Simple")


class TestANumberBeforeTheAddressIsProved:
    """Who proves nothing learns nothing of a number: whether it is registered, on the list, or nobody's."""

    LISTED, NOBODYS = "0000744", "0000123"

    def test_is_answered_alike_and_nobody_is_asked(self, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"{COMPANIES}{self.LISTED},{NAME},active,x@bank.example,,\n")
        owner = sent(OFFICE).applicant
        seen, written = set(), Letter.objects.count()
        for last, number in enumerate((NUMBER, self.LISTED, self.NOBODYS)):
            apart = sent(f"asks-{last}@mail.example", f"203.0.113.{70 + last}", company_number=number, proved=False)
            found = whose(apart)
            kept = {"asked", "until", "told_at"} & set(found.facts)
            assert not kept and not contacts.waits_for_a_code(found)
            seen.add((apart.status, found.outcome, found.finding, str(check_words.of_check(found))))
            page = browser_of(apart.applicant).get(reverse("portal:status", args=[apart.reference])).text
            assert "already" not in page and reverse("portal:represent", args=[apart.reference]) not in page
        assert len(seen) == 1
        assert Letter.objects.filter(template__startswith="represent").count() == 0
        assert "representative_asked" not in letters_to(owner) and written

    def test_goes_on_when_it_is_proved(self) -> None:
        owner = sent(OFFICE).applicant
        late = sent("late@mail.example", "203.0.113.71", proved=False)
        prove(applications.endpoints_of(late)[0], now=NOW + HOUR)
        workflow.advance(now=NOW + HOUR)
        assert whose(late).facts["asked"] and "representative_asked" in letters_to(owner)


class TestANameThatIsContested:
    """While a claim to it is undecided, the public check does not vouch for the name."""

    @pytest.fixture
    def registration(self) -> Registration:
        return registered_by(sent(OFFICE, at=timezone.now()))

    def test_is_said_in_the_place_of_a_match_and_nowhere_else(self, registration: Registration, client: Client) -> None:
        on_paper = f"/c/{registration.reference}/{links.token('certificate', registration.reference)}/"

        def read(name: str = "") -> str:
            address = on_paper if name == "paper" else "/check/"
            return client.get(address, {"number": registration.reference, "name": name}).content.decode()

        assert "The name matches" in read(NAME) and "contested" not in read("paper")
        before = {name: VARIES.sub("", read(name)) for name in ("", "Another House")}
        complained(NUMBER, "company", OFFICE)
        assert "The name is contested" in read(NAME) and "The name matches" not in read(NAME)
        assert "The name is contested" in read("paper")
        assert {name: VARIES.sub("", read(name)) for name in before} == before

    @pytest.mark.parametrize(("about", "target"), [("company", NUMBER), ("name", NAME), ("entry", "")])
    def test_is_contested_by_a_stranger_while_an_officer_says_so_and_by_no_reading(
        self, registration: Registration, about: str, target: str
    ) -> None:
        claim = complained(target or registration.reference, about, "crook@mail.example")
        desk, place = browser_of(an_officer()), [claim.reference]
        for answer, contested in (("", False), ("yes", True), ("yes", True), ("no", False), ("yes", True)):
            if answer:
                desk.post(reverse("complaint:contest", args=place), {"contested": answer})
            page = desk.get(reverse("complaint:complaint", args=place)).text
            assert ("the name is contested, until this complaint is decided" in page) is contested
            assert contesting.name_is_contested(registration) is contested
        claim.refresh_from_db()
        complaints.let_answer_lapse(now=timezone.now() + 90 * DAY)
        outcome = {"outcome": "not_founded", "why": "It is not theirs."}
        complaints.decide(complaint=claim, officer=an_officer("second"), now=timezone.now() + 90 * DAY, **outcome)
        assert not contesting.name_is_contested(registration)

    @pytest.mark.parametrize(
        ("about", "target", "sender"),
        [
            ("company", NUMBER, OFFICE),
            ("company", NUMBER, "clerk@softwarehouse.example"),
            ("name", NAME, OFFICE),
            ("entry", "", "clerk@softwarehouse.example"),
        ],
    )
    def test_is_contested_in_every_registration_in_it_or_under_the_number(
        self, tmp_path: Path, registration: Registration, about: str, target: str, sender: str
    ) -> None:
        """In the one that somebody else has in the same name, too, under a number of their own."""
        other, crook = "0000988", "office@hall.example"
        imported(tmp_path, "companies", f"{COMPANIES}{other},{NAME},active,{crook},,\n")
        thief = registered_by(sent(crook, "203.0.113.67", company_number=other, at=timezone.now()))
        claim = complained(target or registration.reference, about, sender)
        assert contesting.name_is_contested(registration) and contesting.name_is_contested(thief)
        assert about != "name" or claim.registration is None  # two have the name: none of them is asked

    def test_is_one_question_to_its_holder_however_many_say_it(self, registration: Registration) -> None:
        first, *others = [complained(NUMBER, "company", f"crook-{each}@mail.example") for each in range(3)]
        assert first.part_of is None and {each.part_of for each in others} == {first}
        owner = User.objects.get(email=OFFICE)
        assert letters_to(owner).count("complaint_to_answer") == 1
        assert [each.reference for each in complaint_queries.to_answer(registration)] == [first.reference]


def complained(target: str, about: str, sender: str) -> Complaint:
    now = timezone.now()
    facts: dict[str, Any] = {"kind": "correction", "about": about, "target": target, "language": "en"}
    claim = complaints.send(id=uuid.uuid4(), words="It is ours.", email=sender, now=now, **facts)
    complaints.look_up(now=now)
    assert not contesting.name_is_contested(registered_by(Application.objects.filter(status="granted")[0]))
    complaints.confirm(complaint=claim, now=now)
    complaints.look_up(now=now)
    return Complaint.objects.get(pk=claim.pk)


def registered_by(application: Application) -> Registration:
    found = register.registration_from(application.subject)
    assert found is not None
    return found


class TestAPrivatePersonInACompanysName:
    @pytest.mark.parametrize(
        "name",
        [
            *(
                "Sample Microfinance Bank Ltd",
                "Sample Studio (SMC-Pvt)",
                "نمونہ لمیٹڈ",
                "Sample Ltd\u115f",
                "Sample Ltd\u02bc",
            ),
            *(
                "State Bank of Pakistan",
                "Embassy of France",
                "سفارت خانہ نمونہ",
                "5ample Fibre",
                "Demonstration Authority",
            ),
        ],
    )
    def test_goes_to_an_officer_whatever_the_checks_say(self, name: str) -> None:
        person = a_freelancer("one@mail.example", "203.0.113.80", number="", name=name)
        case = decisions.case_of(person)
        assert (person.status, case is not None and case.lane) == ("submitted", "review")

    @pytest.mark.parametrize("name", ["Sample Fibre", "SAMPLE  FIBRE", "(Sample Fibre)", "سیمپل فائبر"])
    def test_goes_to_an_officer_in_the_name_of_an_operator(self, name: str) -> None:
        publishing.create_operator(
            slug="sample-fibre", name="Sample Fibre", name_ur="سیمپل فائبر", asns=(64500,), now=NOW
        )
        person = a_freelancer("one@mail.example", "203.0.113.80", number="", name=name)
        case = decisions.case_of(person)
        assert (person.status, case is not None and case.lane) == ("submitted", "review")

    @pytest.mark.parametrize("name", ["Sample Textile", "sample TEX-TILE", "سیمپل ٹیکسٹائل"])
    def test_goes_to_an_officer_when_a_list_of_firms_has_the_name(self, name: str, tmp_path: Path) -> None:
        imported(tmp_path, "companies", "number,name\n0000744,Sample Textile Ltd\n")
        person = a_freelancer("one@mail.example", "203.0.113.80", number="", name=name)
        case = decisions.case_of(person)
        assert (person.status, case is not None and case.lane) == ("submitted", "review")

    def test_is_told_nothing_of_organisations_that_are_registered(self, tmp_path: Path) -> None:
        listed = f"{NUMBER},Sample Software House,{OFFICE}\n0000744,Sample Hardware House,\n"
        imported(tmp_path, "companies", f"number,name,email\n{listed}")
        assert sent(OFFICE, name="Sample Software House").status == "granted"
        names = ("Sample Software House", "Sample Hardware House", "Sample Neither House")
        told = []
        for each, name in enumerate(names):
            cnic, block = f"352021234567{each + 1}", f"203.0.113.8{each}"
            told.append(a_freelancer(f"p{each}@mail.example", block, cnic=cnic, number="", name=name).status)
        assert told == ["submitted", "submitted", "granted"]

    def test_is_granted_by_an_officer_who_found_it_to_be_theirs_and_goes_on_then(self) -> None:
        person = a_freelancer("one@mail.example", "203.0.113.80", number="", name="Sample Ltd")
        officer, case = an_officer(), decisions.case_of(person)
        assert case is not None
        granting.grant(case=assignment.take_case(case=case, officer=officer, now=NOW), officer=officer, now=NOW)
        workflow.advance(now=NOW)
        registration = register.registration_from(person.subject)
        assert registration is not None
        common: dict[str, Any] = {"actor": f"person:{person.applicant_id}", "now": NOW + DAY}
        change = renewal.apply_again(registration=registration, applicant=person.applicant, about="change", **common)
        assert proved_and_sent(change, "203.0.113.82", NOW + DAY).status == "granted"

    @pytest.fixture
    def registration(self) -> Registration:
        """Of a private person in the name of a firm that is on the list, and not registered: an officer let it be."""
        at = timezone.now()
        person = a_freelancer("one@mail.example", "203.0.113.80", number="", name="Sample Software House", at=at)
        officer, case = an_officer(), decisions.case_of(person)
        assert case is not None
        granting.grant(case=assignment.take_case(case=case, officer=officer, now=at), officer=officer, now=at)
        workflow.advance(now=at)
        person.refresh_from_db()
        return registered_by(person)

    @pytest.mark.parametrize(
        ("sender", "contested"),
        [(OFFICE, True), ("clerk@softwarehouse.example", True), ("one-of-the-name@mail.example", False)],
    )
    def test_is_contested_on_the_certificate_by_the_contact_of_the_firm(
        self, registration: Registration, client: Client, sender: str, contested: bool
    ) -> None:
        on_paper = f"/c/{registration.reference}/{links.token('certificate', registration.reference)}/"
        in_public = {"number": registration.reference, "name": "Sample Software House"}
        before = VARIES.sub("", client.get("/check/", in_public).text)
        complained(registration.reference, "entry", sender)
        assert ("The name is contested" in client.get(on_paper).text) is contested
        # Without the certificate no name of a person is vouched for, and none is contested.
        assert VARIES.sub("", client.get("/check/", in_public).text) == before

    def test_is_contested_for_nobody_else_of_the_name(self, registration: Registration) -> None:
        """Persons share their names: a claim to the name is said of theirs once an officer says so."""
        claim = complained("Sample Software House", "name", OFFICE)
        assert not contesting.name_is_contested(registration)
        complaints.contest(complaint=claim, officer=an_officer("second"), contested=True, now=timezone.now())
        assert contesting.name_is_contested(registration)

    def test_does_not_make_the_firm_contested(self, registration: Registration) -> None:
        firm = registered_by(sent(OFFICE, "203.0.113.67", at=timezone.now()))
        complained(registration.reference, "entry", OFFICE)
        assert contesting.name_is_contested(registration) and not contesting.name_is_contested(firm)
