"""The pages of the calendar: entered by a supervisor, confirmed by another officer, read by whoever asks."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari.calendar import queries
from rahdari.calendar.models import CalendarCorrection
from rahdari.decide import assignment, questions
from rahdari.people.models import User
from rahdari.policy.corrections import Kind
from tests import urdu
from tests.builders.cases import HOUR, NOW, a_case
from tests.builders.programs import Program
from tests.decide.test_views import signed_in

from .said import in_force

pytestmark = pytest.mark.django_db
LIST, NEW = "/desk/calendar/", "/desk/calendar/new/"
EID = {
    "kind": "closed",
    "first": "2026-11-17",
    "last": "2026-11-19",
    "title_en": "Sample holiday",
    "title_ur": "نمونے کی چھٹی",
    "source": "No. 1/2026",
    "status": "estimated",
}


@pytest.fixture(autouse=True)
def the_time(time_machine: Any) -> None:
    time_machine.move_to(NOW + 2 * HOUR, tick=False)


def text_of(answer: Any) -> str:
    shown = re.sub(r"<(script|style|nav|header|footer)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", shown).split())


class TestTheDesk:
    def test_enters_and_confirms_and_replaces_with_both_named(self, supervisor: User, officer: User) -> None:
        author, other = signed_in(supervisor), signed_in(officer)
        assert "Enter a correction" in text_of(author.get(LIST)) and NEW not in other.get(LIST).content.decode()
        page = author.post(NEW, EID).headers["Location"]
        assert "Waits for a second officer" in text_of(other.get(LIST))
        # The author has no button to confirm it, and no way around the page.
        assert 'value="confirm"' not in author.get(page).content.decode()
        author.post(page, {"decision": "confirm"})
        assert queries.in_force().is_open(dt.date(2026, 11, 17))
        assert other.post(page, {"decision": "drop", "why": ""}).status_code == 422
        other.post(page, {"decision": "confirm"})
        shown = text_of(other.get(LIST))
        assert "17 November 2026 to 19 November 2026" in shown and "Closed" in shown and "Estimated" in shown
        assert "Supervisor S" in shown and "Officer A" in shown
        instead = {**EID, "first": "2026-11-18", "last": "2026-11-20", "status": "notified", "why": "The moon."}
        second = author.post(f"{NEW}?replaces={page.split('/')[-2]}", instead).headers["Location"]
        other.post(second, {"decision": "confirm"})
        assert "Replaced by" in text_of(other.get(page)) and "The moon." in text_of(other.get(page))
        assert [queries.in_force().is_open(dt.date(2026, 11, day)) for day in (17, 18)] == [True, False]

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"last": "2026-11-16"}, "last"),
            ({"last": "2027-11-16"}, "last"),
            ({"begins": "13:00"}, "ends"),
            ({"begins": "13:00", "ends": "12:00"}, "ends"),
            ({"kind": "worked", "first": "2026-11-21", "last": ""}, "begins"),
            ({"kind": "hours", "day_0": "from nine"}, "day_0"),
            ({"kind": "hours"}, "day_0"),
            ({"title_ur": ""}, "title_ur"),
        ],
    )
    def test_takes_nothing_that_cannot_be(self, supervisor: User, given: dict[str, str], field: str) -> None:
        answer = signed_in(supervisor).post(NEW, {**EID, **given})
        assert answer.status_code == 422 and field in answer.context["form"].errors
        assert not CalendarCorrection.objects.exists()

    def test_takes_hours_of_a_season(self, supervisor: User, officer: User) -> None:
        week = {f"day_{at}": "10:00-16:00" for at in range(4)} | {"day_4": "10:00-13:00"}
        page = signed_in(supervisor).post(NEW, {**EID, "kind": "hours", **week}).headers["Location"]
        signed_in(officer).post(page, {"decision": "confirm"})
        shown = text_of(Client().get("/status/"))
        assert "Other office hours: Monday to Thursday" in shown and "Friday" in shown
        assert queries.in_force().slots_on(dt.date(2026, 11, 18))[0].opens == dt.time(10)

    def test_leaves_to_a_supervisor_to_enter(self, officer: User) -> None:
        assert signed_in(officer).get(NEW).headers["Location"] == LIST


class TestWhoeverAsks:
    def test_reads_what_is_in_force_and_what_was_replaced(self, supervisor: User, officer: User) -> None:
        first = in_force(supervisor, officer, dt.date(2026, 11, 17), now=NOW)
        withdrawn = {"kind": Kind.WORKED, "replaces": first, "why": "Withdrawn by No. 2/2026."}
        in_force(supervisor, officer, first.first, now=NOW + HOUR, **withdrawn)
        for language, said in (("en", "Open after all"), ("ur", "پھر بھی کھلا ہے")):
            answer = Client(headers={"accept-language": language}).get("/status/")
            shown = text_of(answer)
            assert said in shown and "Withdrawn by No. 2/2026." in shown and "No. 1/2026" in shown
            assert "Supervisor S" not in shown and "Officer A" not in shown
            if language == "ur":
                assert list(urdu.page_problems(answer.content.decode())) == []
        days = Client().get("/api/v1/calendar").json()["days"]
        assert {each["status"] for each in days} == {"superseded", "notified"}
        assert {each["kind"] for each in days} == {"closed", "worked"}

    @pytest.mark.parametrize(
        ("language", "holiday", "closure"), [("en", "Quaid-e-Azam Day", "Sample closure"), ("ur", "قائدِ اعظم", "نمونے")]
    )
    def test_reads_the_hours_and_days_to_come_beside_the_rules(
        self, supervisor: User, officer: User, language: str, holiday: str, closure: str
    ) -> None:
        in_force(supervisor, officer, dt.date(2026, 11, 17), now=NOW)
        # The office said of a holiday of the file that it is open after all.
        in_force(supervisor, officer, dt.date(2027, 2, 5), now=NOW, kind=Kind.WORKED, title_en="Sample working day")
        answer = Client(headers={"accept-language": language}).get("/rules/")
        shown = text_of(answer)
        assert closure in shown and holiday in shown and shown.index(closure) < shown.index(holiday)
        assert 'href="/rules/#office"' in Client().get("/status/").text
        assert 'href="#times"' in answer.text and 'href="/status/#office"' in answer.text
        if language == "en":
            assert "Monday to Thursday" in shown and "17 November 2026 Closed Sample closure" in shown
            assert "Kashmir Day" not in shown and "5 February 2027 Open after all Sample working day" in shown
            # A day that is over says nothing of any time to come.
            assert "9 November 2026" not in shown and "Ramadan 1448" in shown
        assert list(urdu.page_problems(answer.text)) == [] or language == "en"

    def test_reads_why_the_time_stood_still(self, supervisor: User, officer: User, second: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        asked = questions.ask_question(case=case, officer=officer, code="Q4", text="Which client?", now=NOW)
        in_force(supervisor, second, dt.date(2026, 11, 17), now=NOW)
        holder = case.application.applicant
        browser = signed_in(holder)
        address = reverse("portal:status", args=[case.application.reference])
        assert "You were asked a question Since" in text_of(browser.get(address))
        questions.answer_question(question=asked, answer="This one.", actor=f"person:{holder.pk}", now=NOW + HOUR)
        shown = text_of(browser.get(address))
        assert "When our time limit is paused, and why" in shown and "You were asked a question From" in shown
        assert "Sample closure: Closed 17 November 2026" in shown
        program = Program(holder)
        stops = program.get(f"/applications/{case.application.reference}").said["stops"]
        assert [each["why"] for each in stops] == ["question", "closed"]
