"""The pages on which it is shown whose number it is, and their operations."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from rahdari import workflow
from rahdari.checks import contacts
from rahdari.checks.models import Check
from rahdari.decide import assignment, granting
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.people import actions as people
from rahdari.register import queries as register
from rahdari.vault import links
from tests.builders import story
from tests.builders.cases import an_officer
from tests.builders.drafts import a_person
from tests.builders.programs import Program
from tests.workflow.conftest import sample_operators, vault_keys  # noqa: F401
from tests.workflow.test_representing import NUMBER, OFFICE, imported, rosters, sent, whose  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def browser_of(user: Any) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


class TestShowing:
    def test_leads_from_the_status_page_by_a_code_to_the_registration(self) -> None:
        application = sent("manager@mail.example", at=timezone.now())
        browser, page = browser_of(application.applicant), reverse("portal:represent", args=[application.reference])
        status = browser.get(reverse("portal:status", args=[application.reference])).content.decode()
        assert page in status and "show whose number it is" in status
        # Home, and the page of the organisation, say the same.
        organisation = reverse("portal:organisation", args=[application.organisation_id])
        for place in (reverse("portal:home"), f"{organisation}?view=applications"):
            assert "Waiting for you to show whose number it is" in browser.get(place).text
        text = browser.get(page).content.decode()
        assert "o•••@softwarehouse.example" in text and OFFICE not in text
        assert browser.post(page, {"to": "email"}).status_code == 302
        wrong = browser.post(page, {"code": "nope-nope"})
        assert wrong.status_code == 422 and "not the code from the latest message" in wrong.content.decode()
        code = contacts.code_of(whose(application))
        assert browser.post(page, {"code": code}).status_code == 302
        workflow.advance(now=timezone.now())
        application.refresh_from_db()
        assert application.status == "granted"
        assert browser.get(page).status_code == 302

    def test_is_what_a_program_reads_as_well(self) -> None:
        application = sent("manager@mail.example", at=timezone.now())
        answer = Program(application.applicant).get(f"/applications/{application.reference}")
        assert answer.status_code == 200
        assert answer.said["status"] == "submitted", answer.said

    def test_can_be_left_to_an_officer(self) -> None:
        application = sent("manager@mail.example", at=timezone.now())
        page = reverse("portal:represent", args=[application.reference])
        browser_of(application.applicant).post(page, {"officer": "1"})
        assert whose(application).finding == "not_shown"

    def test_is_not_there_for_anybody_else(self) -> None:
        application = sent("manager@mail.example", at=timezone.now())
        page = reverse("portal:represent", args=[application.reference])
        assert browser_of(a_person("other@mail.example")).get(page).status_code == 404

    def test_says_when_there_were_codes_enough(self) -> None:
        application = sent("manager@mail.example", at=timezone.now())
        browser, page = browser_of(application.applicant), reverse("portal:represent", args=[application.reference])
        assert [browser.post(page, {"to": "email"}).status_code for _ in range(4)] == [302, 302, 422, 422]
        assert browser.post(page, {"to": "pigeon"}).status_code == 422


class TestTheNameOnTheRegistration:
    def test_is_the_one_it_was_granted_under_whatever_the_person_calls_themselves_later(self) -> None:
        person = story.a_person()
        granted = story.a_granted_application(person)
        registration = register.registration_from(granted.subject)
        assert registration is not None
        name = granted.holder_name
        people.name_person(user=person, name="Sample Microfinance Bank Ltd", actor="p", now=timezone.now())
        browser = browser_of(person)
        for page in ("registration", "certificate"):
            text = browser.get(reverse(f"portal:{page}", args=[registration.reference])).text
            assert name in text and "Sample Microfinance" not in text.split("</header>")[-1], page
        token = links.token("certificate", registration.reference)
        assert name in Client().get(f"/c/{registration.reference}/{token}/").text


class TestTheRepresentative:
    def asked(self) -> tuple[Any, Any, str]:
        now = timezone.now()
        first = sent(OFFICE, at=now)
        second = sent("manager@mail.example", "203.0.113.67", at=now)
        return first, second, reverse("portal:representative", args=[first.organisation_id, whose(second).pk])

    def test_reads_who_applies_and_says_yes(self) -> None:
        first, second, page = self.asked()
        letter = Letter.objects.get(template="representative_asked")
        assert page in letter.html
        browser = browser_of(first.applicant)
        assert "manager@mail.example" in browser.get(page).content.decode()
        assert browser.post(page, {"answer": "yes"}).status_code == 302
        workflow.advance(now=timezone.now())
        second.refresh_from_db()
        assert second.status == "granted"
        assert "You said yes." in browser.get(page).content.decode()

    def test_says_no_which_an_officer_reads_and_the_applicant_does_not(self) -> None:
        first, second, page = self.asked()
        browser = browser_of(first.applicant)
        assert browser.post(page, {"answer": "no"}).status_code == 302
        assert "It is registered only if an officer" in browser.get(page).text
        browser_of(second.applicant).post(reverse("portal:represent", args=[second.reference]), {"officer": "1"})
        workflow.advance(now=timezone.now())
        status = browser_of(second.applicant).get(reverse("portal:status", args=[second.reference])).text
        assert "An officer is looking" in status and "answered no" not in status
        officer, case = an_officer(), decisions.case_of(second)
        assert case is not None
        assert (
            "Somebody is registered under this number, and answered no"
            in browser_of(officer).get(reverse("decide:case", args=[second.reference])).text
        )

    def test_finds_the_question_on_the_own_pages_while_it_waits(self) -> None:
        first, second, page = self.asked()
        browser = browser_of(first.applicant)
        overview = reverse("portal:organisation", args=[first.organisation_id])
        home = browser.get(reverse("portal:home")).text
        assert page in home and "Nothing waits for you" not in home
        listed = browser.get(overview).text
        assert page in listed and "Nothing waits for you" not in listed
        assert page not in browser_of(second.applicant).get(reverse("portal:home")).text
        browser.cookies["django_language"] = "ur"
        assert "کیا یہ آپ کی طرف سے درخواست ہے؟" in browser.get(reverse("portal:home")).text
        browser.cookies["django_language"] = "en"
        browser.post(page, {"answer": "no"})
        assert page not in browser.get(overview).text and page not in browser.get(reverse("portal:home")).text

    def test_finds_any_number_of_questions_at_the_same_price(self) -> None:
        first, _second, _page = self.asked()
        browser, asked = browser_of(first.applicant), []
        for number in range(3):
            with CaptureQueriesContext(connection) as queries:
                assert browser.get(reverse("portal:home")).text.count("Does this person apply for you?") == number + 1
            asked.append(sum(each["sql"].lstrip().startswith("SELECT") for each in queries.captured_queries))
            sent(f"another-{number}@mail.example", f"203.0.113.{70 + number}", at=timezone.now())
        assert len(set(asked)) == 1, asked

    def test_finds_the_question_with_a_program_and_answers_it(self) -> None:
        first, second, _page = self.asked()
        program, place = Program(first.applicant), f"/organisations/{first.organisation_id}/applicants"
        [asked] = program.get(place).said["items"]
        assert (asked["id"], asked["email"], asked["answer"]) == (str(whose(second).pk), "manager@mail.example", "")
        assert program.get(f"{place}/{asked['id']}").said == asked
        assert Program(second.applicant).get(place).status_code == 404
        assert program.put(f"{place}/{asked['id']}", {"answer": "yes"}).said["answer"] == "yes"
        assert program.get(place).said["items"] == []

    def test_hears_of_it_when_an_officer_registers_it_all_the_same(self) -> None:
        first, second, page = self.asked()
        browser = browser_of(first.applicant)
        browser.post(page, {"answer": "no"})
        browser_of(second.applicant).post(reverse("portal:represent", args=[second.reference]), {"officer": "1"})
        workflow.advance(now=timezone.now())
        officer = an_officer()
        case = assignment.take_case(case=decisions.case_of(second), officer=officer, now=timezone.now())  # type: ignore[arg-type]
        assignment.record_check(
            case=case,
            officer=officer,
            check=whose(second).pk,
            outcome="passed",
            how="Resolution seen.",
            now=timezone.now(),
        )
        granting.grant(case=case, officer=officer, now=timezone.now())
        assert not Letter.objects.filter(template="representative_overruled")
        for _ in range(2):
            workflow.advance(now=timezone.now())
        letter = Letter.objects.get(template="representative_overruled")
        assert letter.to == first.applicant and "You said no." in letter.text
        assert "An officer looked at what they showed, and registered it." in browser.get(page).text

    def test_is_nobody_but_who_may_apply_for_the_organisation_that_was_asked(self) -> None:
        first, second, page = self.asked()
        assert browser_of(second.applicant).get(page).status_code == 404
        other = reverse("portal:representative", args=[second.organisation_id, whose(second).pk])
        assert browser_of(second.applicant).get(other).status_code == 404
        assert browser_of(second.applicant).post(other, {"answer": "yes"}).status_code == 404
        own = reverse("portal:representative", args=[first.organisation_id, Check.objects.filter(kind="control")[0].pk])
        assert browser_of(first.applicant).get(own).status_code == 404
