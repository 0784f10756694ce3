"""What was shown for a number counts for that person and that number: nobody gets another company's by it."""

import datetime as dt
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from rahdari import workflow
from rahdari.applicant import representing
from rahdari.apply import drafts, renewal, subjects
from rahdari.apply.models import Application
from rahdari.attest import queries as attestations
from rahdari.attest.models import AttestationUse
from rahdari.attest.rules import Identifier
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks import words as check_words
from rahdari.checks.models import Check
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.register import queries as register
from tests.builders.attestations import an_attestation
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
TOLD = import_module("rahdari.attest.migrations.0003_told_when_shown")


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


class TestASecondOrganisationWithoutTheYesOfTheFirst:
    @pytest.mark.parametrize("says_no", [True, False])
    @pytest.mark.parametrize(
        ("email", "found"), [("manager@softwarehouse.example", "tie_to_weigh"), ("manager@mail.example", "not_shown")]
    )
    def test_goes_to_an_officer_in_its_time_without_that_yes(self, email: str, found: str, says_no: bool) -> None:
        """The no changes nothing for the applicant, and the officer reads of it, and of what was shown."""
        sent(OFFICE)
        second = sent(email, "203.0.113.67", at=NOW + DAY)
        if says_no:
            assert contacts.answer_as_representative(check=whose(second), agrees=False, actor="p", now=NOW + DAY)
            assert not contacts.answer_as_representative(check=whose(second), agrees=True, actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert (whose(second).outcome, decisions.case_of(second)) == ("waiting", None)
        workflow.advance(now=NOW + 9 * DAY)
        check = whose(second)
        assert (check.outcome, check.finding, check.reason_code) == ("failed", found, "")
        assert check.evidence.get("tie") == ("mail_at_domain" if found == "tie_to_weigh" else None)
        assert ("answered no" if says_no else "have not answered") in check_words.of_holders(check)
        case = decisions.case_of(second)
        assert case is not None and (case.status, case.lane) == ("open", "review")

    @pytest.mark.parametrize("says_no", [True, False])
    def test_is_not_granted_by_a_code_from_the_contact_which_an_officer_weighs(self, says_no: bool) -> None:
        sent(OFFICE)
        second = sent("manager@mail.example", "203.0.113.67", at=NOW + DAY)
        if says_no:
            contacts.answer_as_representative(check=whose(second), agrees=False, actor="p", now=NOW + DAY)
        given: dict[str, Any] = {"channel": "email", "holder": NAME, "language": "en", "actor": "p", "now": NOW + DAY}
        contacts.send_code(check=whose(second), number=NUMBER, asked_by=second.applicant, **given)
        code = contacts.code_of(whose(second))
        contacts.try_code(check=whose(second), given=code, actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        check = whose(second)
        assert (check.finding, check.evidence["tie"]) == ("tie_to_weigh", "code_from_contact")
        assert decisions.case_of(second) is not None and register.registration_from(second.subject) is None
        # Whoever is registered may still say yes, until an officer has found out.
        assert contacts.answer_as_representative(check=check, agrees=True, actor="p", now=NOW + 2 * DAY) is not says_no
        workflow.advance(now=NOW + 2 * DAY)
        assert (register.registration_from(second.subject) is None) is says_no

    def test_does_not_take_the_question_from_the_registered_one_by_going_to_an_officer_at_once(self) -> None:
        first = sent(OFFICE)
        second = sent("crook@mail.example", "203.0.113.67", at=NOW + DAY)
        representing.leave(second, whose(second), actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert decisions.case_of(second) is not None
        [question] = representing.questions_to(first.applicant)
        assert question.application == second
        assert contacts.answer_as_representative(check=question.check, agrees=False, actor="p", now=NOW + 2 * DAY)
        assert not representing.questions_to(first.applicant) and whose(second).finding == "not_shown"

    def test_under_a_number_on_no_list_is_for_an_officer_at_once_or_the_yes_of_the_first(self, tmp_path: Path) -> None:
        first = sent(OFFICE)
        imported(tmp_path, "companies", "number,name\n0000744,Sample Other House\n")
        second = sent("manager@mail.example", "203.0.113.67", at=NOW + DAY)
        assert whose(second).finding == "not_shown" and decisions.case_of(second) is not None
        # Nobody is tied to a number that no list has but who showed it before.
        [question] = representing.questions_to(first.applicant)
        assert contacts.answer_as_representative(check=question.check, agrees=True, actor="p", now=NOW + DAY)
        assert whose(second).finding == "representative_agrees"


class TestWhatAnAssociationAttestsOfACompany:
    def attested(self, application: Application) -> tuple[str, bool]:
        """What the check found, and whether the applicant is told of it."""
        check = checks.checks_of(application.subject).get(kind="attestation")
        return check.finding, attestations.theirs(application.applicant).exists()

    def test_is_told_and_counts_when_the_applicant_is_shown_to_apply_for_it(self) -> None:
        an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name=NAME, now=NOW)
        application = sent("manager@mail.example")
        check = checks.checks_of(application.subject).get(kind="attestation")
        assert self.attested(application) == ("attested_not_shown", False)
        assert not contacts.is_told(check) and check.reason_code == ""
        given: dict[str, Any] = {"number": NUMBER, "channel": "email", "holder": NAME, "language": "en"}
        by: dict[str, Any] = {"actor": "p", "now": NOW}
        contacts.send_code(check=whose(application), asked_by=application.applicant, **given, **by)
        contacts.try_code(check=whose(application), given=contacts.code_of(whose(application)), **by)
        workflow.advance(now=NOW)
        application.refresh_from_db()
        assert (self.attested(application), application.status) == (("attested", True), "granted")

    @pytest.mark.parametrize(
        ("given", "finding", "says"),
        [
            ({"valid_from": NOW.date() + 9 * DAY}, "attestation_not_yet", "is valid from 25 November 2026 on"),
            (
                {"valid_from": NOW.date() - 9 * DAY, "valid_until": NOW.date() - DAY},
                "attestation_over",
                "was valid until",
            ),
            ({"name": "Placeholder Studio"}, "attested_another_name", "under another name"),
            ({"claim": "freelancer"}, "attestation_no_weight", "does not count for this application"),
        ],
    )
    def test_that_does_not_count_is_told_as_it_is(self, given: dict[str, Any], finding: str, says: str) -> None:
        """It is tied to the applicant by the address; of the company's number alone officers read."""
        usual: dict[str, Any] = {"claim": "it_company", "name": NAME, "now": NOW}
        an_attestation(identifier=Identifier("company", NUMBER), **usual)
        found = an_attestation(identifier=Identifier("email", "named@mail.example"), **usual | given)
        application = sent("named@mail.example")
        check = checks.checks_of(application.subject).get(kind="attestation")
        assert (check.outcome, check.finding, check.evidence["attestation"]) == ("failed", finding, found.number)
        assert says in re.sub("<[^>]+>", "", check_words.of_check(check))

    def test_counts_no_more_when_its_contact_says_no(self) -> None:
        an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name=NAME, now=NOW)
        application = sent("manager@mail.example", proved=False)
        contacts.begin(whose(application))
        contacts.answer_as_contact(check=whose(application), agrees=True, now=NOW)
        workflow.advance(now=NOW)
        assert self.attested(application) == ("attested", True)
        contacts.answer_as_contact(check=whose(application), agrees=False, now=NOW + HOUR)
        workflow.advance(now=NOW + HOUR)
        assert self.attested(application) == ("attested_not_shown", False)

    def test_before_it_was_asked_who_is_told_follows_from_what_is_on_record(self) -> None:
        """The data step of the migration, on uses and checks of which nothing says what ties the applicant to them."""
        an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name=NAME, now=NOW)
        an_attestation(claim="it_company", identifier=Identifier("email", "named@mail.example"), name=NAME, now=NOW)
        stranger, office, named = (
            sent(mail, f"203.0.113.{71 + each}")
            for each, mail in enumerate(("crook@mail.example", OFFICE, "named@mail.example"))
        )
        tied = {use.subject: use.tie for use in AttestationUse.objects.all()}
        wanted = {stranger.subject: "", office.subject: "represents", named.subject: "address"}
        assert {subject: tied.get(subject) for subject in wanted} == wanted
        AttestationUse.objects.update(tie="")
        for check in Check.objects.filter(kind="attestation"):
            check.evidence.pop("shown_by", None)
            check.save(update_fields=["evidence"])
        with connection.cursor() as cursor:
            cursor.execute(TOLD.SHOWN)
        assert {use.subject: use.tie for use in AttestationUse.objects.all()} == tied
        for each in (stranger, office, named):
            check = checks.checks_of(each.subject).get(kind="attestation")
            assert contacts.is_told(check) == bool(wanted[each.subject])


class TestAStrangerWhoOwnsTheOrganisation:
    def test_is_not_let_in_by_a_yes_of_the_contact_to_a_colleague(self, client: Client) -> None:
        """The contact reads who owns the organisation, and an officer looks after the yes."""
        stranger, colleague = a_person("eve@mail.example", name="Eve ” is known"), a_person("employee@mail.example")
        common: dict[str, Any] = {"actor": f"person:{stranger.pk}", "now": NOW}
        ours = people.register_organisation(owner=stranger, name=NAME, company_number=NUMBER, **common)
        people.add_member(organisation=ours, user=colleague, role="manager", **common)
        application = sent("", user=colleague, at=timezone.now())
        letter, link = Letter.objects.get(template="contact_told"), contacts.link_of(whose(application))
        page = client.get(link).text
        for text in (letter.html, page):
            assert "eve@mail.example" in text and "“<bdi>Eve ’ is known</bdi>”" in text
        assert "an officer looks" in page
        client.post(link, {"about": str(whose(application).pk), "answer": "yes"})
        workflow.advance(now=timezone.now())
        application.refresh_from_db()
        assert (whose(application).finding, application.status) == ("contact_agrees_for_one", "submitted")
        assert decisions.case_of(application) is not None

    @pytest.mark.parametrize("email", ["guest@softwarehouse.example", "manager@mail.example"])
    def test_is_not_let_in_behind_somebody_who_had_shown_the_number(self, email: str) -> None:
        """The stranger came to own the organisation after the code was sent, or the contact told."""
        application = sent(email)
        assert application.organisation is not None
        given: dict[str, Any] = {"by": application.applicant, "actor": "p", "now": NOW}
        if email == "manager@mail.example":
            representing.send(application, whose(application), "email", **given)
        stranger = a_person("eve@mail.example")
        people.add_member(organisation=application.organisation, user=stranger, role="owner", actor="p", now=NOW)
        if email == "manager@mail.example":
            code = contacts.code_of(whose(application))
            representing.take_code(application, whose(application), code, actor="p", now=NOW)
        workflow.advance(now=NOW + 9 * DAY)
        application.refresh_from_db()
        assert (whose(application).finding, application.status) == ("not_shown", "submitted")
