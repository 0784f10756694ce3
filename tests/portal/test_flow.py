"""Where time goes: numbers of cases for officers, the cases behind a question, and steps at which drafts were left."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import sending
from rahdari.apply.models import Application
from rahdari.figures.models import GivenUp
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from rahdari.workflow.clocks import delete_idle_drafts
from tests import urdu
from tests.builders import story
from tests.builders.shared import known_networks
from tests.decide.test_views import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/desk/flow/"


@pytest.fixture(autouse=True)
def sample_operators() -> object:
    with known_networks():
        yield


def test_a_draft_that_is_deleted_leaves_one_more_at_its_step_and_nothing_else(officer: User) -> None:
    draft = story.a_draft(story.a_person())
    later = draft.updated_at + dt.timedelta(days=400)
    assert delete_idle_drafts(now=later) == 1
    (row,) = GivenUp.objects.values("service", "step", "number", "month")
    assert row == {
        "service": draft.service,
        "step": row["step"],
        "number": 1,
        "month": timezone.localdate(later).replace(day=1),
    }
    assert row["step"] in {"person", "company", "evidence", "addresses"}
    assert not Application.objects.filter(pk=draft.pk).exists()


def test_shows_queues_and_questions_with_the_cases_behind_them(officer: User, client: Client) -> None:
    case = story.a_question(story.a_person())
    code = case.questions.get().code
    page = signed_in(officer).get(PAGE).text
    assert f'href="/desk/flow/questions/{code}/"' in page
    assert f'href="{reverse("decide:queue")}?service={case.application.service}"' in page
    listed = signed_in(officer).get(f"/desk/flow/questions/{code}/").text
    assert case.application.reference in listed
    read = JournalEntry.objects.filter(act="decide.read_list", subject="desk:questions").get()
    assert read.detail["shown"] == [case.application.subject]
    assert signed_in(officer).get("/desk/flow/questions/X9/").status_code == 404


def test_lists_no_case_of_the_officers_own(officer: User) -> None:
    case = story.a_question(officer)
    listed = signed_in(officer).get(f"/desk/flow/questions/{case.questions.get().code}/").text
    assert case.application.reference not in listed and "None that you may see." in listed


def test_leads_to_what_ended_without_a_decision_and_to_what_waits_for_its_applicant(officer: User) -> None:
    waiting, withdrawn = story.a_question(story.a_person()), story.a_question(story.a_person())
    desk = signed_in(officer)
    behind = f"{reverse('decide:queue')}?view=applicant&amp;service={waiting.application.service}"
    assert behind in desk.get(PAGE).text
    actor = story.actor_of(withdrawn.application.applicant)
    sending.withdraw_application(application=withdrawn.application, actor=actor, now=timezone.now())
    story.advance()
    page = desk.get(PAGE).text
    assert 'href="/desk/flow/ended/withdrawn-asked/"' in page and "/desk/flow/ended/withdrawn/" not in page
    assert page.count('>1<span class="vh"> case</span>') == 2
    listed = desk.get("/desk/flow/ended/withdrawn-asked/").text
    assert withdrawn.application.reference in listed and waiting.application.reference not in listed
    read = JournalEntry.objects.filter(act="decide.read_list", subject="desk:ended").get()
    assert read.detail["shown"] == [withdrawn.application.subject]
    assert withdrawn.application.reference not in desk.get("/desk/flow/ended/not-pursued/").text
    assert desk.get("/desk/flow/ended/otherwise/").status_code == 404


def test_speaks_urdu(officer: User) -> None:
    case = story.a_question(story.a_person())
    for path in (PAGE, "/desk/flow/ended/withdrawn/", f"/desk/flow/questions/{case.questions.get().code}/"):
        assert urdu.page_problems(signed_in(officer, "ur").get(path).text) == []
