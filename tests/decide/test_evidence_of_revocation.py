"""No registration is taken back by a code whose evidence is not in the file: it is neither proposed nor decided, and
the page says what is missing and how it gets there."""

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.apply.models import Document
from rahdari.decide import case_clock, evidence, queries, revocation
from rahdari.decide.evidence import EvidenceMissing
from rahdari.decide.models import Case, Revocation
from rahdari.people.models import User
from rahdari.register.models import Registration
from tests.builders.cases import DAY, HOUR, PAPER, shown_in_vain
from tests.builders.drafts import a_pdf

from .test_revocation import LATER, answered, granted

pytestmark = pytest.mark.django_db
SAYS: dict[str, Any] = {"text": "So it is.", "evidence": "In the file.", "now": LATER}
NEEDED = {
    "S1": "date_and_reminders",
    "S2": "answer_and_reproof",
    "S4": "report_or_proofs",
    "S5": "report_answer_hearing",
    "X2": "register_extract",
    "X4": "report_answer_hearing",
}


def propose(case: Case, officer: User, code: str, **more: Any) -> None:
    revocation.propose_revocation(case=case, officer=officer, code=code, **SAYS, **more)


def drop(case: Case, officer: User) -> None:
    revocation.keep_registration(case=case, officer=officer, why="Another code fits.", now=LATER)


class TestProposing:
    def test_is_refused_by_every_code_that_a_paper_or_an_answer_must_show(self, officer: User) -> None:
        case, _found = granted()
        for code, key in NEEDED.items():
            with pytest.raises(EvidenceMissing) as error:
                propose(case, officer, code)
            assert error.value.missing == ((code, key),)
        assert not case.notices.exists()

    @pytest.mark.parametrize("code", ["S1", "S4", "S5", "X2", "X4"])
    def test_is_possible_with_the_paper_that_shows_it(self, officer: User, code: str) -> None:
        case, _found = granted()
        propose(case, officer, code, paper=PAPER)
        notice = case.notices.get()
        assert Document.objects.get(rule=notice.shown_subject).application == case.application

    def test_counts_no_paper_of_an_earlier_proposal(self, officer: User, second: User) -> None:
        case, _found = granted()
        propose(case, officer, "S4", paper=PAPER)
        drop(case, second)
        with pytest.raises(EvidenceMissing):
            propose(case, officer, "S4")

    def test_is_possible_after_two_proofs_in_vain_and_not_after_one(self, officer: User) -> None:
        case, found = granted()
        shown_in_vain(found, now=LATER - HOUR, times=1)
        with pytest.raises(EvidenceMissing):
            propose(case, officer, "S4")
        shown_in_vain(found, now=LATER, times=2)
        propose(case, officer, "S4")

    def test_of_an_address_that_somebody_else_has_takes_the_answer_and_the_proof(
        self, officer: User, second: User
    ) -> None:
        case, found = granted()
        with pytest.raises(EvidenceMissing):
            propose(case, officer, "S2", paper=PAPER)
        shown_in_vain(found, now=LATER)
        with pytest.raises(EvidenceMissing):
            propose(case, officer, "S2")
        propose(case, officer, "S2", paper=PAPER)


class TestDeciding:
    def test_is_refused_when_the_evidence_is_gone(self, officer: User, second: User) -> None:
        case, found = granted()
        propose(case, officer, "S4", paper=PAPER)
        answered(case)
        Document.objects.filter(rule__startswith="shown:").update(erased_at=LATER)
        facts: dict[str, Any] = {"case": case, "officer": second, "because": "So it is.", "now": LATER + DAY}
        with pytest.raises(EvidenceMissing):
            revocation.second_revocation(**facts)
        shown_in_vain(found, now=LATER + DAY)
        assert revocation.second_revocation(**facts).kind == "suspension"

    def test_of_a_breach_takes_the_report_the_answer_and_the_hearing(self, officer: User) -> None:
        case, _found = granted()
        propose(case, officer, "S5", paper=PAPER)
        breach = case_clock.policy_of(case.application).reasons["S5"]

        def lacks() -> bool:
            notice = queries.open_notice(queries.cases().get(pk=case.pk))
            return bool(evidence.missing(evidence.File(case.application, LATER, notice=notice), breach))

        assert lacks()
        answered(case)
        assert not lacks()
        case.notices.update(hearing_asked_at=LATER + HOUR)
        assert lacks()


class TestPage:
    def test_says_what_is_missing_and_how_to_add_it(self, officer: User, second: User, time_machine: Any) -> None:
        time_machine.move_to(LATER)
        case, _found = granted()
        place = reverse("decide:revoke", args=[case.application.reference])

        def desk(user: User) -> Client:
            client = Client()
            client.force_login(user)
            client.post(reverse("decide:why", args=[case.application.reference]), {"why": "revocation"})
            return client

        first, other = desk(officer), desk(second)
        assert "Not in the file yet" in first.get(place).text
        given: dict[str, Any] = {"take_code": "X2", "take_text": "It was wound up.", "take_evidence": "The extract."}
        refused = first.post(place, given)
        said = "needs in the file: An extract of the register. Add the extract as a document."
        assert refused.status_code == 422 and said in refused.text
        wrong = SimpleUploadedFile("extract.pdf", b"no document")
        assert first.post(place, given | {"take_paper": wrong}).status_code == 422
        assert not case.notices.exists()
        paper = SimpleUploadedFile("extract.pdf", a_pdf())
        assert first.post(place, given | {"take_paper": paper})["Location"] == place
        shown = other.get(place).text
        assert "Document that shows it" in shown and "Not in the file" not in shown
        kept = Document.objects.get(rule__startswith="shown:")
        holder = Client()
        holder.force_login(case.application.applicant)
        own = reverse("apply:document", args=[case.application.reference, kept.pk])
        assert own in holder.get(reverse("portal:notice", args=[case.application.reference])).text
        assert holder.get(own).status_code == 200
        assert f"paper={kept.pk}" in shown
        assert (
            other.get(reverse("decide:case", args=[case.application.reference]) + f"?paper={kept.pk}").status_code
            == 200
        )
        answered_at = timezone.now() + dt.timedelta(seconds=1)
        case.notices.update(answered_at=answered_at)
        Document.objects.filter(pk=kept.pk).update(erased_at=answered_at)
        late = other.post(place, {"decision": "take", "because": "So it is."})
        assert late.status_code == 422 and said in late.text and "Drop it and propose it again" in late.text
        assert not Revocation.objects.exists()


def test_a_registration_that_no_proof_stands_behind_is_read_without_an_error(officer: User) -> None:
    case, found = granted()
    assert isinstance(found, Registration)
    file = evidence.File(case.application, LATER)
    assert file.proofs_in_vain == 0 and not file.reports and not file.has_officers_paper
