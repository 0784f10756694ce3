"""The desk in Urdu: every sentence of the catalogue, and every page as it is rendered."""

from pathlib import Path

import polib
import pytest
from django.test import Client
from django.urls import reverse

from rahdari.decide import questions, refusals
from rahdari.decide.models import Case
from rahdari.people.models import User
from tests import urdu
from tests.builders.cases import HOUR, MINUTE, NOW, a_case, a_decided_application

from .test_views import SENTENCE, mine, page, signed_in

CATALOGUE = Path(__file__).parents[2] / "src/rahdari/decide/locale/ur/LC_MESSAGES/django.po"


class TestTheCatalogue:
    def test_keeps_the_rules(self) -> None:
        found = []
        for entry in polib.pofile(str(CATALOGUE)):
            forms = entry.msgstr_plural or {1: entry.msgstr}
            for at, text in forms.items():
                english = entry.msgid_plural if at and entry.msgid_plural else entry.msgid
                found += [
                    f"{english}: {problem.words}"
                    for problem in urdu.pair_problems(english, text, count_may_go="" if at else "count")
                ]
        assert found == []


@pytest.mark.django_db
class TestPages:
    @pytest.fixture(autouse=True)
    def the_time(self, time_machine: object) -> None:
        time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]

    def look(self, client: Client, address: str, **given: object) -> None:
        answer = client.post(address, given) if given else client.get(address)
        problems = urdu.page_problems(answer.content.decode())
        assert problems == [], "\n".join(f"{one.rule}: {one.words} ({one.where})" for one in problems)

    def test_of_the_lists_keep_the_rules(self, officer: User, second: User) -> None:
        client = signed_in(officer, "ur")
        self.look(client, reverse("decide:queue"))
        case = mine(officer)
        a_case(now=NOW - HOUR * 240)
        self.look(client, reverse("decide:queue"))
        self.look(client, reverse("decide:queue") + "?view=applicant")
        self.ripe(case, officer)
        for person in (officer, second):
            self.look(signed_in(person, "ur"), reverse("decide:approvals"))

    def test_of_a_case_keep_the_rules_however_it_stands(self, officer: User, second: User, director: User) -> None:
        client, other = signed_in(officer, "ur"), signed_in(second, "ur")
        case = a_case()
        self.look(client, page(case))
        case = mine(officer)
        self.look(client, page(case))
        self.look(other, page(case))
        self.look(client, page(case, "contact"), yes="1")
        self.look(client, page(case, "decide"), decision="refuse")
        self.look(client, page(case, "decide"), decision="grant")
        question = questions.ask_question(case=case, officer=officer, code="Q4", now=NOW)
        self.look(client, page(case))
        questions.answer_question(question=question, answer="ہمارے کلائنٹ کے لیے۔", actor="person:x", now=NOW)
        self.ripe(case, officer)
        self.look(client, page(case))
        self.look(other, page(case))
        senior = signed_in(director, "ur")
        self.look(senior, page(case))
        self.look(senior, page(case, "second"), decision="refuse")
        refusals.second_refusal(case=case, officer=director, because="بل نہیں ملا۔", now=NOW + HOUR)
        granted = a_decided_application()
        for reference in (case.application.reference, granted.reference):
            why = reverse("decide:why", args=[reference])
            self.look(client, why)
            self.look(client, why, why="")
            client.post(why, {"why": "asked"})
            self.look(client, reverse("decide:case", args=[reference]))

    def ripe(self, case: Case, officer: User) -> None:
        notice = refusals.propose_refusal(
            case=case, officer=officer, codes=["R3", "R4"], text=SENTENCE, named="بل کا صفحہ 2", now=NOW
        )
        refusals.answer_notice(notice=notice, answer="یہ کنکشن میرا ہے۔", actor="person:x", now=NOW + MINUTE)
