"""What an officer is shown of a check, so that it can be judged on the page."""

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.decide import actions, queries
from rahdari.decide.models import Question
from rahdari.journal.models import Entry
from rahdari.people.models import User
from tests.line.test_services import CENTRE, NUMBER, companies, sent

from .builders import HOUR, NOW, a_case
from .test_views import page, signed_in

__all__ = ["companies"]
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_time(time_machine: object) -> None:
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]


class TestListedName:
    def test_is_shown_where_a_number_stands_under_another_name_and_the_look_is_on_record(self, officer: User) -> None:
        application = sent("vpn_company", {"incorporation": None}, name="Specimen Exports (Pvt) Ltd", number=NUMBER)
        case = queries.case_of(application)
        assert case is not None
        html = signed_in(officer).get(page(case)).content.decode()
        assert "On the list:" in html and CENTRE in html and "{&#x27;en&#x27;" not in html
        row = Entry.objects.filter(act="decide.read_listed_name").get()
        assert (row.subject, row.reason) == (application.subject, "decide")

    def test_is_looked_up_for_no_other_case(self, officer: User) -> None:
        signed_in(officer).get(page(a_case()))
        assert not Entry.objects.filter(act="decide.read_listed_name").exists()


class TestTyped:
    def test_stays_when_the_case_moved_on(self, officer: User) -> None:
        case = actions.take_case(case=a_case(), officer=officer, now=NOW)
        client = signed_in(officer)
        actions.ask_question(case=case, officer=officer, code="Q4", now=NOW)
        given = {"decision": "refuse", "codes": ["R6"], "text": "What took an hour to write."}
        answer = client.post(page(case, "decide"), given)
        assert answer.status_code == 409
        assert "What took an hour to write." in answer.content.decode() and Question.objects.count() == 1


class TestHistory:
    def test_names_the_colleague(self, officer: User, second: User) -> None:
        case = actions.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(second).get(page(case)).content.decode()
        part = html[html.index("Case taken") :]
        assert officer.name in part[: part.index("</li>")]
        own = signed_in(officer).get(page(case)).content.decode()
        assert "you</span>" in own[own.index("Case taken") :]

    def test_dates_in_urdu_are_not_turned_round(self, officer: User) -> None:
        case = actions.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer, "ur").get(page(case)).content.decode()
        assert 'class="num">' not in html[html.index("<h2>ہسٹری") if "<h2>ہسٹری" in html else 0 :]


class TestCodes:
    def test_that_wait_for_their_confirmation_are_named(self, officer: User, settings: object) -> None:
        settings.REASONS_TO_CONFIRM_ALLOWED = False  # type: ignore[attr-defined]
        case = actions.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer).get(reverse("decide:case", args=[case.application.reference])).content.decode()
        assert html.count("Not offered here until they are confirmed") == 2
        settings.REASONS_TO_CONFIRM_ALLOWED = True  # type: ignore[attr-defined]
        html = Client().get("/").content.decode() + signed_in(officer).get(page(case)).content.decode()
        assert "Not offered here" not in html


class TestEvidence:
    def test_of_a_code_that_cannot_be_in_the_file_keeps_it_from_being_offered_and_taken(self, officer: User) -> None:
        """A freelancer of a free service: no list was asked, and no invoice exists."""
        case = actions.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer).get(page(case)).content.decode()
        assert 'value="R2"' not in html and 'value="R9"' not in html and 'value="R6"' in html
        for code in ("R2", "R9"):
            with pytest.raises(actions.CodeNotUsable):
                actions.propose_refusal(case=case, officer=officer, codes=[code], text="No bill.", now=NOW)
            answer = signed_in(officer).post(
                page(case, "decide"), {"decision": "refuse", "codes": [code], "text": "No bill."}
            )
            assert answer.status_code == 422

    def test_that_is_not_in_the_file_is_said_beside_its_code(self, officer: User) -> None:
        case = actions.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer).get(page(case)).content.decode()
        part = html[html.index('value="R3"') :]
        assert "Not in the file yet" in part[: part.index("</label>")]

    def test_of_a_company_that_was_looked_up_lets_its_code_stand(self, officer: User) -> None:
        application = sent("vpn_company", {"incorporation": None}, name="Specimen Exports (Pvt) Ltd", number=NUMBER)
        case = queries.case_of(application)
        assert case is not None
        case = actions.take_case(case=case, officer=officer, now=NOW)
        html = signed_in(officer).get(page(case)).content.decode()
        assert 'value="R2"' in html and 'value="R9"' not in html
