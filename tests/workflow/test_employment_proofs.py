"""Evidence of employment to come: a client who answers, one who does not, a declaration, a proof that comes later."""

import datetime as dt
from typing import Any

import pytest

from rahdari import policy, workflow
from rahdari.apply import late_evidence, sending
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.register import queries as register
from rahdari.register.models import Registration
from rahdari.vouch import actions as vouch
from rahdari.vouch.models import ReferenceRequest
from tests.builders.cases import DAY, NOW, an_application
from tests.builders.drafts import a_photo

pytestmark = pytest.mark.django_db
ADDRESS = "accounts@client.example"


def asked(address: str = ADDRESS) -> tuple[Application, ReferenceRequest]:
    """A freelancer who named a client; the client has our letter."""
    application = an_application(evidence="client_confirms", text=address)
    workflow.advance(now=NOW)
    return application, ReferenceRequest.objects.get()


def registration_of(application: Application) -> Registration | None:
    return register.registration_from(application.subject)


def status_of(application: Application) -> str:
    return Application.objects.get(pk=application.pk).status


def finding_of(application: Application, kind: str = "employer") -> str:
    return checks.checks_of(application.subject).get(kind=kind).finding


class TestAClient:
    def test_is_asked_when_the_application_is_sent_and_not_before(self) -> None:
        application, question = asked()
        assert (question.domain, question.asked_by) == ("client.example", f"person:{application.applicant_id}")
        assert registration_of(application) is None and decisions.case_of(application) is None
        workflow.advance(now=NOW)
        assert Letter.objects.filter(template="client_question").count() == 1

    def test_who_confirms_makes_it_a_full_registration(self) -> None:
        application, question = asked()
        vouch.answer(question=question, given="yes", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        registration = registration_of(application)
        assert registration is not None and not registration.is_provisional
        check = checks.checks_of(application.subject).get(kind="employer")
        assert check.evidence["domain"] == "client.example" and "accounts" not in str(check.evidence)
        assert not any(workflow.advance(now=NOW + DAY).values())

    @pytest.mark.parametrize(("given", "finding"), [("no", "client_denied"), ("not_me", "client_not_known")])
    def test_who_says_no_brings_an_officer_and_never_a_refusal(self, given: str, finding: str) -> None:
        application, question = asked()
        vouch.answer(question=question, given=given, now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert finding_of(application) == finding
        assert status_of(application) == "submitted"
        case = decisions.case_of(application)
        assert case is not None and case.status == "open"

    def test_who_is_silent_for_two_working_days_holds_nobody_up(self) -> None:
        application, _question = asked()
        workflow.advance(now=NOW + dt.timedelta(days=1))
        assert registration_of(application) is None
        workflow.advance(now=NOW + dt.timedelta(days=3))
        registration = registration_of(application)
        assert registration is not None and registration.provisional_code == "P2"

    def test_who_never_answers_leaves_time_for_another_proof(self) -> None:
        application, question = asked()
        workflow.advance(now=NOW + dt.timedelta(days=3))
        workflow.advance(now=question.remind_at)
        assert Letter.objects.filter(template="client_reminder").count() == 1
        workflow.advance(now=question.due_at)
        registration = registration_of(application)
        assert registration is not None and registration.is_provisional
        assert status_of(application) == "granted", "no officer has to look at it because a client is silent"
        assert finding_of(application) == "client_silent"
        offer(application, kind="client_email", text="From studio@client.example: we work with you.")
        workflow.advance(now=question.due_at + DAY)
        assert not registration_of(application).is_provisional  # type: ignore[union-attr]

    def test_who_wants_no_mail_is_not_written_to(self) -> None:
        application, question = asked()
        vouch.stop(question=question, now=NOW)
        other = an_application(evidence="client_confirms", text=ADDRESS)
        workflow.advance(now=NOW)
        # Somebody else does not learn that the client has heard from us; who was told so does.
        assert (finding_of(other), finding_of(application)) == ("", "client_stopped")
        assert Letter.objects.filter(template="client_question").count() == 1

    def test_has_an_address_that_is_forgotten_in_time(self) -> None:
        application, question = asked()
        vouch.answer(question=question, given="yes", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        assert Application.objects.get(pk=application.pk).evidence_text == ADDRESS
        workflow.advance(now=question.erase_at)
        assert Application.objects.get(pk=application.pk).evidence_text == "client.example"
        question.refresh_from_db()
        assert (question.address, question.name, question.domain) == ("", "", "client.example")


def offer(application: Application, **facts: Any) -> None:
    application = Application.objects.get(pk=application.pk)
    late_evidence.offer_proof(
        application=application, actor=f"person:{application.applicant_id}", now=NOW + DAY, **facts
    )


class TestADeclaration:
    def test_gives_a_provisional_registration_at_once_for_thirty_days(self) -> None:
        application = an_application(evidence="self_declaration", text="Web design for shops abroad")
        workflow.advance(now=NOW)
        registration = registration_of(application)
        assert registration is not None and registration.provisional_code == "P2"
        assert dt.timedelta(days=30) <= registration.valid_until - NOW < dt.timedelta(days=32)

    def test_becomes_a_full_one_when_a_stronger_proof_comes(self) -> None:
        application = an_application(evidence="self_declaration", text="Web design for shops abroad")
        workflow.advance(now=NOW)
        offer(application, kind="contract", sent=[late_evidence.File("contract.jpg", a_photo())])
        workflow.advance(now=NOW + DAY)
        registration = registration_of(application)
        assert registration is not None and not registration.is_provisional

    def test_works_once_in_its_time(self) -> None:
        first = an_application(evidence="self_declaration", text="Web design for shops abroad")
        with pytest.raises(sending.StepsMissing):
            an_application(
                applicant=first.applicant, evidence="self_declaration", text="Web design", now=NOW + 60 * DAY
            )

    def test_is_for_one_address_only(self) -> None:
        with pytest.raises(sending.StepsMissing):
            an_application(evidence="self_declaration", text="Web design", also="203.0.113.252")


class TestALaterProof:
    def test_is_refused_for_a_kind_that_would_not_end_the_provisional_time(self) -> None:
        application = an_application(evidence="work_profile")
        workflow.advance(now=NOW)
        for kind in ("work_profile", "self_declaration", "nothing", "client_letter"):
            with pytest.raises(late_evidence.ProofNotAccepted):
                offer(application, kind=kind, text="https://platform.example/sample")

    def test_that_an_officer_has_to_read_goes_to_one(self) -> None:
        application = an_application(evidence="work_profile")
        workflow.advance(now=NOW)
        offer(application, kind="other", sent=[late_evidence.File("invoice.jpg", a_photo())])
        workflow.advance(now=NOW + DAY)
        assert status_of(application) == "submitted"
        assert finding_of(application, "documents") == "to_be_read"
        registration = registration_of(application)
        assert registration is not None and registration.entries.get().ended_at is None

    def test_may_be_another_client(self) -> None:
        application, question = asked()
        vouch.answer(question=question, given="not_me", now=NOW)
        workflow.advance(now=NOW)
        offer(application, kind="client_confirms", text="office@client.example")
        workflow.advance(now=NOW + DAY)
        second = ReferenceRequest.objects.exclude(pk=question.pk).get()
        assert second.state == "waiting"
        vouch.answer(question=second, given="yes", now=NOW + DAY)
        workflow.advance(now=NOW + DAY)
        found = decisions.assessment_of(Application.objects.get(pk=application.pk), NOW + DAY)
        assert type(found).__name__ == "Grantable", "the officer finds nothing missing"

    def test_of_a_finished_application_is_refused(self) -> None:
        application = an_application()
        sending.withdraw_application(application=application, actor="person:x", now=NOW)
        with pytest.raises(late_evidence.NothingAwaited):
            offer(application, kind="client_email", text="From studio@client.example")


def test_what_asks_in_a_way_of_its_own_is_a_kind_of_check() -> None:
    from rahdari.checks.kinds import KINDS
    from rahdari.workflow.checking import _REQUESTS

    assert set(_REQUESTS) <= set(KINDS)
    assert policy.current(None).vouching is not None
