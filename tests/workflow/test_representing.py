"""Whose number it is: a number that everybody can read registers nobody by itself, and those who have it are told."""

import datetime as dt
import ipaddress
import re
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.applicant import representing
from rahdari.apply import drafts, parts, renewal, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.attest import queries as attestations
from rahdari.attest import requests
from rahdari.attest.rules import Identifier
from rahdari.checks import contacts
from rahdari.checks import queries as checks
from rahdari.checks import rosters as checks_rosters
from rahdari.checks.models import Check
from rahdari.control import challenges, registries, rules
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import assignment, granting
from rahdari.decide import queries as decisions
from rahdari.decide.models import Decision
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.people import mandates
from rahdari.people.models import Organisation, User
from rahdari.register import actions as register_acts
from rahdari.register import queries as register
from rahdari.workflow import entering
from tests.builders.attestations import an_attestation
from tests.builders.cases import DAY, HOUR, NOW, an_officer
from tests.builders.drafts import a_person

pytestmark = pytest.mark.django_db
# The time of the check, and what is new in each page.
VARIES = re.compile(r"Checked on [^<]*|(csrfmiddlewaretoken|nonce)[^>]*")
NAME, NUMBER = "Sample Software House (Pvt) Ltd", "0000482"
OFFICE = "office@softwarehouse.example"
# A number, a name and a tax number, as anybody can read them.
COMPANIES = f"number,name,status,email,mobile,domain\n{NUMBER},{NAME},active,{OFFICE},,softwarehouse.example\n"


def imported(folder: Path, name: str, content: str) -> None:
    path = folder / f"{name}.csv"
    path.write_text(content, encoding="utf-8")
    checks_rosters.import_roster(name=name, path=path, now=NOW, actor="system:test", processes=1)


@pytest.fixture(autouse=True)
def rosters(tmp_path: Path) -> None:
    imported(tmp_path, "companies", COMPANIES)
    imported(tmp_path, "active_taxpayers", f"number,name\n0000482,{NAME}\n")


def sent(
    email: str,
    block: str = "203.0.113.66",
    *,
    user: User | None = None,
    at: dt.datetime = NOW,
    advances: bool = True,
    proved: bool = True,
    **given: Any,
) -> Application:
    """A company's application, proved from its address, as its applicant sends it."""
    user = user or a_person(email)
    actor = f"person:{user.pk}"
    common: dict[str, Any] = {"actor": actor, "now": at}
    draft = drafts.start_application(applicant=user, service="vpn_company", fixed_address="yes", **common)
    common["application"] = draft
    drafts.save_company(**{"name": NAME, "company_number": NUMBER, "ntn": "0000482", **given}, **common)
    drafts.save_contact(name="Sample Manager", mobile="+923001234567", **common)
    return proved_and_sent(draft, block, at, advances=advances, proved=proved)


def proved_and_sent(
    draft: Application, block: str, at: dt.datetime, *, advances: bool = True, proved: bool = True
) -> Application:
    actor = f"person:{draft.applicant_id}"
    endpoint = parts.add_endpoint(application=draft, block=block, runs="wireguard", actor=actor, now=at)
    challenge = challenges.open_challenge(
        subject=endpoint.subject,
        block=ipaddress.ip_network(block),
        method=Method.LINK,
        valid_for=DAY,
        now=at,
    )
    if proved:
        challenges.open_link(token=proofs.link_token(challenge), address=ipaddress.ip_address(block), now=at)
    sending.submit_application(
        application=Application.objects.get(pk=draft.pk), policy=applications.policy_in_force(), actor=actor, now=at
    )
    if advances:
        workflow.advance(now=at)
    return Application.objects.get(pk=draft.pk)


def sent_by_agent(organisation: Organisation, email: str) -> Application:
    """An application that somebody sends for the organisation under a mandate."""
    agent = a_person(email)
    mandate = mandates.give_mandate(
        organisation=organisation,
        email=agent.email,
        agent_name="Sample Agent",
        scope="apply",
        valid_until=NOW + 90 * DAY,
        actor="p",
        now=NOW,
    )
    mandates.accept_mandate(user=agent, mandate=mandate, actor="p", now=NOW)
    mandate.refresh_from_db()
    common: dict[str, Any] = {"actor": f"person:{agent.pk}", "now": NOW}
    draft = drafts.start_application(
        applicant=agent, service="vpn_company", fixed_address="yes", mandate=mandate, **common
    )
    drafts.save_contact(application=draft, name="Agent", mobile="+923001234567", **common)
    return proved_and_sent(draft, "203.0.113.69", NOW)


def whose(application: Application) -> Check:
    return checks.checks_of(application.subject).get(kind="represents")


def letters_to(user: User) -> list[str]:
    return list(Letter.objects.filter(to=user).order_by("written_at", "id").values_list("template", flat=True))


def browser_of(user: User) -> Client:
    found = Client(headers={"accept-language": "en"})
    found.force_login(user)
    return found


def granted_before(application: Application) -> int:
    """For the facts of a case: how many were granted to this holder, or with this number."""
    (counted,) = decisions.decided_before(application)
    return int(counted["granted"])


class TestACompanyThatAnybodyCanName:
    """Before this check, name, number and tax number of a listed company were registered for whoever typed them."""

    def test_is_not_registered_for_a_stranger_and_goes_to_an_officer_at_last(self) -> None:
        crook = sent("crook@mail.example")
        assert crook.status == "submitted" and register.registration_from(crook.subject) is None
        assert (whose(crook).outcome, whose(crook).facts["channels"]) == ("waiting", ["email"])
        assert "represents_missing" in letters_to(crook.applicant)
        workflow.advance(now=NOW + 9 * DAY)
        assert (whose(crook).outcome, whose(crook).finding, whose(crook).reason_code) == ("failed", "not_shown", "")
        case = decisions.case_of(crook)
        assert case is not None and case.lane == "review"
        assert register.registration_from(crook.subject) is None

    def test_is_registered_at_once_for_whoever_signs_in_with_the_listed_address(self) -> None:
        application = sent(OFFICE)
        assert (whose(application).finding, application.status) == ("mail_of_contact", "granted")
        assert register.registration_from(application.subject) is not None
        assert "represents_missing" not in letters_to(application.applicant)

    def test_is_registered_for_an_address_at_the_domain_once_the_contact_had_time_to_say_no(self) -> None:
        application = sent("guest@softwarehouse.example")
        check = whose(application)
        assert (check.outcome, application.status) == ("waiting", "submitted")
        letter = Letter.objects.get(template="contact_told")
        assert letter.address == OFFICE and "guest@softwarehouse.example" in letter.text
        assert contacts.link_of(check) in letter.text
        workflow.advance(now=dt.datetime.fromisoformat(check.facts["until"]) - HOUR)
        assert whose(application).outcome == "waiting"
        workflow.advance(now=dt.datetime.fromisoformat(check.facts["until"]))
        application.refresh_from_db()
        assert (whose(application).finding, application.status) == ("mail_at_domain", "granted")

    def test_waits_for_nobody_where_the_list_names_no_mailbox(self, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"number,name,domain\n{NUMBER},{NAME},softwarehouse.example\n")
        assert sent("manager@softwarehouse.example").status == "granted"
        assert not Letter.objects.filter(template="contact_told").exists()

    @pytest.mark.parametrize(
        ("email", "agrees", "found", "status"),
        [
            ("guest@softwarehouse.example", False, ("failed", "contact_denies"), "submitted"),
            ("guest@softwarehouse.example", True, ("passed", "contact_agrees"), "granted"),
            ("crook@mail.example", False, ("failed", "contact_denies"), "submitted"),
            ("employee@mail.example", True, ("passed", "contact_agrees"), "granted"),
        ],
    )
    def test_goes_by_the_word_of_the_contact(
        self, email: str, agrees: bool, found: tuple[str, str], status: str
    ) -> None:
        application = sent(email)
        assert contacts.answer_as_contact(check=whose(application), agrees=agrees, now=NOW + HOUR)
        assert not contacts.answer_as_contact(check=whose(application), agrees=True, now=NOW + HOUR)
        workflow.advance(now=NOW + HOUR)
        workflow.advance(now=NOW + 9 * DAY)
        application.refresh_from_db()
        assert ((whose(application).outcome, whose(application).finding), application.status) == (found, status)
        assert (decisions.case_of(application) is not None) and whose(application).reason_code == ""

    def test_of_a_stranger_who_goes_on_without_the_code_is_told_to_the_contact_who_can_say_no(self) -> None:
        application = sent("crook@mail.example")
        representing.leave(application, whose(application), actor="p", now=NOW)
        workflow.advance(now=NOW)
        letter = Letter.objects.get(template="contact_told")
        assert letter.address == OFFICE and "crook@mail.example" in letter.text
        assert contacts.answer_as_contact(check=whose(application), agrees=False, now=NOW + HOUR)
        assert whose(application).finding == "contact_denies" and decisions.case_of(application) is not None

    def test_of_a_stranger_who_lets_the_time_pass_is_told_to_the_contact(self) -> None:
        sent("crook@mail.example")
        workflow.advance(now=NOW + 9 * DAY)
        assert Letter.objects.filter(template="contact_told", to=None).count() == 1

    @pytest.mark.parametrize("email", ["manager@softwarehouse.example.evil.example", "m@sub.softwarehouse.example"])
    def test_is_not_for_an_address_at_a_domain_like_it(self, email: str) -> None:
        assert sent(email).status == "submitted"

    def test_is_not_for_everybody_at_a_free_mail_service_that_the_list_names(self, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"number,name,email,domain\n{NUMBER},{NAME},{OFFICE},gmail.com\n")
        assert sent("crook@gmail.com").status == "submitted"

    def test_is_registered_once_the_code_from_the_contact_came_back(self) -> None:
        application = sent("manager@mail.example")
        check, user = whose(application), application.applicant
        contacts.send_code(
            check=check, number=NUMBER, channel="email", holder=NAME, asked_by=user, language="en", actor="p", now=NOW
        )
        letter = Letter.objects.get(template="represents_code")
        code = contacts.code_of(whose(application))
        assert letter.address == OFFICE and code in letter.text and "manager@mail.example" in letter.text
        with pytest.raises(registries.CodeNotTaken, match="wrong"):
            contacts.try_code(check=check, given="aaaa-bbbb", actor="p", now=NOW)
        contacts.try_code(check=check, given=f" {code.upper()} ", actor="p", now=NOW)
        workflow.advance(now=NOW + HOUR)
        application.refresh_from_db()
        assert (whose(application).finding, application.status) == ("code_from_contact", "granted")

    def test_with_no_contact_on_the_list_goes_to_an_officer_at_once(self, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"number,name\n{NUMBER},{NAME}\n")
        application = sent("manager@mail.example")
        assert whose(application).finding == "not_shown" and decisions.case_of(application) is not None
        # An officer who saw a paper grants it.
        officer = an_officer()
        case = assignment.take_case(case=decisions.case_of(application), officer=officer, now=NOW)  # type: ignore[arg-type]
        assignment.record_check(
            case=case,
            officer=officer,
            check=whose(application).pk,
            outcome="passed",
            how="Resolution seen.",
            now=NOW,
        )
        granting.grant(case=case, officer=officer, now=NOW)
        workflow.advance(now=NOW)
        assert register.registration_from(application.subject) is not None

    def test_is_shown_once_and_not_asked_again_of_the_same_organisation(self) -> None:
        first = sent(OFFICE)
        again = sent(OFFICE, "203.0.113.67", user=first.applicant, at=NOW + DAY)
        assert again.organisation == first.organisation
        assert (whose(again).finding, again.status) == ("represents_already", "granted")


class TestCodesToTheContact:
    def test_are_few_whoever_asks_and_beyond_them_none_is_taken(self) -> None:
        given = {"number": NUMBER, "channel": "email", "holder": NAME, "language": "en", "actor": "p", "now": NOW}
        for count in range(rules.MOST_CODES_A_DAY + 1):
            application = sent(f"one-{count}@mail.example", f"203.0.113.{70 + count}")
            contacts.send_code(check=whose(application), asked_by=application.applicant, **given)
            assert contacts.last_sent(whose(application), NOW) == "email"
        assert Letter.objects.filter(template="represents_code").count() == rules.MOST_CODES_A_DAY
        with pytest.raises(registries.CodeNotTaken, match="wrong"):
            contacts.try_code(check=whose(application), given=contacts.code_of(whose(application)), actor="p", now=NOW)

    def test_are_not_used_up_for_others_by_one_who_asks(self) -> None:
        given = {"number": NUMBER, "channel": "email", "holder": NAME, "language": "en", "actor": "p", "now": NOW}
        mallory = sent("mallory@mail.example", "203.0.113.70")
        more = [sent("", f"203.0.113.{71 + count}", user=mallory.applicant) for count in range(2)]
        for application, taken in ((mallory, True), (more[0], True), (more[1], False), (mallory, False)):
            if taken:
                contacts.send_code(check=whose(application), asked_by=mallory.applicant, **given)
            else:
                with pytest.raises(registries.NoCodeNow, match="too_many"):
                    contacts.send_code(check=whose(application), asked_by=mallory.applicant, **given)
        honest = sent("employee@mail.example", "203.0.113.75")
        for _ in range(rules.MOST_CODES_OF_ONE):
            contacts.send_code(check=whose(honest), asked_by=honest.applicant, **given)

    def test_are_used_up_after_some_tries_and_after_a_day(self) -> None:
        application = sent("manager@mail.example")
        given = {"number": NUMBER, "channel": "email", "holder": NAME, "language": "en", "actor": "p"}
        contacts.send_code(check=whose(application), asked_by=application.applicant, now=NOW, **given)
        code = contacts.code_of(whose(application))
        with pytest.raises(registries.CodeNotTaken, match="used_up"):
            contacts.try_code(check=whose(application), given=code, actor="p", now=NOW + 2 * DAY)
        for why in ("wrong", "wrong", "wrong", "wrong", "used_up", "used_up"):
            with pytest.raises(registries.CodeNotTaken, match=why):
                contacts.try_code(check=whose(application), given="nope-nope", actor="p", now=NOW)
        with pytest.raises(registries.CodeNotTaken, match="used_up"):
            contacts.try_code(check=whose(application), given=code, actor="p", now=NOW)

    def test_say_nothing_of_the_contact_but_a_part(self) -> None:
        application = sent("manager@mail.example")
        (found,) = contacts.contacts_of(whose(application), number=NUMBER)
        assert found.masked == "o•••@softwarehouse.example"
        assert OFFICE not in str(whose(application).facts) + str(whose(application).evidence)

    def test_can_be_gone_without(self) -> None:
        application = sent("manager@mail.example")
        contacts.leave_to_officer(check=whose(application), actor="p", now=NOW)
        workflow.advance(now=NOW)
        assert whose(application).finding == "not_shown" and decisions.case_of(application) is not None


class TestTheContactOfANumber:
    """Its mailbox gets few letters, and each leads to all who apply with the number."""

    def test_has_few_letters_whoever_applies_and_nobody_goes_on_unseen(self) -> None:
        sent_ones = [sent(f"guest-{count}@softwarehouse.example", f"203.0.113.{70 + count}") for count in range(5)]
        most = contacts.MOST_TOLD_A_DAY["domain"]
        assert Letter.objects.filter(template="contact_told").count() == most
        found = [whose(each).finding or "waits" for each in sent_ones]
        assert found == ["waits"] * most + ["not_shown"] * (5 - most)

    def test_sees_everybody_behind_each_link_so_that_an_honest_one_needs_no_letter(self) -> None:
        given = {"number": NUMBER, "channel": "email", "holder": NAME, "language": "en", "actor": "p", "now": NOW}
        for count in range(rules.MOST_CODES_A_DAY):
            crook = sent(f"crook-{count}@mail.example", f"203.0.113.{70 + count}")
            contacts.send_code(check=whose(crook), asked_by=crook.applicant, **given)
        honest = sent("employee@mail.example", "203.0.113.90")
        contacts.send_code(check=whose(honest), asked_by=honest.applicant, **given)
        assert whose(honest).facts["to_nobody"]
        guest = sent("guest@softwarehouse.example", "203.0.113.91")
        contacts.send_code(check=whose(guest), asked_by=guest.applicant, **given)
        assert not whose(guest).facts["to_nobody"]
        seen = representing.applying_with_the_number(whose(crook))
        assert {honest.pk, guest.pk, crook.pk} <= {each.application.pk for each in seen} and len(seen) == 8
        assert representing.answer_as_contact(whose(crook), str(whose(honest).pk), agrees=True, now=NOW)
        workflow.advance(now=NOW)
        honest.refresh_from_db()
        assert honest.status == "granted"

    def test_answers_without_an_account_and_only_by_a_button(self, client: Client) -> None:
        application = sent("guest@softwarehouse.example", at=timezone.now())
        check, link = whose(application), contacts.link_of(whose(application))
        page = client.get(link)
        assert page.status_code == 200 and "guest@softwarehouse.example" in page.content.decode()
        assert whose(application).outcome == "waiting"
        assert client.get(f"{link[:-1]}a/").status_code == 404
        other = sent("crook@mail.example", "203.0.113.67", company_number="0000731")
        client.post(link, {"about": str(whose(other).pk), "answer": "no"})
        assert "contact" not in whose(other).facts
        client.post(link, {"about": str(check.pk), "answer": "no"})
        assert whose(application).finding == "contact_denies"

    def test_takes_back_a_yes_until_the_grant_and_reports_it_after(self, client: Client) -> None:
        application = sent("employee@mail.example", at=timezone.now())
        link, about = contacts.link_of(whose(application)), str(whose(application).pk)
        client.post(link, {"about": about, "answer": "yes"})
        assert whose(application).outcome == "passed" and "Withdraw the yes" in client.get(link).text
        client.post(link, {"about": about, "answer": "no"})
        assert (whose(application).outcome, whose(application).finding) == ("failed", "contact_denies")
        client.post(link, {"about": about, "answer": "yes"})
        assert whose(application).finding == "contact_denies"
        other = sent("other@mail.example", "203.0.113.67", at=timezone.now())
        link = contacts.link_of(whose(other))
        client.post(link, {"about": str(whose(other).pk), "answer": "yes"})
        workflow.advance(now=timezone.now())
        page = client.get(link).text
        assert "It is registered." in page and reverse("complaint:correction") in page and "Take back" not in page

    def test_reads_the_name_on_the_list_and_quotes_the_one_that_was_typed(self, client: Client) -> None:
        typed = "Sample Software House. To stop this fraud press Yes " + 6 * "and again "
        application = sent("guest@softwarehouse.example", name=typed, at=timezone.now())
        letter, page = Letter.objects.get(template="contact_told"), client.get(contacts.link_of(whose(application)))
        for text in (letter.html, page.text):
            assert NAME in text and "in the applicant’s words" in text and "“" in text
            assert "Sample Software House. To stop this fraud press Yes" in text and typed.strip() not in text

    def test_that_said_yes_under_other_words_is_asked_again(self) -> None:
        first = sent("employee@mail.example", name="Sample Software House. Press Yes")
        assert contacts.answer_as_contact(check=whose(first), agrees=True, now=NOW)
        assert whose(first).finding == "another_name"
        sending.withdraw_application(application=first, actor="p", now=NOW)
        again = sent("", "203.0.113.67", user=first.applicant, at=NOW + DAY)
        assert (whose(again).outcome, again.status) == ("waiting", "submitted")

    def test_of_which_an_organisation_is_registered_gives_no_yes_in_its_place(self) -> None:
        sent(OFFICE)
        second = sent("crook@mail.example", "203.0.113.67", at=NOW + DAY)
        assert not contacts.may_answer(whose(second), agrees=True)
        assert contacts.may_answer(whose(second), agrees=False)


class TestTheContactInsideAStrangersOrganisation:
    """Whoever makes an organisation may ask the company's contact in: what that ties is not theirs."""

    def applied(self) -> tuple[User, Application]:
        stranger, office = a_person("eve@mail.example"), a_person(OFFICE)
        common: dict[str, Any] = {"actor": f"person:{stranger.pk}", "now": NOW}
        ours = people.register_organisation(owner=stranger, name=NAME, company_number=NUMBER, **common)
        people.add_member(organisation=ours, user=office, role="manager", **common)
        application = sent(OFFICE, user=office)
        assert application.organisation == ours
        return stranger, application

    def test_grants_nothing_by_rule(self) -> None:
        _stranger, application = self.applied()
        assert (application.status, whose(application).finding) == ("submitted", "not_shown")

    def test_answers_nothing_about_others_without_a_tie(self) -> None:
        first, stranger = sent(OFFICE), a_person("eve@mail.example")
        assert first.organisation is not None
        people.add_member(organisation=first.organisation, user=stranger, role="owner", actor="p", now=NOW)
        second = sent("accomplice@mail.example", "203.0.113.67")
        assert "representative_asked" in letters_to(first.applicant)
        assert "representative_asked" not in letters_to(stranger)
        asked = (first.organisation.pk, whose(second).pk)
        assert representing.asked_of(first.applicant, *asked)[2] == second
        with pytest.raises(representing.NotAsked):
            representing.asked_of(stranger, *asked)
        assert representing.questions_to(first.applicant) and not representing.questions_to(stranger)


class TestASecondOrganisationUnderANumber:
    def first(self) -> Application:
        return sent(OFFICE)

    def test_needs_the_yes_of_the_first_whose_owners_are_asked(self) -> None:
        first = self.first()
        second = sent("manager@softwarehouse.example", "203.0.113.67", at=NOW + DAY)
        check = whose(second)
        assert second.status == "submitted" and check.facts["asked"] == [str(first.organisation_id)]
        assert letters_to(first.applicant)[-1] == "representative_asked"
        letter = Letter.objects.get(template="representative_asked")
        assert "manager@softwarehouse.example" in letter.text
        assert contacts.answer_as_representative(check=check, agrees=True, actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + DAY + HOUR)
        second.refresh_from_db()
        assert (whose(second).finding, second.status) == ("representative_agrees", "granted")

    def test_is_told_to_nobody_who_only_applied_with_the_number(self) -> None:
        crook = sent("crook@mail.example")
        told = letters_to(crook.applicant)
        assert sent(OFFICE, "203.0.113.67", at=NOW + DAY).status == "granted"
        assert letters_to(crook.applicant) == told

    def test_is_told_to_the_registered_one_when_the_list_speaks_for_it_and_names_nobody(self, tmp_path: Path) -> None:
        first = self.first()
        imported(tmp_path, "companies", f"number,name,email\n{NUMBER},{NAME},new@softwarehouse.example\n")
        assert sent("new@softwarehouse.example", "203.0.113.67", at=NOW + DAY).status == "granted"
        assert letters_to(first.applicant)[-1] == "number_used_again"
        assert "new@" not in Letter.objects.get(template="number_used_again").text

    def test_brings_the_registered_one_two_letters_a_day_however_many_apply(self) -> None:
        first = self.first()
        for count in range(4):
            sent(f"crook-{count}@mail.example", f"203.0.113.{70 + count}", at=NOW + DAY)
        asked = sorted(each for each in letters_to(first.applicant) if each.startswith("representative"))
        assert asked == ["representative_asked", "representative_asked_more"]
        assert len(representing.questions_to(first.applicant)) == 4

    def test_writes_once_a_day_however_often_somebody_applies(self) -> None:
        first = self.first()
        user = a_person("crook@mail.example")
        for count in range(3):
            sent("", f"203.0.113.{67 + count}", user=user, at=NOW + DAY)
        assert letters_to(first.applicant).count("representative_asked") == 1

    def test_alarms_nobody_by_a_change_of_what_is_registered_already(self) -> None:
        first = self.first()
        second = sent("manager@softwarehouse.example", "203.0.113.67", at=NOW + DAY)
        contacts.answer_as_representative(check=whose(second), agrees=True, actor="p", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        told = letters_to(second.applicant)
        registration = register.registration_from(first.subject)
        assert registration is not None
        common: dict[str, Any] = {"actor": f"person:{first.applicant_id}", "now": NOW + 2 * DAY}
        change = renewal.apply_again(registration=registration, applicant=first.applicant, about="change", **common)
        change = proved_and_sent(change, "203.0.113.90", NOW + 2 * DAY)
        assert whose(change).finding == "represents_already"
        assert "number_used_again" not in letters_to(second.applicant)[len(told) :]

    def test_counts_for_the_officer_who_reads_what_was_decided_before(self) -> None:
        self.first()
        second = sent("manager@mail.example", "203.0.113.67", at=NOW + DAY)
        assert granted_before(second) == 1
        other = sent("other@mail.example", "203.0.113.68", company_number="0000731", at=NOW + DAY)
        assert granted_before(other) == 0

    def test_of_an_agent_is_that_of_the_organisation(self) -> None:
        first = self.first()
        assert first.organisation is not None
        assert whose(sent_by_agent(first.organisation, "agent@law.example")).finding == "represents_already"


class TestTwoOrganisationsInTheSameSecond:
    """Each check was answered before either was on the register; what counts is who is there at the entry."""

    @pytest.fixture(autouse=True)
    def nobody_to_tell(self, rosters: None, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"number,name,domain\n{NUMBER},{NAME},softwarehouse.example\n")

    def two(self) -> tuple[Application, Application]:
        first = sent("a@softwarehouse.example", advances=False)
        return first, sent("b@softwarehouse.example", "203.0.113.67", advances=False)

    def decided(self) -> tuple[Application, Application]:
        """After the line has run: the one that came in, and the other; which of them is first is chance."""
        both = self.two()
        workflow.advance(now=NOW)
        first, second = sorted(both, key=lambda each: register.registration_from(each.subject) is None)
        return first, second

    def test_are_never_both_in_force_and_the_second_waits_for_the_word_of_the_first(self) -> None:
        first, second = self.decided()
        assert register.registration_from(first.subject) is not None
        assert register.registration_from(second.subject) is None
        check = whose(second)
        assert (check.outcome, check.facts["asked"]) == ("failed", [str(first.organisation_id)])
        assert (check.finding, check.evidence["before"]["finding"]) == ("tie_to_weigh", "mail_at_domain")
        case = decisions.case_of(second)
        assert case is not None and (case.status, case.lane) == ("open", "review")
        # What they read is true: the first is asked, and nobody hears that somebody "applied" who is in already.
        assert "representative_asked" in letters_to(first.applicant)
        assert "number_used_again" not in letters_to(first.applicant) + letters_to(second.applicant)
        assert "application_granted" not in letters_to(second.applicant)

    @pytest.mark.parametrize(("agrees", "registered"), [(True, True), (False, False)])
    def test_the_second_is_registered_with_the_yes_of_the_first_alone(self, agrees: bool, registered: bool) -> None:
        _first, second = self.decided()
        contacts.answer_as_representative(check=whose(second), agrees=agrees, actor="p", now=NOW + HOUR)
        workflow.advance(now=NOW + HOUR)
        assert (register.registration_from(second.subject) is not None) is registered
        assert decisions.case_of(second) is not None

    def test_the_second_goes_on_with_an_officer_when_nobody_answers(self) -> None:
        _first, second = self.decided()
        workflow.advance(now=NOW + 9 * DAY)
        assert whose(second).finding == "tie_to_weigh"
        assert register.registration_from(second.subject) is None

    def test_the_same_organisation_has_as_many_as_it_wants(self) -> None:
        first = sent("a@softwarehouse.example", advances=False)
        again = sent("", "203.0.113.67", user=first.applicant, advances=False)
        workflow.advance(now=NOW)
        assert again.organisation == first.organisation
        assert None not in {register.registration_from(each.subject) for each in (first, again)}

    def test_the_database_refuses_the_second_whatever_the_code_says(self) -> None:
        both = self.two()
        workflow.open_checks(NOW)
        workflow.decide_what_is_answered(NOW)
        entering.enter_grants(NOW, at_most=1)
        first, second = sorted(both, key=lambda each: register.registration_from(each.subject) is None)
        assert register.registration_from(first.subject) is not None
        decision = Decision.objects.get(case__application=second)
        registration = register_acts.enter(
            origin=second.subject,
            holder=second.holder_ref,
            category=second.service,
            endpoints=[],
            valid_from=NOW,
            valid_until=NOW + DAY,
            actor="p",
            now=NOW,
        )
        with pytest.raises(IntegrityError, match="another organisation is registered"), transaction.atomic():
            granting.mark_entered(decision=decision, registration=registration, now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_two_workers_at_the_same_moment_enter_one(self) -> None:
        first, second = self.two()
        workflow.open_checks(NOW)
        workflow.decide_what_is_answered(NOW)
        one, other = (Decision.objects.get(case__application=each) for each in (first, second))

        def enter() -> None:
            with transaction.atomic():
                entering.enter_grants.move(other, NOW)
            connection.close()

        worker = Thread(target=enter)
        with transaction.atomic():
            entering.enter_grants.move(one, NOW)
            worker.start()
            # The first is not committed: nothing shows it to the second, which waits at the number.
            while worker.is_alive() and not _somebody_waits_for_a_lock():
                pass
            assert worker.is_alive()
        worker.join()
        assert register.registration_from(first.subject) is not None
        assert register.registration_from(second.subject) is None
        assert whose(second).facts["asked"] == [str(first.organisation_id)]


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


class TestTheWordOfAnAssociation:
    def test_counts_when_it_names_the_applicant_by_their_address(self) -> None:
        an_attestation(claim="it_company", identifier=Identifier("email", "manager@mail.example"), name=NAME, now=NOW)
        application = sent("manager@mail.example")
        assert whose(application).facts["told_at"]  # the contact can say no, as to a mailbox at its domain
        workflow.advance(now=NOW + 4 * DAY)
        assert whose(application).finding == "association_names"

    def test_uses_up_no_letters_of_mailboxes_at_the_domain(self) -> None:
        most = contacts.MOST_TOLD_A_DAY["domain"]
        for count in range(most):
            mail = f"named-{count}@mail.example"
            an_attestation(claim="it_company", identifier=Identifier("email", mail), name=NAME, now=NOW)
            sent(mail, f"203.0.113.{70 + count}")
        for count in range(most):
            guest = sent(f"guest-{count}@softwarehouse.example", f"203.0.113.{80 + count}")
            assert whose(guest).facts["told_at"]

    def test_does_not_when_it_only_supports_or_the_name_is_only_like_that_of_the_list(self) -> None:
        alike = "Simple Softwere House (Pvt) Ltd"
        for name, claim in ((NAME, "member"), (alike, "it_company")):
            mail = f"{claim.replace('_', '-')}@mail.example"
            an_attestation(claim=claim, identifier=Identifier("email", mail), name=name, now=NOW)
            for last, typed in enumerate((NAME, alike)):
                application = sent(mail, f"203.0.113.{66 + last}", name=typed)
                assert (whose(application).outcome, whose(application).facts.get("told_at")) == ("waiting", None)

    def test_does_not_when_it_names_the_company_alone_or_somebody_else(self) -> None:
        an_attestation(claim="it_company", identifier=Identifier("company", NUMBER), name=NAME, now=NOW)
        an_attestation(
            claim="it_company", identifier=Identifier("email", "crook@mail.example"), name="Other House", now=NOW
        )
        assert whose(sent("crook@mail.example")).outcome == "waiting"

    def test_counts_when_it_was_asked_about_this_application_and_saw_who_applies(self, tmp_path: Path) -> None:
        imported(tmp_path, "companies", f"number,name\n{NUMBER},{NAME}\n")
        user = a_person("manager@mail.example")
        common: dict[str, Any] = {"actor": f"person:{user.pk}", "now": NOW}
        draft = drafts.start_application(applicant=user, service="vpn_company", fixed_address="yes", **common)
        common["application"] = draft
        drafts.save_company(name=NAME, company_number=NUMBER, ntn="", **common)
        drafts.save_contact(name="Sample Manager", mobile="+923001234567", **common)
        drafts.save_evidence(
            kind="association", association="sample-software-houses", association_number="SAMPLE-0482", **common
        )
        application = proved_and_sent(draft, "203.0.113.66", NOW)
        assert whose(application).outcome == "waiting"
        (request,) = attestations.requests_waiting("sample-software-houses")
        assert request.email == "manager@mail.example"
        requests.attest_applicant(
            request=request,
            claim="it_company",
            method="register",
            valid_until=NOW.date() + dt.timedelta(days=300),
            by="person:secretary",
            now=NOW,
        )
        workflow.advance(now=NOW + HOUR)
        application.refresh_from_db()
        assert (whose(application).finding, application.status) == ("association_names", "granted")


def a_freelancer(
    email: str,
    block: str,
    *,
    cnic: str = "3520212345671",
    number: str = "SA-0031",
    kind: str = "client_email",
    text: str = "From studio@client.example: we work with you.",
    at: dt.datetime = NOW,
    proved: bool = True,
    name: str = "Sample Freelancer 31",
    association: str = "",
) -> Application:
    user = a_person(email)
    common: dict[str, Any] = {"actor": f"person:{user.pk}", "now": at}
    draft = drafts.start_application(applicant=user, service="vpn_freelancer", fixed_address="yes", **common)
    common["application"] = draft
    drafts.save_person(name=name, cnic=cnic, **common)
    drafts.save_contact(name="Sample Freelancer 31", mobile="+923001234567", **common)
    if number:
        drafts.save_evidence(kind="association", association=association, association_number=number, **common)
    else:
        drafts.save_evidence(kind=kind, text=text, **common)
    return proved_and_sent(draft, block, at, proved=proved)


class TestAMemberNumber:
    @pytest.fixture(autouse=True)
    def members(self, tmp_path: Path) -> None:
        imported(
            tmp_path, "association_members", "number,name,email\nSA-0031,Sample Freelancer 31,member@mail.example\n"
        )

    def member(self, application: Application) -> Check:
        return checks.checks_of(application.subject).get(kind="roster", target="association_members")

    def test_proves_nothing_by_itself(self) -> None:
        crook = a_freelancer("crook@mail.example", "203.0.113.80")
        assert (crook.status, self.member(crook).finding) == ("submitted", "listed_not_shown")
        assert decisions.case_of(crook) is not None

    def test_is_a_code_away_whether_anybody_has_it_or_not_and_only_a_code_that_was_sent_is_taken(self) -> None:
        for each, number in enumerate(("SA-0031", "SA-0999")):
            application = a_freelancer(f"crook-{each}@mail.example", f"203.0.113.8{each}", number=number)
            check = self.member(application)
            assert contacts.open_check(application.subject) == check and not contacts.is_told(check)
            assert contacts.contacts_of(check, number=number) == [contacts.Contact("email", "")]
            common: dict[str, Any] = {"channel": "email", "holder": "Sample", "language": "en", "actor": "p"}
            for again in range(2):  # two a day for one applicant, whatever the number
                at = NOW + again * HOUR
                contacts.send_code(check=check, number=number, asked_by=application.applicant, now=at, **common)
            with pytest.raises(registries.NoCodeNow) as refused:
                contacts.send_code(check=check, number=number, asked_by=application.applicant, now=at, **common)
            assert refused.value.why == "too_many"
            assert contacts.last_sent(self.member(application), at) == "email"
        written = Letter.objects.filter(template="represents_code")
        assert {each.address for each in written} == {"member@mail.example"} and len(written) == 2
        with pytest.raises(registries.CodeNotTaken) as wrong:
            contacts.try_code(check=check, given=contacts.code_of(self.member(application)), actor="p", now=at)
        assert wrong.value.why == "wrong"

    def test_says_nothing_of_how_often_others_asked_and_writes_no_more_letters_than_its_contact_gets(self) -> None:
        common: dict[str, Any] = {"channel": "email", "holder": "Sample", "language": "en", "actor": "p", "now": NOW}
        for number in ("SA-0031", "SA-0999"):
            for each in range(rules.MOST_CODES_A_DAY + 2):
                application = a_freelancer(f"{number}-{each}@mail.example", f"203.0.113.{80 + each}", number=number)
                check, asker = self.member(application), application.applicant
                contacts.send_code(check=check, number=number, asked_by=asker, **common)
                assert contacts.last_sent(self.member(application), NOW) == "email"
        assert Letter.objects.filter(template="represents_code").count() == rules.MOST_CODES_A_DAY

    def test_that_somebody_else_gives_is_told_to_its_contact_once_a_day(self) -> None:
        for each in range(3):
            a_freelancer(f"crook-{each}@mail.example", f"203.0.113.8{each}")
        [letter] = Letter.objects.filter(template="own_number_used", to=None)
        assert letter.address == "member@mail.example" and "crook" not in letter.text
        a_freelancer("member@mail.example", "203.0.113.90")
        assert Letter.objects.filter(template="own_number_used", to=None).count() == 1

    def test_that_is_shown_says_what_the_list_has_of_it(self, tmp_path: Path) -> None:
        imported(
            tmp_path,
            "association_members",
            "number,name,status,email\nSA-0031,Sample Freelancer 31,expired,member@mail.example\n",
        )
        application = a_freelancer("other@mail.example", "203.0.113.80")
        given: dict[str, Any] = {"number": "SA-0031", "channel": "email", "holder": "S", "language": "en"}
        by: dict[str, Any] = {"actor": "p", "now": NOW}
        contacts.send_code(check=self.member(application), asked_by=application.applicant, **given, **by)
        check = self.member(application)
        contacts.try_code(check=check, given=contacts.code_of(check), **by)
        check.refresh_from_db()
        assert check.finding == "listed_not_active" and contacts.is_told(check)

    def test_is_the_members_who_signs_in_with_the_listed_address(self) -> None:
        application = a_freelancer("member@mail.example", "203.0.113.80")
        assert (application.status, self.member(application).finding) == ("granted", "listed_and_shown")

    def test_is_shown_by_a_code_to_the_listed_address(self) -> None:
        application = a_freelancer("other@mail.example", "203.0.113.80")
        given = {
            "number": "SA-0031",
            "channel": "email",
            "holder": "Sample",
            "language": "en",
            "actor": "p",
            "now": NOW,
        }
        contacts.send_code(check=self.member(application), asked_by=application.applicant, **given)
        code = contacts.code_of(self.member(application))
        contacts.try_code(check=self.member(application), given=code, actor="p", now=NOW)
        workflow.advance(now=NOW)
        application.refresh_from_db()
        assert (application.status, self.member(application).finding) == ("granted", "listed_and_shown")
