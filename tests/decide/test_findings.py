"""What an officer is shown of a check, so that it can be judged on the page."""

import re
from html import escape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.checks import queries as checks
from rahdari.checks.models import Check
from rahdari.confirm import questions
from rahdari.confirm.models import Channel
from rahdari.confirm.models import SubscriberQuestion as OperatorQuestion
from rahdari.decide import assignment, evidence, operators, queries, refusals, transitions, unreached_addresses, words
from rahdari.decide import questions as decide_questions
from rahdari.decide.models import Case, CaseQuestion, Decision, Notice
from rahdari.journal.models import JournalEntry
from rahdari.letters import queries as letters
from rahdari.people.models import User
from rahdari.publish import actions as publish
from rahdari.publish.models import Operator
from tests.builders.cases import HOUR, NOW, a_case, denied
from tests.workflow.test_services import CENTRE, NUMBER, companies, sent

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
        row = JournalEntry.objects.filter(act="decide.read_listed_name").get()
        assert (row.subject, row.reason) == (application.subject, "decide")

    def test_beside_what_was_found_is_in_the_readers_language_alone(self, officer: User) -> None:
        case = a_case()
        for check in Check.objects.filter(subject=case.application.subject):
            check.evidence["claim"] = {"en": "Member of the year", "ur": "سال کا رکن"}
            check.save(update_fields=["evidence"])
        html = signed_in(officer).get(page(case)).content.decode()
        assert "claim: Member of the year" in html and "سال کا رکن" not in html

    def test_is_looked_up_for_no_other_case(self, officer: User) -> None:
        signed_in(officer).get(page(a_case()))
        assert not JournalEntry.objects.filter(act="decide.read_listed_name").exists()


class TestTyped:
    def test_stays_when_the_case_moved_on(self, officer: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        client = signed_in(officer)
        decide_questions.ask_question(case=case, officer=officer, code="Q4", now=NOW)
        given = {"decision": "refuse", "codes": ["R6"], "text": "What took an hour to write."}
        answer = client.post(page(case, "decide"), given)
        assert answer.status_code == 409
        assert "What took an hour to write." in answer.content.decode() and CaseQuestion.objects.count() == 1


class TestHistory:
    def test_names_the_colleague(self, officer: User, second: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(second).get(page(case)).content.decode()
        part = html[html.index("Case taken") :]
        assert officer.name in part[: part.index("</li>")]
        own = signed_in(officer).get(page(case)).content.decode()
        assert "you</span>" in own[own.index("Case taken") :]

    def test_dates_in_urdu_are_not_turned_round(self, officer: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer, "ur").get(page(case)).content.decode()
        assert 'class="num">' not in html[html.index("<h2>ہسٹری") if "<h2>ہسٹری" in html else 0 :]


class TestCodes:
    def test_that_wait_for_their_confirmation_are_named(self, officer: User, settings: object) -> None:
        settings.REASONS_TO_CONFIRM_ALLOWED = False  # type: ignore[attr-defined]
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer).get(reverse("decide:case", args=[case.application.reference])).content.decode()
        assert html.count("Not offered here until they are confirmed") == 2
        settings.REASONS_TO_CONFIRM_ALLOWED = True  # type: ignore[attr-defined]
        html = Client().get("/").content.decode() + signed_in(officer).get(page(case)).content.decode()
        assert "Not offered here" not in html


class TestEvidence:
    def test_of_a_code_that_cannot_be_in_the_file_keeps_it_from_being_offered_and_taken(self, officer: User) -> None:
        """A freelancer of a free service: no list was asked, and no invoice exists."""
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        html = signed_in(officer).get(page(case)).content.decode()
        assert 'value="R2"' not in html and 'value="R9"' not in html and 'value="R6"' in html
        for code in ("R2", "R9"):
            with pytest.raises(transitions.CodeNotUsable):
                refusals.propose_refusal(case=case, officer=officer, codes=[code], text="No bill.", now=NOW)
            answer = signed_in(officer).post(
                page(case, "decide"), {"decision": "refuse", "codes": [code], "text": "No bill."}
            )
            assert answer.status_code == 422

    @pytest.mark.parametrize(
        ("code", "key"),
        [("R3", "signed_answer"), ("R1", "attempts"), ("R5", "identity_result"), ("R4", "statement_and_proof")],
    )
    def test_that_is_not_in_the_file_refuses_the_act_and_says_how_it_gets_there(
        self, officer: User, code: str, key: str
    ) -> None:
        # A declaration asks for the number of a card, and R5 is about that.
        declared = a_case(is_denied=False, evidence="self_declaration", text="Web design for shops")
        case = assignment.take_case(case=declared, officer=officer, now=NOW)
        with pytest.raises(evidence.EvidenceMissing) as caught:
            refusals.propose_refusal(case=case, officer=officer, codes=["R6", code], text="No bill.", now=NOW)
        assert caught.value.missing == ((code, key),)
        given = {"decision": "refuse", "codes": [code], "text": "No bill."}
        answer = signed_in(officer).post(page(case, "decide"), given)
        html = answer.content.decode()
        assert answer.status_code == 422 and "needs in the file" in html and escape(words.comes(key)) in html
        assert not Notice.objects.exists()
        part = html[html.index(f'value="{code}"') :]
        assert code == "R4" or (part.index(" disabled") < part.index("Not in the file yet") < part.index("</label>"))
        html = signed_in(officer).get(page(case)).content.decode()
        folded = re.search(r"<summary>\d+ reasons? (?:is|are) not possible yet<(.*?)</details>", html, re.DOTALL)
        assert folded and (f'value="{code}"' in folded[1]) == (code != "R4"), "what cannot be chosen is out of the way"

    def test_is_the_operators_no_and_nothing_else(self, officer: User) -> None:
        case = assignment.take_case(case=a_case(is_denied=False), officer=officer, now=NOW)
        question = denied(case.application, reason="not_our_address")
        questions.read_and_answer(question=question, word="yes", channel=Channel.PAGE, by="person:x", now=NOW)
        for said, reason in (("unknown", ""), ("no", "not_our_address"), ("no", "unknown_subscriber")):
            given: dict[str, Any] = {"case": case, "officer": officer, "codes": ["R3"], "text": "No.", "now": NOW}
            with pytest.raises(evidence.EvidenceMissing):
                refusals.propose_refusal(**given)
            questions.read_and_answer(
                question=question, word=said, reason=reason, channel=Channel.PAGE, by="person:x", now=NOW
            )
        assert refusals.propose_refusal(**given)

    def test_that_went_keeps_the_second_officer_from_refusing(self, officer: User, second: User) -> None:
        """The operator corrects its answer while the notice runs."""
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        notice = refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="It says no.", now=NOW)
        refusals.answer_notice(notice=notice, answer="It is mine.", actor="person:x", now=NOW)
        question = OperatorQuestion.objects.get()
        questions.read_and_answer(question=question, word="yes", channel=Channel.PAGE, by="person:x", now=NOW)
        with pytest.raises(evidence.EvidenceMissing):
            refusals.second_refusal(case=case, officer=second, because="Agreed.", now=NOW)
        answer = signed_in(second).post(page(case, "second"), {"decision": "refuse", "because": "Agreed."})
        assert answer.status_code == 422 and "needs in the file" in answer.content.decode()
        assert not Decision.objects.exists()

    def test_that_only_a_person_can_find_is_named_and_read_by_the_applicant(self, officer: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        shown = "The letter, page 2, names another client than the one given."
        given = {"decision": "refuse", "codes": ["R4"], "text": "The client is another one.", "named": shown}
        preview = signed_in(officer).post(page(case, "decide"), {**given, "preview": "1"})
        assert shown in " ".join(preview.content.decode().split())
        signed_in(officer).post(page(case, "decide"), given)
        assert Notice.objects.get().evidence == shown
        letter = letters.letters_of(case.application.applicant).get(template="application_notice")
        assert shown in " ".join(letter.text.split())

    def test_of_a_question_about_a_paper_is_the_paper(self, officer: User) -> None:
        case = assignment.take_case(case=a_case(), officer=officer, now=NOW)
        with pytest.raises(evidence.EvidenceMissing):
            decide_questions.ask_question(case=case, officer=officer, code="Q1", now=NOW)
        answer = signed_in(officer).post(page(case, "decide"), {"decision": "ask", "code": "Q1", "text": ""})
        assert answer.status_code == 422 and "No document was sent. Ask for one first." in answer.content.decode()


class TestAskingTheOperator:
    @pytest.fixture
    def operator(self) -> Operator:
        publish.create_operator(slug="sample-fibre", name="Sample Fibre", asns=[64500], now=NOW)
        return Operator.objects.get()

    def test_puts_its_answer_into_the_file(self, officer: User, operator: Operator) -> None:
        case = assignment.take_case(case=a_case(is_denied=False), officer=officer, now=NOW)
        with pytest.raises(operators.NoOperatorToAsk):
            operators.ask_operator(case=case, officer=officer, now=NOW)
        unreached_addresses.name_network(case=case, officer=officer, operator=operator.slug, now=NOW)
        client = signed_in(officer)
        assert page(case, "ask_operator") in client.get(page(case)).content.decode()
        client.post(page(case, "ask_operator"))
        question = OperatorQuestion.objects.get()
        assert (question.operator, question.subject) == (operator.slug, case.application.subject)
        assert "Not answered yet" in client.get(page(case)).content.decode()
        client.post(page(case, "ask_operator"))
        assert OperatorQuestion.objects.count() == 1
        questions.read_and_answer(
            question=question, word="no", reason="another_subscriber", channel=Channel.PAGE, by="person:x", now=NOW
        )
        workflow.OPERATORS.deliver(now=NOW)
        html = client.get(page(case)).content.decode()
        assert "Another subscriber has it" in html and page(case, "ask_operator") not in html
        assert Case.objects.get().status == "open"
        assert refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="It says no.", now=NOW)

    def test_is_for_whoever_has_the_case(self, officer: User, second: User, operator: Operator) -> None:
        case = assignment.take_case(case=a_case(is_denied=False), officer=officer, now=NOW)
        unreached_addresses.name_network(case=case, officer=officer, operator=operator.slug, now=NOW)
        with pytest.raises(transitions.NotYourCase):
            operators.ask_operator(case=case, officer=second, now=NOW)
        signed_in(second).post(page(case, "ask_operator"))
        assert not OperatorQuestion.objects.exists()


class TestEvidenceOfACompany:
    def test_of_a_company_that_was_looked_up_lets_its_code_stand(self, officer: User) -> None:
        application = sent("vpn_company", {"incorporation": None}, name="Specimen Exports (Pvt) Ltd", number=NUMBER)
        case = queries.case_of(application)
        assert case is not None
        case = assignment.take_case(case=case, officer=officer, now=NOW)
        html = signed_in(officer).get(page(case)).content.decode()
        assert 'value="R2"' in html and 'value="R9"' not in html


class TestSeveralChecks:
    """A company whose number stands under another name and whose papers wait: one page, one press."""

    def case(self, officer: User) -> Case:
        application = sent("vpn_company", {"incorporation": None}, name="Specimen Exports (Pvt) Ltd", number=NUMBER)
        case = queries.case_of(application)
        assert case is not None
        return assignment.take_case(case=case, officer=officer, now=NOW)

    def open_ones(self, case: Case) -> list[Check]:
        return [each for each in checks.checks_of(case.application.subject) if each.outcome != "passed"]

    def test_are_recorded_with_one_press(self, officer: User) -> None:
        case = self.case(officer)
        found = self.open_ones(case)
        assert len(found) > 1
        client = signed_in(officer)
        assert page(case, "record_several") in client.get(page(case)).content.decode()
        given: dict[str, str] = {}
        for check in found:
            given |= {f"outcome_{check.pk}": "passed", f"how_{check.pk}": f"Seen by me: {check.kind}"}
        client.post(page(case, "record_several"), given)
        assert {each.how for each in checks.checks_of(case.application.subject) if each.how} == {
            f"Seen by me: {check.kind}" for check in found
        }
        assert not self.open_ones(case)

    def test_need_words_each_and_lose_none(self, officer: User) -> None:
        case = self.case(officer)
        first, second = self.open_ones(case)[:2]
        client = signed_in(officer)
        answer = client.post(page(case, "record_several"), {})
        assert answer.status_code == 422 and "Choose what you found." in answer.content.decode()
        given = {f"outcome_{first.pk}": "failed", f"how_{first.pk}": "A day of work.", f"outcome_{second.pk}": "passed"}
        answer = client.post(page(case, "record_several"), given)
        html = answer.content.decode()
        assert answer.status_code == 422 and "Enter how you found out." in html and "A day of work." in html
        assert {each.how for each in checks.checks_of(case.application.subject)} == {""}

    def test_are_for_whoever_has_the_case(self, officer: User, second: User) -> None:
        case = self.case(officer)
        given: dict[str, str] = {}
        for check in self.open_ones(case):
            given |= {f"outcome_{check.pk}": "passed", f"how_{check.pk}": "Not mine"}
        answer = signed_in(second).post(page(case, "record_several"), given)
        assert answer.status_code == 409 and "Not mine" in answer.content.decode()
        assert {each.how for each in checks.checks_of(case.application.subject)} == {""}
