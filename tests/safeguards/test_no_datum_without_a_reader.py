"""Nothing is asked of an applicant that no check and no person reads (docs/adr/0025)."""

import inspect
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply import drafts, evidence_forms
from rahdari.apply import forms as asked
from rahdari.apply.models import Application
from rahdari.decide import assignment, evidence, questions
from rahdari.policy import BUNDLED, PolicyError, load, read
from tests.builders import cases as builders
from tests.builders.drafts import CNIC, a_complete_draft, a_draft, actor_of, asking, sent

POLICY = load(BUNDLED)
BUNDLE = BUNDLED.read_text(encoding="utf-8")

# Every field of the pages on which an applicant says who they are and what they show, and who reads it. A new field
# stands here with its reader, or it is not asked.
READ_BY = {
    "name": "the checks that compare names; officers; the certificate",
    "cnic": "the checks attestation and represents; a declaration, which works once",
    "company_number": "the checks roster and represents",
    "ntn": "the check roster, of active taxpayers",
    "mobile": "officers, who call it",
    "purpose": "officers, where they read the papers of everybody",
    "kind": "the check documents",
    "text": "the checks documents and employer; officers",
    "declared": "the check documents",
    "association": "the checks attestation and roster",
    "number": "the checks attestation and roster",
    "valid_until": "the register: a registration ends with the paper that it rests on",
    "seen": "the page itself: whether another tab saved meanwhile",
}


def _fields() -> set[str]:
    modules = (asked, evidence_forms)
    found = [each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)]
    ours = [each for each in found if issubclass(each, forms.Form) and each.__module__ in {m.__name__ for m in modules}]
    return {name for form in ours for name in form.base_fields}


def test_every_field_has_a_reader() -> None:
    assert _fields() == set(READ_BY)


def _with(service: str, asks: str, text: str = BUNDLE) -> str:
    at = f"[services.{service}]\n"
    before, after = text.split(at)
    line = next(each for each in after.splitlines() if each.startswith("asks = "))
    return before + at + after.replace(line, asks, 1)


@pytest.mark.parametrize(
    ("service", "asks", "said"),
    [
        ("vpn_freelancer", 'asks = { purpose = "required" }', "Nobody reads purpose"),
        ("vpn_freelancer", 'asks = { purpose = "optional" }', "Nobody reads purpose"),
        ("vpn_company", 'asks = { purpose = "required" }', "Nobody reads purpose"),
        ("vpn_company", 'asks = { name = "optional" }', "is not one of: required"),
        ("vpn_freelancer", "asks = {}", "name of whoever applies, and none is asked for"),
        ("vpn_company", 'asks = { card_number = "required" }', "Nobody reads card_number"),
        ("vpn_company", 'asks = { card_number = "where_compared" }', "Nobody reads card_number"),
        ("vpn_freelancer", 'asks = { religion = "required" }', "This key is not known here"),
        ("vpn_freelancer", 'asks = { contact_number = "perhaps" }', "required, optional"),
        ("vpn_mission", "company_number = true", "The company number is asked for"),
    ],
)
def test_a_policy_that_asks_for_what_nobody_reads_does_not_load(service: str, asks: str, said: str) -> None:
    text = _with(service, asks)
    if asks.startswith("company_number"):
        before, after = text.split(f"[services.{service}]\n")
        text = f"{before}[services.{service}]\n{after.replace('company_number = false\n', '', 1)}"
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert any(said in problem.message for problem in caught.value.problems), caught.value.problems


def test_papers_that_no_check_reads_are_refused() -> None:
    at = "[services.whitelist_video]\n"
    before, after = BUNDLE.split(at)
    service, rest = after.split("\n[services.", 1)
    assert service.count('kind = "documents"') == 1
    service = service.replace('kind = "documents"', 'kind = "origin"')
    with pytest.raises(PolicyError) as caught:
        read(f"{before}{at}{service}\n[services.{rest}")
    assert any("no check of kind documents reads them" in each.message for each in caught.value.problems)


def test_the_bundled_policy_asks_for_no_purpose_and_requires_no_number_of_a_person() -> None:
    for service in POLICY.services.values():
        assert "purpose" not in service.asks
        assert {datum for datum, way in service.asks.items() if way == "required"} <= {"name"}
    assert {key for key, service in POLICY.services.items() if "card_number" in service.asks} == {"vpn_freelancer"}


@pytest.mark.django_db
class TestPages:
    def shown(self, draft: Application, name: str) -> str:
        browser = Client()
        browser.force_login(draft.applicant)
        answer = browser.get(reverse(f"apply:{name}", args=[draft.reference]))
        return answer.text if answer.status_code == 200 else ""

    def test_ask_for_the_number_of_a_card_only_where_it_is_compared(self) -> None:
        draft = a_draft()
        for name in ("about", "person", "contact", "evidence", "purpose"):
            page = self.shown(draft, name)
            assert 'name="cnic"' not in page and 'name="purpose"' not in page
        common: dict[str, Any] = {"application": draft, "actor": actor_of(draft.applicant), "now": timezone.now()}
        for kind in POLICY.services["vpn_freelancer"].evidence:
            drafts.save_evidence(kind=kind.key, **common)
            pages = [self.shown(draft, name) for name in ("evidence_text", "evidence_client", "evidence_declaration")]
            assert any('name="cnic"' in page for page in pages) == (kind.key == "self_declaration"), kind.key
        assert 'name="cnic"' in self.shown(draft, "association")

    def test_ask_for_it_where_a_policy_says_so(self, settings: Any, tmp_path: Path) -> None:
        asking(settings, tmp_path, card_number="required", purpose="required")
        page = self.shown(a_draft(), "about")
        assert 'name="cnic"' in page and 'name="purpose"' in page and 'name="mobile"' not in page


@pytest.mark.django_db
class TestWhatIsNotAsked:
    def test_is_not_kept_when_it_was_given_under_other_rules(self) -> None:
        draft = a_complete_draft()
        common: dict[str, Any] = {"application": draft, "actor": actor_of(draft.applicant), "now": timezone.now()}
        drafts.save_purpose(purpose="Planted words about the work", **common)
        drafts.save_evidence(kind="client_email", text="From studio@client.example: we work with you.", **common)
        assert Application.objects.get(pk=draft.pk).cnic == CNIC
        kept = sent(Application.objects.get(pk=draft.pk))
        assert (kept.cnic, kept.cnic_index, kept.purpose) == ("", "", "")
        assert kept.name and kept.contact_mobile

    def test_stays_where_the_proof_compares_it(self) -> None:
        assert sent(a_complete_draft()).cnic == CNIC

    def test_what_the_connection_is_for_is_the_answer_to_an_officers_question(self) -> None:
        case, officer = builders.a_case(), builders.an_officer()
        case.application.evidence_kind = "client_confirms"
        reason = POLICY.reasons["R6"]
        assert evidence.missing(evidence.File(case.application, builders.NOW), reason) == ("own_words",)
        now = builders.NOW + builders.HOUR
        assignment.take_case(case=case, officer=officer, now=now)
        question = questions.ask_question(case=case, officer=officer, code="Q4", text="What is it for?", now=now)
        questions.answer_question(question=question, answer="I design the pages of shops.", actor="person:x", now=now)
        assert evidence.missing(evidence.File(case.application, builders.NOW), reason) == ()
