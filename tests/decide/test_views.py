"""The desk's pages, through the test client, in both languages: who may open what, and what each button does."""

import re
from html import escape

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from rahdari.apply import sending
from rahdari.apply.models import Application, Document
from rahdari.checks import queries as checks
from rahdari.decide import assignment, queries, questions, refusals
from rahdari.decide.case_clock import policy_of
from rahdari.decide.models import Case, CaseQuestion, Decision, Notice
from rahdari.journal import queries as journal
from rahdari.people.models import User
from tests.builders.cases import DAY, HOUR, MINUTE, NOW, a_case, a_decided_application, a_gateway, a_person, an_officer

pytestmark = pytest.mark.django_db
SENTENCE = "The address answered for somebody else."
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe"
    "dccc59e70000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def the_time(time_machine: object) -> None:
    time_machine.move_to(NOW + HOUR, tick=False)  # type: ignore[attr-defined]


def signed_in(user: User, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


def page(case: Case, name: str = "case", **more: object) -> str:
    return reverse(f"decide:{name}", kwargs={"reference": case.application.reference, **more})


def mine(officer: User) -> Case:
    return assignment.take_case(case=a_case(), officer=officer, now=NOW)


def fresh(case: Case) -> Case:
    return queries.cases().get(pk=case.pk)


def failed_check(case: Case) -> object:
    return next(check for check in checks.checks_of(case.application.subject) if check.outcome == "failed").pk


ADDRESSES = ["queue", "approvals", "case", "take", "hand_over", "decide", "second", "drop", "contact"]


class TestAccess:
    @pytest.mark.parametrize("name", ADDRESSES)
    def test_is_for_officers_only(self, name: str) -> None:
        case = a_case()
        address = page(case, name) if name not in {"queue", "approvals"} else reverse(f"decide:{name}")
        for method in ("get", "post"):
            anonymous = getattr(Client(), method)(address)
            assert anonymous.status_code in {302, 403, 405}
            if anonymous.status_code == 302:
                assert "next=" in anonymous["Location"]
            for person in (a_person(), case.application.applicant):
                assert getattr(signed_in(person), method)(address).status_code in {403, 405}

    def test_is_not_told_apart_from_absence(self, officer: User) -> None:
        client = signed_in(officer)
        for forged in ("A-2611-XXXX-XXXX", "\0"):
            assert client.get(reverse("decide:case", args=[forged])).status_code == 404
        foreign = a_case()
        other = mine(officer)
        check = failed_check(foreign)
        assert (
            client.post(page(other, "record_check", check=check), {"outcome": "passed", "how": "x"}).status_code == 404
        )

    def test_of_a_case_is_on_record(self, officer: User) -> None:
        case = a_case()
        signed_in(officer).get(page(case))
        row = journal.reads_of([case.application.subject]).first()
        assert row is not None
        assert (row.act, row.actor) == ("decide.read_case", f"officer:{officer.pk}")

    def test_by_a_person_without_a_post_leaves_no_row(self) -> None:
        case = a_case()
        with pytest.raises(queries.CaseNotFound):
            queries.case_for_officer(officer=a_person(), reference=case.application.reference, now=NOW)
        assert not journal.reads_of([case.application.subject]).exists()


class TestQueue:
    @pytest.mark.parametrize(("language", "words"), [("en", "Due in"), ("ur", "باقی وقت")])
    def test_shows_open_cases_with_their_time(self, officer: User, language: str, words: str) -> None:
        case = a_case()
        html = signed_in(officer, language).get(reverse("decide:queue")).content.decode()
        assert case.application.reference in html and words in html
        assert f'lang="{language}"' in html

    def test_puts_the_least_time_first_and_the_applicants_turn_last(self, officer: User) -> None:
        young = a_case(now=NOW + HOUR)
        old = a_case(now=NOW - DAY * 6)
        asked = assignment.take_case(case=a_case(now=NOW - DAY * 4), officer=officer, now=NOW)
        questions.ask_question(case=asked, officer=officer, code="Q4", now=NOW)
        client = signed_in(officer)
        html = client.get(reverse("decide:queue")).content.decode()
        assert html.index(old.application.reference) < html.index(young.application.reference)
        assert asked.application.reference not in html
        waiting = client.get(reverse("decide:queue") + "?view=applicant").content.decode()
        assert asked.application.reference in waiting and old.application.reference not in waiting
        late = client.get(reverse("decide:queue") + "?view=late").content.decode()
        assert old.application.reference in late and young.application.reference not in late

    def test_finds_by_number_and_name(self, officer: User) -> None:
        one, other = a_case(), a_case()
        client = signed_in(officer)
        for wanted in (one.application.reference, one.application.name):
            html = client.get(reverse("decide:queue"), {"q": wanted}).content.decode()
            assert one.application.reference in html
            assert f"/desk/cases/{other.application.reference}/" not in html

    def test_leads_straight_to_a_case_that_is_closed(self, officer: User) -> None:
        application = a_decided_application()
        answer = signed_in(officer).get(reverse("decide:queue"), {"q": application.reference.lower()})
        assert answer["Location"] == reverse("decide:case", args=[application.reference])

    @pytest.mark.parametrize(
        "query", ["page=99999999999", "page=-1", "view=nothing", "service=x", "checks=x", "who=x", "q=%00%27"]
    )
    def test_survives_any_query(self, officer: User, query: str) -> None:
        a_case()
        assert signed_in(officer).get(reverse("decide:queue") + "?" + query).status_code == 200

    def test_says_when_nothing_waits(self, officer: User) -> None:
        a_decided_application()
        html = signed_in(officer).get(reverse("decide:queue")).content.decode()
        assert "Nothing waits for an officer" in html and "1 was decided today without an officer." in html

    def test_asks_the_database_the_same_whatever_the_number_of_cases(
        self, officer: User, django_assert_max_num_queries: object
    ) -> None:
        for _ in range(4):
            a_case()
        client = signed_in(officer)
        client.get(reverse("decide:queue"))
        with django_assert_max_num_queries(23):  # type: ignore[operator]
            client.get(reverse("decide:queue"))

    def test_leaves_out_what_was_withdrawn(self, officer: User) -> None:
        case = a_case()
        sending.withdraw_application(application=case.application, actor="person:x", now=NOW)
        assert case.application.reference not in signed_in(officer).get(reverse("decide:queue")).content.decode()

    def test_loads_the_keys_until_they_are_turned_off(self, officer: User) -> None:
        client = signed_in(officer)
        assert "keys.js" in client.get(reverse("decide:queue")).content.decode()
        client.post(reverse("decide:keys"))
        assert "keys.js" not in client.get(reverse("decide:queue")).content.decode()


class TestCase:
    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_shows_facts_checks_and_codes_and_chooses_nothing(self, officer: User, language: str) -> None:
        case = mine(officer)
        answer = signed_in(officer, language).get(page(case))
        html = answer.content.decode()
        assert answer.status_code == 200
        assert "R3" in html and "Q4" in html
        panel = html[html.index('class="panel"') :]
        assert " checked" not in panel and " selected" not in panel
        assert "+923001234567" not in html, "the contact is shown on request only"
        assert "3520212345671" not in html
        assert "style=" not in html and "<script>" not in html

    def test_offers_no_code_that_waits_for_confirmation_in_production(self, officer: User) -> None:
        case = mine(officer)
        with override_settings(REASONS_TO_CONFIRM_ALLOWED=False):
            html = signed_in(officer).get(page(case)).content.decode()
            assert 'value="R10"' in html and 'value="R3"' not in html and 'value="Q4"' not in html
            answer = signed_in(officer).post(page(case, "decide"), {"decision": "refuse", "codes": "R3", "text": "x"})
        assert answer.status_code == 422
        assert not Notice.objects.exists()

    def test_shows_the_membership_number_that_has_to_be_checked_by_hand(self, officer: User) -> None:
        case = mine(officer)
        application = Application.objects.get(pk=case.application_id)
        assert "Membership number" not in signed_in(officer).get(page(case)).content.decode()
        application.association_number = "SAMPLE-4711"
        application.save()
        html = signed_in(officer).get(page(case)).content.decode()
        assert "Membership number" in html and "SAMPLE-4711" in html

    def test_shows_no_panel_for_the_case_of_another(self, officer: User, second: User) -> None:
        case = mine(officer)
        html = signed_in(second).get(page(case)).content.decode()
        assert 'name="decision"' not in html and "Another officer has this case" in html

    def test_is_taken_with_a_button(self, officer: User, second: User) -> None:
        case = a_case()
        assert "Take this case" in signed_in(officer).get(page(case)).content.decode()
        signed_in(officer).post(page(case, "take"))
        assert fresh(case).assigned_to == officer
        answer = signed_in(second).post(page(case, "take"), follow=True)
        assert "Another officer took this case a moment ago." in answer.content.decode()

    def test_shows_the_contact_on_request_and_records_it(self, officer: User) -> None:
        case = mine(officer)
        assert "+923001234567" in signed_in(officer).post(page(case, "contact")).content.decode()
        assert journal.about(case.application.subject).filter(act="decide.read_contact").count() == 1

    def test_escapes_what_people_wrote(self, officer: User) -> None:
        case = mine(officer)
        question = questions.ask_question(case=case, officer=officer, code="Q4", text="<b>What</b>", now=NOW)
        questions.answer_question(question=question, answer="<script>alert(1)</script>", actor="person:x", now=NOW)
        html = signed_in(officer).get(page(case)).content.decode()
        assert "<script>alert" not in html and "&lt;script&gt;alert" in html

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_is_passed_on(self, officer: User, second: User, language: str) -> None:
        case = mine(officer)
        assert str(second.pk) in signed_in(officer, language).get(page(case)).content.decode()
        signed_in(officer).post(page(case, "hand_over"), {"to": str(second.pk)})
        assert fresh(case).assigned_to == second
        signed_in(officer).post(page(case, "hand_over"), {"to": ""})
        assert fresh(case).assigned_to == second


class TestDecide:
    def test_needs_a_choice(self, officer: User) -> None:
        case = mine(officer)
        answer = signed_in(officer).post(page(case, "decide"), {})
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "<title>Error:" in html and "Choose grant, ask or refuse." in html and 'href="#id_decision_0"' in html
        assert 'id="id_decision_0"' in html

    def test_says_which_checks_stand_in_the_way_of_a_grant(self, officer: User) -> None:
        case = mine(officer)
        answer = signed_in(officer).post(page(case, "decide"), {"decision": "grant"})
        assert answer.status_code == 422
        assert "1 check did not pass." in answer.content.decode()
        assert not Decision.objects.exists()

    def test_grants_after_the_check_was_recorded_by_hand(self, officer: User) -> None:
        a_gateway()
        case = mine(officer)
        client = signed_in(officer)
        found = {"outcome": "passed", "how": "Bill seen"}
        client.post(page(case, "record_check", check=failed_check(case)), found)
        answer = client.post(page(case, "decide"), {"decision": "grant"})
        assert answer["Location"] == reverse("decide:queue")
        assert Application.objects.get(pk=case.application_id).status == "granted"
        assert Decision.objects.get(case=case).decided_by == f"officer:{officer.pk}"

    def test_leads_on_to_the_next_case(self, officer: User) -> None:
        case, following = mine(officer), a_case()
        answer = signed_in(officer).post(page(case, "decide"), {"decision": "ask", "code": "Q4", "text": ""})
        assert answer["Location"] == page(following)

    def test_asks(self, officer: User) -> None:
        case = mine(officer)
        client = signed_in(officer)
        assert client.post(page(case, "decide"), {"decision": "ask"}).status_code == 422
        client.post(page(case, "decide"), {"decision": "ask", "code": "Q4", "text": "Which client?"})
        assert CaseQuestion.objects.get(case=case).text == "Which client?"
        html = client.get(page(case)).content.decode()
        assert "Waiting for the applicant" in html and 'name="decision"' not in html

    def test_proposes_a_refusal_with_reason_and_sentence(self, officer: User) -> None:
        case = mine(officer)
        client = signed_in(officer)
        answer = client.post(page(case, "decide"), {"decision": "refuse"})
        html = answer.content.decode()
        assert answer.status_code == 422
        assert "Choose at least one reason." in html and 'href="#id_codes"' in html and 'href="#id_text"' in html
        client.post(page(case, "decide"), {"decision": "refuse", "codes": ["R3", "R6"], "text": SENTENCE})
        notice = Notice.objects.get(case=case)
        assert (notice.codes, notice.text) == (["R3", "R6"], SENTENCE)
        assert not Decision.objects.exists()

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"decision": "refuse", "codes": ["R3"], "text": SENTENCE}, "Before we refuse, we tell you why"),
            ({"decision": "ask", "code": "Q4", "text": "Which client?"}, "Say what work the connection is for."),
            ({"decision": "grant"}, "as soon as the register has the entry"),
        ],
    )
    def test_shows_the_letter_first_without_sending_it(self, officer: User, given: dict, words: str) -> None:
        case = mine(officer)
        html = signed_in(officer).post(page(case, "decide"), {**given, "preview": "1"}).content.decode()
        assert words in html
        assert not Notice.objects.exists() and not CaseQuestion.objects.exists() and not Decision.objects.exists()
        assert re.search(rf'value="{given["decision"]}" checked', html), "what was filled in stays"

    def test_of_a_case_that_moved_on_changes_nothing(self, officer: User) -> None:
        case = mine(officer)
        client = signed_in(officer)
        given = {"decision": "ask", "code": "Q4", "text": ""}
        client.post(page(case, "decide"), given)
        answer = client.post(page(case, "decide"), given, follow=True)
        assert "The case changed in the meantime." in answer.content.decode()
        assert CaseQuestion.objects.count() == 1

    def test_records_what_was_found_only_with_words(self, officer: User) -> None:
        case = mine(officer)
        answer = signed_in(officer).post(page(case, "record_check", check=failed_check(case)), {"outcome": "passed"})
        assert answer.status_code == 422
        assert "Enter how you found out." in answer.content.decode()


class TestSecondApproval:
    def ripe(self, officer: User, *codes: str) -> Case:
        case = mine(officer)
        notice = refusals.propose_refusal(
            case=case, officer=officer, codes=codes or ["R3"], text=SENTENCE, named="The bill, page 2.", now=NOW
        )
        refusals.answer_notice(notice=notice, answer="It is my line.", actor="person:x", now=NOW + MINUTE)
        return fresh(case)

    @pytest.mark.parametrize("language", ["en", "ur"])
    def test_shows_the_proposer_no_button(self, officer: User, second: User, language: str) -> None:
        case = self.ripe(officer)
        own = signed_in(officer, language).get(page(case)).content.decode()
        assert page(case, "second") not in own and page(case, "drop") in own
        other = signed_in(second, language).get(page(case)).content.decode()
        assert page(case, "second") in other
        assert " checked" not in other[other.index('class="panel"') :]

    def test_lists_proposals_and_says_why_not(self, officer: User, second: User, director: User) -> None:
        case, harder = self.ripe(officer), self.ripe(officer, "R4")
        html = signed_in(second).get(reverse("decide:approvals")).content.decode()
        assert "1 decision waits for you" in html and "An officer of Director rank decides" in html
        for code in ("R3", "R4"):
            assert escape(policy_of(case.application).reasons[code].text.en) in html, "a code alone tells nothing"
        assert html.index(case.application.reference) < html.index(harder.application.reference)
        assert "2 decisions wait for you" in signed_in(director).get(reverse("decide:approvals")).content.decode()
        own = signed_in(officer).get(reverse("decide:approvals")).content.decode()
        assert "No decision waits for you" in own and "Yours, someone else decides" in own
        assert 'class="count">1<' in signed_in(second).get(reverse("decide:queue")).content.decode()

    def test_refuses_with_a_sentence(self, officer: User, second: User) -> None:
        case = self.ripe(officer)
        client = signed_in(second)
        assert client.post(page(case, "second"), {"decision": "refuse"}).status_code == 422
        client.post(page(case, "second"), {"decision": "refuse", "because": "No bill was shown."})
        decision = Decision.objects.get(case=case)
        assert (decision.outcome, decision.seconded_by, decision.text) == ("refused", second, "No bill was shown.")
        html = client.post(page(case, "why"), {"why": "supervision"}, follow=True).content.decode()
        assert "Refused" in html and "Appeal until" in html

    def test_by_the_proposer_through_the_back_door_changes_nothing(self, officer: User) -> None:
        case = self.ripe(officer)
        answer = signed_in(officer).post(page(case, "second"), {"decision": "refuse", "because": "Mine."}, follow=True)
        assert "Yours, someone else decides" in answer.content.decode()
        assert not Decision.objects.exists()

    def test_drops_the_proposal(self, officer: User, second: User) -> None:
        case = self.ripe(officer)
        signed_in(second).post(page(case, "second"), {"decision": "drop", "because": "The bill is in order."})
        assert fresh(case).status == "open" and not Decision.objects.exists()
        assert 'name="decision"' in signed_in(officer).get(page(case)).content.decode()

    def test_is_taken_back_by_the_proposer_with_a_sentence(self, officer: User) -> None:
        case = self.ripe(officer)
        client = signed_in(officer)
        assert client.post(page(case, "drop"), {}).status_code == 422
        client.post(page(case, "drop"), {"because": "I misread the bill."})
        assert Notice.objects.get(case=case).withdrawn_why == "I misread the bill."


class TestDocument:
    def with_document(self, content: bytes, media_type: str) -> tuple[Case, Document]:
        from rahdari.vault import files

        case = a_case()
        document = Document(
            application=case.application,
            rule="evidence",
            name="Letter of Sample Freelancer 31.png",
            media_type=media_type,
            size=len(content),
            sha256="0" * 64,
            uploaded_at=NOW,
        )
        document.stored = files.store(content, aad=document.aad)
        document.save()
        return case, document

    def test_is_shown_in_a_box_of_its_own_and_the_read_is_on_record(self, officer: User) -> None:
        case, document = self.with_document(PNG, "image/png")
        answer = signed_in(officer).get(page(case, "document", document=document.pk))
        assert answer.content == PNG
        assert answer["Content-Type"] == "image/png"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer["Content-Disposition"] == f'inline; filename="{case.application.reference}-evidence.png"'
        assert "no-cache" in answer["Cache-Control"] and "private" in answer["Cache-Control"]
        acts = [row.act for row in journal.reads_of([case.application.subject])]
        assert acts == ["apply.read_document", "decide.read_case"]

    def test_stands_in_the_page_of_the_case(self, officer: User) -> None:
        """A PDF too: no script, in no other page than ours, and its read on record when it is fetched."""
        case, document = self.with_document(b"%PDF-1.7", "application/pdf")
        client = signed_in(officer)
        there = page(case, "document", document=document.pk)
        html = client.get(page(case)).content.decode()
        assert f"?paper={document.pk}#paper" in html and there not in html
        client.cookies["django_language"] = "ur"
        # Words of Urdu are not turned round for the sake of a number.
        assert re.search(r"<bdi>8\W*بائٹ", client.get(page(case)).content.decode())
        client.cookies["django_language"] = "en"
        html = client.get(page(case), {"paper": str(document.pk)}).content.decode()
        # The viewer begins with the page, as wide as there is room for, and not with its list of pages.
        assert re.search(rf'<iframe [^>]*src="{there}#navpanes=0&amp;view=FitH"', html)
        assert "apply.read_document" not in [row.act for row in journal.reads_of([case.application.subject])]
        answer = client.get(there)
        assert answer["Content-Disposition"].startswith("inline") and answer["X-Frame-Options"] == "SAMEORIGIN"
        allowed = answer["Content-Security-Policy"]
        assert "default-src 'none'" in allowed and "frame-ancestors 'self'" in allowed and "script" not in allowed
        assert "<iframe" not in client.get(page(a_case()), {"paper": str(document.pk)}).content.decode()
        for nonsense in ("x", "\x00", str(case.pk)):
            assert "<iframe" not in client.get(page(case), {"paper": nonsense}).content.decode()

    def test_of_any_other_kind_is_only_downloaded(self, officer: User) -> None:
        case, document = self.with_document(b"<script>alert(1)</script>", "text/html")
        answer = signed_in(officer).get(page(case, "document", document=document.pk))
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["Content-Disposition"].startswith("attachment")

    def test_of_another_application_is_not_found(self, officer: User) -> None:
        _, document = self.with_document(PNG, "image/png")
        assert signed_in(officer).get(page(a_case(), "document", document=document.pk)).status_code == 404
        for person in (a_person(), an_officer("Operator", role="administrator")):
            assert signed_in(person).get(page(a_case(), "document", document=document.pk)).status_code == 403
