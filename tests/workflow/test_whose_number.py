"""What was shown for a number counts for that person and that number: nobody gets another company's by it."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from rahdari import workflow
from rahdari.apply import drafts, renewal, subjects
from rahdari.apply.models import Application
from rahdari.checks import contacts
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.register import queries as register
from tests.builders.cases import DAY, HOUR, NOW
from tests.builders.drafts import a_person

from .test_representing import (
    COMPANIES,
    NAME,
    NUMBER,
    OFFICE,
    imported,
    proved_and_sent,
    rosters,
    sent,
    sent_by_agent,
    whose,
)

__all__ = ["rosters"]

pytestmark = pytest.mark.django_db


def drafted(user: User, name: str, number: str, at: dt.datetime = NOW) -> Application:
    common: dict[str, Any] = {"actor": f"person:{user.pk}", "now": at}
    draft = drafts.start_application(applicant=user, service="vpn_company", fixed_address="yes", **common)
    common["application"] = draft
    drafts.save_company(name=name, company_number=number, ntn=number, **common)
    drafts.save_contact(name="Sample Manager", mobile="+923001234567", **common)
    return Application.objects.get(pk=draft.pk)


class TestAnotherNameForTheSameOrganisation:
    """Somebody really is the contact of one company, and wants to be registered as another."""

    STUDIO, STUDIO_NUMBER, MAIL = "Sample Studio (Pvt) Ltd", "0000906", "studio@mail.example"

    @pytest.fixture(autouse=True)
    def studio(self, tmp_path: Path, rosters: None) -> None:
        own = f"{self.STUDIO_NUMBER},{self.STUDIO},active,{self.MAIL},,\n"
        imported(tmp_path, "companies", COMPANIES + own)
        taxpayers = f"number,name\n0000482,{NAME}\n{self.STUDIO_NUMBER},{self.STUDIO}\n"
        imported(tmp_path, "active_taxpayers", taxpayers)

    def own(self, user: User) -> Application:
        return proved_and_sent(drafted(user, self.STUDIO, self.STUDIO_NUMBER), "203.0.113.90", NOW)

    def test_in_a_second_draft_leaves_the_first_ones_organisation_as_it_was(self) -> None:
        user = a_person(self.MAIL)
        first = drafted(user, self.STUDIO, self.STUDIO_NUMBER)
        second = drafted(user, self.STUDIO, self.STUDIO_NUMBER)
        assert first.organisation == second.organisation
        drafts.save_company(
            application=second, name=NAME, company_number=NUMBER, ntn=NUMBER, actor=f"person:{user.pk}", now=NOW
        )
        sent_first = proved_and_sent(first, "203.0.113.90", NOW)
        assert sent_first.status == "granted" and sent_first.organisation is not None
        assert (sent_first.organisation.name, sent_first.organisation.company_number) == (
            self.STUDIO,
            self.STUDIO_NUMBER,
        )
        sent_second = proved_and_sent(Application.objects.get(pk=second.pk), "203.0.113.91", NOW + HOUR)
        assert sent_second.organisation != sent_first.organisation
        assert (sent_second.status, whose(sent_second).outcome) == ("submitted", "waiting")

    def test_is_not_what_a_change_may_give(self) -> None:
        user = a_person(self.MAIL)
        granted = self.own(user)
        registration = register.registration_from(granted.subject)
        assert registration is not None
        change = renewal.apply_again(
            registration=registration, applicant=user, about="change", actor=f"person:{user.pk}", now=NOW + HOUR
        )
        with pytest.raises(drafts.OtherCompany):
            drafts.save_company(
                application=change, name=NAME, company_number=NUMBER, ntn="", actor=f"person:{user.pk}", now=NOW + HOUR
            )

    def test_that_was_only_written_first_is_not_on_the_registration(self) -> None:
        user = a_person(self.MAIL)
        # Its name is not that of the number, so this one goes to an officer.
        assert proved_and_sent(drafted(user, NAME, self.STUDIO_NUMBER), "203.0.113.90", NOW).status == "submitted"
        granted = proved_and_sent(drafted(user, self.STUDIO, self.STUDIO_NUMBER), "203.0.113.91", NOW)
        registration = register.registration_from(granted.subject)
        assert granted.status == "granted" and registration is not None and granted.organisation is not None
        assert subjects.holder_name_of(registration) == self.STUDIO
        assert granted.organisation.name == self.STUDIO

    def test_does_not_shut_out_the_contact_on_the_list(self) -> None:
        manager = sent("manager@softwarehouse.example")
        assert contacts.answer_as_contact(check=whose(manager), agrees=True, now=NOW + HOUR)
        workflow.advance(now=NOW + HOUR)
        assert register.registration_from(manager.subject) is not None
        contact = sent(OFFICE, "203.0.113.67", at=NOW + DAY)
        assert (whose(contact).finding, contact.status) == ("mail_of_contact", "granted")


class TestAMemberWhoShowedIt:
    def test_speaks_for_themselves_and_not_for_whoever_asked_them_in(self) -> None:
        crook = a_person("crook@mail.example")
        draft = drafted(crook, NAME, NUMBER)
        organisation = draft.organisation
        assert organisation is not None
        employee = a_person("manager@softwarehouse.example")
        people.add_member(organisation=organisation, user=employee, role="manager", actor="p", now=NOW)
        honest = sent("", user=employee)
        assert honest.organisation == organisation
        assert contacts.answer_as_contact(check=whose(honest), agrees=True, now=NOW)
        workflow.advance(now=NOW)
        assert whose(honest).finding == "contact_agrees"
        false = proved_and_sent(draft, "203.0.113.67", NOW + HOUR)
        assert (false.status, whose(false).outcome) == ("submitted", "waiting")
        # The same for what changes the registration.
        registration = register.registration_from(honest.subject)
        assert registration is not None
        change = renewal.apply_again(
            registration=registration, applicant=crook, about="change", actor="p", now=NOW + HOUR
        )
        changed = proved_and_sent(change, "203.0.113.68", NOW + 2 * HOUR)
        assert whose(changed).outcome == "waiting"

    def test_who_is_the_only_owner_speaks_for_those_whom_they_let_in(self) -> None:
        first = sent(OFFICE)
        colleague = a_person("colleague@mail.example")
        assert first.organisation is not None
        people.add_member(organisation=first.organisation, user=colleague, role="manager", actor="p", now=NOW)
        theirs = sent("", "203.0.113.67", user=colleague, at=NOW + DAY)
        assert (whose(theirs).finding, theirs.status) == ("represents_already", "granted")

    def test_as_an_agent_alone_shows_nothing_of_the_organisation(self) -> None:
        crook = a_person("crook@mail.example")
        organisation = drafted(crook, NAME, NUMBER).organisation
        assert organisation is not None
        assert whose(sent_by_agent(organisation, "manager@softwarehouse.example")).outcome == "waiting"
