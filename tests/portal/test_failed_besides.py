"""An association that answered no: officer and applicant read that it did, and what it changes."""

import pytest
from django.test import Client
from django.urls import reverse

from rahdari import workflow
from rahdari.apply import drafts, late_evidence
from rahdari.apply.models import Application
from rahdari.attest import requests
from rahdari.attest.models import MembershipInquiry
from rahdari.attest.rules import Answer
from rahdari.checks import queries as checks
from rahdari.decide import assignment, queries
from rahdari.decide.models import Case
from rahdari.decide.rules import Beside, beside
from rahdari.people.models import User
from tests.builders.attestations import ASSOCIATION, a_secretary
from tests.builders.cases import NOW, an_application, an_officer
from tests.builders.drafts import a_photo

pytestmark = pytest.mark.django_db
SAID_NO = "answered that it has no such member under this number"
CHANGES_NOTHING = "This changes nothing: another proof is accepted in its place, and you need do nothing."
NO_PROOF = "It is no proof here, and the decision depends on your other proofs."


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> Application:
    save = drafts.save_evidence
    named = {"association": ASSOCIATION, "association_number": "M-00731"}
    monkeypatch.setattr(drafts, "save_evidence", lambda **facts: save(**facts | named))
    a_secretary()
    application = an_application(evidence="association", text="")
    workflow.advance(now=NOW)
    request = MembershipInquiry.objects.get()
    requests.answer_request(request=request, answer=Answer.NOT_MEMBER, by="person:test", now=NOW)
    workflow.advance(now=NOW)
    return application


def case_of(application: Application) -> Case:
    case = queries.case_of(application)
    assert case is not None
    return case


def page(user: User, name: str, application: Application, language: str = "en") -> str:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client.get(reverse(name, args=[application.reference])).text


class TestAnAssociationThatSaidNo:
    def test_is_told_to_the_applicant_who_has_no_other_proof(self, denied: Application) -> None:
        shown = page(denied.applicant, "portal:status", denied)
        assert SAID_NO in shown and NO_PROOF in shown and CHANGES_NOTHING not in shown
        shown = page(denied.applicant, "portal:status", denied, "ur")
        assert "یہ یہاں ثبوت نہیں" in shown

    def test_is_told_to_both_where_another_proof_stands_in(self, denied: Application) -> None:
        officer = an_officer("Officer C")
        case = assignment.take_case(case=case_of(denied), officer=officer, now=NOW)
        before = page(officer, "decide:case", denied)
        assert "It was offered in place of a check that has not passed." in before
        late_evidence.offer_proof(
            application=denied,
            kind="contract",
            sent=[late_evidence.File("contract.jpg", a_photo())],
            actor=f"person:{denied.applicant_id}",
            now=NOW,
        )
        workflow.advance(now=NOW)
        check = checks.checks_of(denied.subject).get(kind="documents")
        assignment.record_check(
            case=case, check=check.pk, outcome="passed", how="Read the letter.", officer=officer, now=NOW
        )
        shown = page(officer, "decide:case", denied)
        assert SAID_NO in shown and "Another proof is accepted in its place." in shown
        failed = checks.checks_of(denied.subject).filter(outcome="failed").count()
        assert f"{failed} failed" in shown and "Not needed" not in shown
        shown = page(denied.applicant, "portal:status", denied)
        assert SAID_NO in shown and CHANGES_NOTHING in shown and NO_PROOF not in shown


@pytest.mark.parametrize(
    ("required", "instead_of", "found"),
    [
        (True, None, Beside.STANDS),
        (False, None, Beside.OPTIONAL),
        (False, "documents", Beside.OPEN),
        (False, "roster", Beside.STANDS),
    ],
)
def test_a_failed_check_is_beside_the_decision(required: bool, instead_of: str | None, found: Beside) -> None:
    assert beside(required=required, instead_of=instead_of, not_passed={"documents"}) is found
