"""What the contact that a list has for a company's number hears after the grant, and its no that needs no account."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.applicant import representing
from rahdari.apply.models import Application
from rahdari.checks import contacts
from rahdari.complaint import actions as complaints
from rahdari.complaint import contesting
from rahdari.complaint import queries as complaint_queries
from rahdari.complaint.models import Complaint
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import Organisation, User
from rahdari.register import actions as register_acts
from rahdari.register import queries as register
from rahdari.register.models import Registration
from tests.builders.cases import DAY, HOUR, NOW, an_officer
from tests.builders.drafts import a_person

from .test_representing import COMPANIES, NAME, NUMBER, OFFICE, browser_of, imported, sent, whose
from .test_representing import rosters as rosters

pytestmark = pytest.mark.django_db


def told() -> list[Letter]:
    return list(Letter.objects.filter(template="contact_acts").order_by("written_at", "id"))


def granted_to_colleague(at: dt.datetime = NOW) -> Application:
    """The contact says yes to somebody of the company, who is registered."""
    application = sent("employee@mail.example", at=at)
    assert contacts.answer_as_contact(check=whose(application), agrees=True, now=at)
    workflow.advance(now=at)
    application.refresh_from_db()
    assert application.status == "granted"
    return application


def organisation_of(application: Application) -> Organisation:
    return Organisation.objects.get(pk=application.organisation_id)


class TestTheContact:
    def test_hears_of_the_first_grant_and_who_owns_the_organisation(self) -> None:
        granted_to_colleague()
        (letter,) = told()
        registration = Registration.objects.get()
        assert letter.address == OFFICE and registration.reference in letter.text
        assert "employee@mail.example" in letter.text and "/number/" in letter.text

    def test_hears_of_what_is_done_later_in_one_letter_a_day(self) -> None:
        first = granted_to_colleague()
        ours, actor = organisation_of(first), f"person:{first.applicant_id}"
        sent("", "203.0.113.67", user=first.applicant, at=NOW + HOUR)
        eve = a_person("eve@mail.example")
        people.add_member(organisation=ours, user=eve, role="owner", actor=actor, now=NOW + 2 * HOUR)
        people.remove_member(organisation=ours, user=first.applicant, actor=actor, now=NOW + 3 * HOUR)
        workflow.advance(now=NOW + 4 * HOUR)
        assert len(told()) == 1
        workflow.advance(now=NOW + DAY + HOUR)
        workflow.advance(now=NOW + 3 * DAY)
        _first, letter = told()
        assert Registration.objects.count() == 2
        for word in ("was entered", "another owner was added", "is no owner any more", "eve@mail.example"):
            assert word in letter.text
        assert "employee@mail.example" not in letter.text

    def test_hears_of_an_act_that_began_before_a_letter_and_came_after_it(self) -> None:
        first = granted_to_colleague(NOW + HOUR)
        ours, eve = organisation_of(first), a_person("eve@mail.example")
        assert len(told()) == 1
        people.add_member(
            organisation=ours, user=eve, role="owner", actor="p", now=NOW + HOUR - dt.timedelta(seconds=1)
        )
        workflow.advance(now=NOW + 2 * DAY)
        assert "another owner was added" in told()[-1].text and len(told()) == 2

    def test_hears_that_its_own_account_was_removed_or_is_another_persons_to_direct(self) -> None:
        first = sent(OFFICE)
        workflow.advance(now=NOW)
        assert not told(), "what the contact did itself it is not told of"
        ours, eve = organisation_of(first), a_person("eve@mail.example")
        people.add_member(organisation=ours, user=eve, role="owner", actor=f"person:{first.applicant_id}", now=NOW)
        workflow.advance(now=NOW + 2 * DAY)
        assert not told()
        for act in (people.change_role, people.remove_member):
            given: dict[str, Any] = {"role": "viewer"} if act == people.change_role else {}
            at = NOW + 3 * DAY
            act(organisation=ours, user=first.applicant, actor=f"person:{eve.pk}", now=at, **given)
        workflow.advance(now=NOW + 4 * DAY)
        (letter,) = told()
        assert "given another role" in letter.text and "with your address was removed" in letter.text

    def test_hears_of_another_name_and_of_an_agent(self) -> None:
        ours = organisation_of(granted_to_colleague())
        given: dict[str, Any] = {"company_number": NUMBER, "ntn": "", "actor": "p", "now": NOW + DAY}
        people.describe_organisation(organisation=ours, name="Sample ” Bank", **given)
        given = {"valid_until": NOW + 90 * DAY, "actor": "p", "now": NOW + DAY}
        agent = {"email": "agent@mail.example", "agent_name": "Sample Agent", "scope": "apply"}
        offered = people.give_mandate(organisation=ours, **agent, **given)
        people.accept_mandate(user=a_person("agent@mail.example"), mandate=offered, actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + 2 * DAY)
        letter = told()[-1]
        assert "was changed" in letter.text and "an agent accepted" in letter.text and "“Sample ’ Bank”" in letter.text

    def test_is_not_told_of_what_weighs_little_nor_where_nothing_is_registered(self) -> None:
        stranger = a_person("eve@mail.example")
        common: dict[str, Any] = {"actor": "p", "now": NOW}
        ours = people.register_organisation(owner=stranger, name=NAME, company_number=NUMBER, **common)
        people.add_member(organisation=ours, user=a_person("two@mail.example"), role="owner", **common)
        workflow.advance(now=NOW)
        assert not told()
        first = organisation_of(granted_to_colleague())
        people.add_member(organisation=first, user=a_person("three@mail.example"), actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + 3 * DAY)
        assert len(told()) == 1

    def test_of_two_companies_gets_one_letter_a_day(self, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"{COMPANIES}0000744,Sample Bank Ltd,active,{OFFICE},,\n")
        imported(tmp_path, "active_taxpayers", f"number,name\n0000482,{NAME}\n0000744,Sample Bank Ltd\n")
        granted_to_colleague()
        theirs = {"name": "Sample Bank Ltd", "company_number": "0000744", "ntn": "0000744"}
        second = sent("clerk@mail.example", "203.0.113.68", **theirs)
        assert contacts.answer_as_contact(check=whose(second), agrees=True, now=NOW)
        workflow.advance(now=NOW)
        assert register.registration_from(second.subject) is not None and len(told()) == 1
        workflow.advance(now=NOW + DAY + 2 * HOUR)
        assert len(told()) == 2


class TestThePageBehindItsLink:
    @pytest.fixture
    def registration(self) -> Registration:
        found = register.registration_from(granted_to_colleague(timezone.now()).subject)
        assert found is not None
        return found

    def link(self) -> str:
        check = whose(Application.objects.get(status="granted"))
        link = contacts.link_while_registered(check, OFFICE)
        assert link in told()[-1].text
        return link

    def test_shows_what_is_registered_and_changes_nothing_before_the_no_is_confirmed(
        self, registration: Registration, client: Client
    ) -> None:
        link = self.link()
        for place in (link, f"{link}?no={registration.reference}"):
            page = client.get(place, headers={"accept-language": "en"}).text
            assert registration.reference in page and "employee@mail.example" in page
        assert "Confirm: this registration is not from us" in page
        assert not contesting.name_is_contested(registration) and not Complaint.objects.exists()

    def test_takes_a_no_that_contests_the_name_and_goes_to_an_officer_and_takes_it_back(
        self, registration: Registration, client: Client
    ) -> None:
        link, given = self.link(), {"registration": registration.reference}
        for contested in (True, True, False, False, True, False):
            client.post(link, given | {"contested": "yes" if contested else "no"})
            assert contesting.name_is_contested(registration) is contested
            check = client.get("/check/", {"number": registration.reference, "name": NAME}).text
            assert ("The name is contested" in check) is contested
            page = client.get(link, headers={"accept-language": "en"}).text
            assert ("Withdraw the no" in page) is contested
        complaint = Complaint.objects.get()
        assert (complaint.about, complaint.registration, complaint.email) == ("entry", registration, OFFICE)
        assert complaint.state == "open" and register.has_registration(registration.holder)
        asked = Letter.objects.filter(template="complaint_to_answer")
        assert [each.to for each in asked] == [User.objects.get(email="employee@mail.example")]
        desk = browser_of(an_officer()).get(reverse("complaint:complaint", args=[complaint.reference])).text
        assert "withdrew the objection" in desk
        # A new no after the decision is a new complaint.
        later = timezone.now() + 90 * DAY
        complaints.let_answer_lapse(now=later)
        outcome: dict[str, Any] = {"outcome": "not_founded", "why": "It is theirs.", "now": later}
        complaints.decide(complaint=complaint, officer=an_officer("second"), **outcome)
        client.post(link, given | {"contested": "yes"})
        assert Complaint.objects.count() == 2 and contesting.name_is_contested(registration)

    def test_is_for_who_is_the_contact_now_and_for_its_own_number(
        self, registration: Registration, client: Client, tmp_path: Path
    ) -> None:
        link, other = self.link(), sent("crook@mail.example", "203.0.113.68", company_number="0000731")
        assert client.get(contacts.link_while_registered(whose(other), OFFICE)).status_code == 404
        assert client.get(f"{link[:-2]}a/").status_code == 404
        client.post(link, {"registration": "RD-4F7K-92MQ", "contested": "yes"})
        assert not Complaint.objects.exists()
        imported(tmp_path, "companies", f"number,name,status,email\n{NUMBER},{NAME},active,new@softwarehouse.example\n")
        assert client.get(link).status_code == 404

    def test_works_as_long_as_something_is_registered_and_some_time_after(
        self, registration: Registration, client: Client
    ) -> None:
        check = whose(Application.objects.get(status="granted"))
        token = self.link().rstrip("/").rpartition("/")[2]
        late = registration.valid_until
        assert contacts.check_of_link(id=check.pk, token=token, now=late) is None
        assert representing.lasting(check.pk, token, late) is not None
        register_acts.expire_due(now=late + 90 * DAY)
        registration.refresh_from_db()
        assert registration.expired_at is not None
        assert representing.lasting(check.pk, token, registration.expired_at + 59 * DAY) is not None
        assert representing.lasting(check.pk, token, registration.expired_at + 61 * DAY) is None


def test_what_the_contact_says_is_read_by_the_holder_as_somebody_elses_words() -> None:
    registration = register.registration_from(granted_to_colleague(timezone.now()).subject)
    assert registration is not None
    said: dict[str, Any] = {"email": OFFICE, "language": "en", "now": timezone.now()}
    complaint = complaints.contest_by_contact(registration=registration, **said)
    assert complaints.contest_by_contact(registration=registration, **said) == complaint
    assert [each.reference for each in complaint_queries.to_answer(registration)] == [complaint.reference]
