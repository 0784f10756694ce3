"""A question or a notice is answered with words and papers, in as many goes as it takes."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Document
from rahdari.decide import assignment, granting, questions
from rahdari.decide.models import Case
from rahdari.people.models import User
from tests.builders import story
from tests.builders.drafts import a_pdf

pytestmark = pytest.mark.django_db


@pytest.fixture
def applicant() -> User:
    return story.a_person()


@pytest.fixture
def browser(applicant: User) -> Client:
    browser = Client()
    browser.force_login(applicant)
    return browser


@pytest.fixture
def desk() -> Client:
    browser = Client()
    browser.force_login(story.an_officer())
    return browser


def at(name: str, application: Application) -> str:
    return reverse(f"portal:{name}", args=[application.reference])


def a_file(content: bytes | None = None, name: str = "bill.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, a_pdf() if content is None else content, "application/pdf")


def papers(application: Application) -> list[Document]:
    return list(apply.documents_of(application))


CASES = pytest.mark.parametrize(("name", "begin"), [("question", story.a_question), ("notice", story.a_notice)])


def asked(case: Case) -> object:
    fresh = story.case_of(case.application)
    return fresh.questions.first() or fresh.notices.first()


class TestAnswering:
    @CASES
    def test_takes_a_file_and_the_officer_sees_it_beside_the_answer(
        self, browser: Client, desk: Client, applicant: User, name: str, begin: object
    ) -> None:
        case = begin(applicant)  # type: ignore[operator]
        form = browser.get(at(name, case.application)).text
        assert "Add a file, if it helps" in form and 'type="file" id="file" name="file"' in form
        assert 'enctype="multipart/form-data"' in form
        done = browser.post(at(name, case.application), {"answer": "Here is my bill.", "file": a_file()})
        assert done["Location"] == at("status", case.application)
        [document] = papers(case.application)
        page = desk.get(reverse("decide:case", args=[case.application.reference])).text
        assert "Here is my bill." in page
        place = reverse("decide:document", args=[case.application.reference, document.pk])
        assert f"paper={document.pk}" in page
        shown = desk.get(reverse("decide:case", args=[case.application.reference]), {"paper": str(document.pk)}).text
        assert f'src="{place}#' in shown
        assert desk.get(place).status_code == 200

    @CASES
    def test_may_be_a_file_alone(self, browser: Client, applicant: User, name: str, begin: object) -> None:
        case = begin(applicant)  # type: ignore[operator]
        url = at(name, case.application)
        assert "Write an answer, or add a file" in browser.post(url, {"answer": ""}).text
        assert browser.post(url, {"answer": "", "file": a_file()})["Location"] == at("status", case.application)
        assert asked(case).answered_at is not None  # type: ignore[attr-defined]

    @CASES
    def test_is_kept_as_a_draft_which_the_officer_does_not_see(
        self, browser: Client, desk: Client, applicant: User, name: str, begin: object
    ) -> None:
        case = begin(applicant)  # type: ignore[operator]
        url = at(name, case.application)
        assert browser.post(url, {"answer": "I ask my landl", "draft": "1", "file": a_file()})["Location"] == url
        page = browser.get(url).text
        assert "I ask my landl" in page and "bill.pdf" in page
        [document] = papers(case.application)
        seen = desk.get(reverse("decide:case", args=[case.application.reference])).text
        assert "I ask my landl" not in seen and str(document.pk) not in seen
        assert asked(case).answered_at is None  # type: ignore[attr-defined]
        browser.post(url, {"answer": "It is my landlord's.", "remove": str(document.pk)})
        assert papers(case.application) == []
        assert "It is my landlord&#x27;s." in browser.get(url).text
        browser.post(url, {"answer": "It is my landlord's.", "send": "1"})
        assert asked(case).draft == ""  # type: ignore[attr-defined]

    def test_loses_nothing_when_a_file_cannot_be_used(self, browser: Client, applicant: User) -> None:
        case = story.a_question(applicant)
        url = at("question", case.application)
        answer = {"answer": "Two studios.", "file": [a_file(b"no pdf"), a_file(name="good.pdf")], "send": "1"}
        page = browser.post(url, answer).text
        assert "1 file could not be used" in page
        assert "Two studios." in page and "good.pdf" in page
        assert asked(case).answered_at is None  # type: ignore[attr-defined]
        assert browser.post(url, {"answer": "Two studios.", "send": "1"})["Location"] == at("status", case.application)
        assert [each.name for each in papers(case.application)] == ["good.pdf"]

    def test_keeps_what_was_sent_as_it_was(self, browser: Client, applicant: User) -> None:
        case = story.a_question(applicant)
        url = at("question", case.application)
        browser.post(url, {"answer": "Here.", "file": a_file()})
        assert browser.post(url, {"remove": str(papers(case.application)[0].pk)}).status_code == 302
        assert len(papers(case.application)) == 1

    def test_takes_papers_after_the_time_of_a_notice_until_it_is_decided(
        self, browser: Client, applicant: User
    ) -> None:
        case = story.a_notice(applicant)
        notice = case.notices.get()
        notice.ran_out_at = timezone.now()
        notice.save(update_fields=["ran_out_at"])
        url = at("notice", case.application)
        assert "Add a file, if it helps" in browser.get(url).text
        browser.post(url, {"answer": "Late, sorry.", "file": a_file()})
        assert len(papers(case.application)) == 1
        assert asked(case).answered_at is not None  # type: ignore[attr-defined]

    def test_leads_to_the_ways_of_proving_an_address_that_is_not_proved(self, browser: Client, applicant: User) -> None:
        draft = story.fill(story.a_draft(applicant))
        endpoint = story.add(draft, known=False)
        application = story.send(story.fresh(draft))
        story.advance()
        case = granting.decide_by_rule(application=story.fresh(application), checks=[], now=timezone.now())
        officer = story.an_officer()
        assignment.take_case(case=case, officer=officer, now=timezone.now())
        questions.ask_question(case=case, officer=officer, code="Q2", now=timezone.now())
        page = browser.get(at("question", application)).text
        assert "Send another proof instead" in page
        place = reverse("portal:prove", args=[application.reference, endpoint.pk])
        assert place in page
        assert browser.get(place).status_code == 200

    def test_marks_the_officers_words_in_their_language_on_the_other_page(
        self, browser: Client, applicant: User
    ) -> None:
        case = story.a_question(applicant)
        url = at("question", case.application)
        here = '<p lang="en" dir="ltr">Which clients do you reach from there?</p>'
        page = browser.get(url).text
        assert here in page and "These words were written in English." not in page
        applicant.language = "ur"
        applicant.save()
        urdu = Client(headers={"Accept-Language": "ur"})
        urdu.force_login(applicant)
        other = urdu.get(url).text
        assert here in other
        assert "یہ الفاظ انگریزی میں لکھے گئے۔" in other

    def test_belongs_to_the_applicant_alone(self, applicant: User) -> None:
        case = story.a_question(applicant)
        stranger = Client()
        stranger.force_login(story.a_person())
        assert stranger.post(at("question", case.application), {"file": a_file()}).status_code == 404
        assert papers(case.application) == []
