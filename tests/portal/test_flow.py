"""Where time goes: numbers of cases for officers, the cases behind a question, and steps at which drafts were left."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

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
        "month": later.date().replace(day=1),
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


def test_speaks_urdu(officer: User) -> None:
    case = story.a_question(story.a_person())
    for path in (PAGE, f"/desk/flow/questions/{case.questions.get().code}/"):
        assert urdu.page_problems(signed_in(officer, "ur").get(path).text) == []
