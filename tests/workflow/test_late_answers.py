"""Answers that come after an application went to an officer: a rule decides, as long as no officer has touched it."""

import datetime as dt
import ipaddress
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rahdari import workflow
from rahdari.address import directory
from rahdari.apply import drafts, late_evidence, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.attest import requests
from rahdari.attest.models import MembershipInquiry
from rahdari.attest.rules import Answer, Identifier
from rahdari.checks import checking
from rahdari.checks import queries as checks
from rahdari.checks.models import Check
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.decide import assignment, granting, questions, refusals, rules
from rahdari.decide import queries as cases
from rahdari.decide.models import Case, Decision
from rahdari.journal.models import JournalEntry as Row
from rahdari.letters.models import Letter
from rahdari.people.models import User
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.vouch import actions as vouch
from rahdari.vouch.models import ReferenceRequest
from rahdari.workflow import late_answers
from rahdari.workflow.late_answers import LOOKS_AGAIN
from tests.builders.addresses import an_address
from tests.builders.attestations import ASSOCIATION, a_secretary, an_attestation
from tests.builders.cases import DAY, HOUR, NOW, an_application, an_officer, denied

pytestmark = pytest.mark.django_db
LATER = NOW + HOUR


def case_of(application: Application) -> Case:
    case = cases.case_of(application)
    assert case is not None
    return case


def status_of(application: Application) -> str:
    return Application.objects.get(pk=application.pk).status


def check_of(application: Application, kind: str) -> Check:
    return checks.checks_of(application.subject).get(kind=kind)


def acts_of(application: Application) -> list[str]:
    rows = Row.objects.filter(subject=application.subject, act__startswith="decide.")
    return [row.act.removeprefix("decide.") for row in rows.order_by("at", "pk")]


def is_granted_by_rule(application: Application) -> bool:
    decision = Decision.objects.filter(case__application=application, voided_at=None).first()
    return (
        status_of(application) == "granted"
        and decision is not None
        and decision.decided_by.startswith("rule:")
        and decision.entered_at is not None
        and Letter.objects.filter(template__startswith="application_granted", about=application.subject).count() == 1
    )


def with_an_officer(address: str) -> Application:
    """Another holder has its address, so it went to an officer."""
    application = an_application(address=address)
    workflow.advance(now=NOW)
    assert status_of(application) == "submitted" and acts_of(application) == ["opened_case"]
    return application


@pytest.fixture
def held() -> tuple[Application, Application]:
    """Who has an address, and who comes second and waits for an officer."""
    address = an_address()
    first = an_application(address=address)
    workflow.advance(now=NOW)
    return first, with_an_officer(address)


def free_it(first: Application, now: dt.datetime) -> None:
    registration = entries.registration_from(first.subject)
    assert registration is not None
    register.strike_out(registration=registration, code="X1", actor="person:1", now=now)


def take(case: Case, officer: User) -> None:
    assignment.take_case(case=case, officer=officer, now=NOW)


def ask(case: Case, officer: User) -> None:
    take(case, officer)
    question = questions.ask_question(case=case, officer=officer, code="Q4", text="Which clients?", now=NOW)
    questions.answer_question(question=question, answer="Two of them.", actor="person:1", now=NOW)
    assignment.hand_over(case=case, officer=officer, to=None, now=NOW)


def propose(case: Case, officer: User) -> None:
    take(case, officer)
    denied(case.application)
    refusals.propose_refusal(case=case, officer=officer, codes=["R3"], text="No contract.", now=NOW)
    assignment.hand_over(case=case, officer=officer, to=None, now=NOW)


def drop(case: Case, officer: User) -> None:
    propose(case, officer)
    take(case, officer)
    refusals.drop_refusal(case=case, officer=officer, why="It was another one.", now=NOW)
    assignment.hand_over(case=case, officer=officer, to=None, now=NOW)


def find_out(case: Case, officer: User) -> None:
    take(case, officer)
    check = check_of(case.application, "origin")
    assignment.record_check(case=case, officer=officer, check=check.pk, outcome="failed", how="I asked.", now=NOW)
    assignment.hand_over(case=case, officer=officer, to=None, now=NOW)


def put_back(case: Case, officer: User) -> None:
    take(case, officer)
    assignment.hand_over(case=case, officer=officer, to=None, now=NOW)


class TestWhoeverHadTheAddressHasGone:
    def test_the_rule_decides_within_a_quarter_of_an_hour(self, held: tuple[Application, Application]) -> None:
        first, second = held
        workflow.advance(now=LATER)
        free_it(first, LATER)
        workflow.advance(now=LATER + LOOKS_AGAIN - dt.timedelta(seconds=1))
        assert status_of(second) == "submitted"
        workflow.advance(now=LATER + LOOKS_AGAIN)
        assert is_granted_by_rule(second)
        assert acts_of(second) == ["opened_case", "granted_by_rule", "entered"]
        case = case_of(second)
        assert case.lane == "automatic", "the applicant reads that it was decided by rule"
        check = check_of(second, "not_registered")
        assert check.finding == "free" and check.evidence["before"]["finding"] == "registered_by_another"
        assert not any(workflow.advance(now=LATER + 2 * LOOKS_AGAIN).values())

    def test_one_that_fails_keeps_no_other_from_its_decision(
        self, held: tuple[Application, Application], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = held
        address = an_address()
        other = an_application(address=address)
        workflow.advance(now=NOW)
        third = with_an_officer(address)
        ask_again = checking.ask_again

        def fails(*, subject: str, **facts: Any) -> int:
            if subject == min(second, third, key=lambda each: str(case_of(each).pk)).subject:
                raise LookupError("sample")
            return ask_again(subject=subject, **facts)

        monkeypatch.setattr(checking, "ask_again", fails)
        for queue in (late_answers.recheck, late_answers.follow_news):
            monkeypatch.setattr(queue, "at_most", 1)
        for each in (first, other):
            free_it(each, NOW)
        for _ in range(3):
            workflow.advance(now=LATER)
        assert sorted([status_of(second), status_of(third)]) == ["granted", "submitted"]

    def test_and_nothing_is_decided_twice(self, held: tuple[Application, Application]) -> None:
        first, second = held
        free_it(first, NOW)
        workflow.advance(now=LATER)
        case = case_of(second)
        assert granting.decide_late(case=case, now=LATER) is False
        assert Decision.objects.filter(case=case).count() == 1

    @pytest.mark.parametrize("touch", [take, ask, propose, drop, find_out], ids=lambda touch: touch.__name__)
    def test_a_case_that_an_officer_touched_is_the_officers(
        self, held: tuple[Application, Application], touch: Callable[[Case, User], None]
    ) -> None:
        first, second = held
        touch(case_of(second), an_officer())
        free_it(first, NOW)
        workflow.advance(now=LATER)
        assert status_of(second) == "submitted" and not Decision.objects.filter(case__application=second).exists()

    def test_a_case_that_was_put_back_as_it_was_is_in_nobodys_hands(
        self, held: tuple[Application, Application]
    ) -> None:
        first, second = held
        put_back(case_of(second), an_officer())
        free_it(first, NOW)
        workflow.advance(now=LATER)
        assert is_granted_by_rule(second)

    def test_who_withdrew_meanwhile_is_not_registered(self, held: tuple[Application, Application]) -> None:
        first, second = held
        sending.withdraw_application(application=second, actor="person:1", now=NOW)
        free_it(first, NOW)
        workflow.advance(now=LATER)
        assert status_of(second) == "withdrawn" and case_of(second).status == "withdrawn"

    def test_only_one_of_two_who_waited_for_it_is_registered_and_nothing_goes_round_in_circles(
        self, held: tuple[Application, Application]
    ) -> None:
        first, second = held
        third = with_an_officer(str(applications.endpoints_of(second).get().network.network_address))
        free_it(first, NOW)
        for minutes in (60, 61, 90, 120):
            workflow.advance(now=NOW + dt.timedelta(minutes=minutes))
        assert sorted([status_of(second), status_of(third)]) == ["granted", "submitted"]
        beaten = third if status_of(second) == "granted" else second
        assert acts_of(beaten).count("returned_grant") == 1 and case_of(beaten).status == "open"


class TestTheProofOfTheAddress:
    def unproved(self) -> Application:
        """Of two addresses one was never proved, until its links had ended."""
        application = an_application(also=an_address())
        other = applications.endpoints_of(application).last()
        assert other is not None
        self.prove(other, NOW, only_open=True)
        workflow.advance(now=NOW)
        workflow.advance(now=NOW + 8 * DAY)
        assert acts_of(application) == ["opened_case"]
        return application

    def prove(self, endpoint: Any, now: dt.datetime, *, only_open: bool = False) -> None:
        facts = {"subject": endpoint.subject, "block": endpoint.network, "method": Method.LINK}
        challenge = challenges.open_challenge(valid_for=7 * DAY, now=now, **facts)
        if not only_open:
            address = ipaddress.ip_address(str(endpoint.network.network_address))
            challenges.open_link(token=proofs.link_token(challenge), address=address, now=now)

    def test_that_comes_late_is_decided_by_rule_at_once(self) -> None:
        application = self.unproved()
        later = NOW + 8 * DAY + dt.timedelta(minutes=1)
        self.prove(applications.endpoints_of(application).last(), later)
        workflow.advance(now=later)
        assert is_granted_by_rule(application)

    def test_that_comes_when_an_officer_has_the_case_is_a_passed_check_for_the_officer(self) -> None:
        application = self.unproved()
        take(case_of(application), an_officer())
        self.prove(applications.endpoints_of(application).last(), NOW + 9 * DAY)
        workflow.advance(now=NOW + 9 * DAY)
        controls = checks.checks_of(application.subject).filter(kind="control")
        assert {check.finding for check in controls} == {"proved"} and status_of(application) == "submitted"
        assert not any(workflow.advance(now=NOW + 9 * DAY).values())


class TestAnAssociation:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> tuple[Application, MembershipInquiry]:
        save = drafts.save_evidence
        named = {"association": ASSOCIATION, "association_number": "M-00731"}
        monkeypatch.setattr(drafts, "save_evidence", lambda **facts: save(**facts | named))
        a_secretary()
        application = an_application(evidence="association", text="")
        workflow.advance(now=NOW)
        return application, MembershipInquiry.objects.get()

    def says_no(self, request: MembershipInquiry) -> None:
        requests.answer_request(request=request, answer=Answer.NOT_MEMBER, by="person:test", now=NOW)
        workflow.advance(now=NOW)

    def attests(self, application: Application, claim: str) -> None:
        user = application.applicant
        facts = {"identifier": Identifier("email", user.email), "name": user.name, "number": "M-00731"}
        an_attestation(claim=claim, now=LATER, **facts)
        workflow.advance(now=LATER)

    @pytest.mark.parametrize(("claim", "provisional"), [("freelancer", False), ("new_member", True)])
    def test_that_said_no_by_mistake_and_attests_later(
        self, asked: tuple[Application, MembershipInquiry], claim: str, provisional: bool
    ) -> None:
        application, request = asked
        self.says_no(request)
        assert acts_of(application) == ["opened_case"]
        self.attests(application, claim)
        assert is_granted_by_rule(application)
        registration = entries.registration_from(application.subject)
        assert registration is not None and registration.is_provisional is provisional
        assert check_of(application, "attestation").evidence["before"]["finding"] == "association_denied"

    def test_that_was_silent_until_its_time_was_over_still_confirms_what_stands_for_now(
        self, asked: tuple[Application, MembershipInquiry]
    ) -> None:
        application, request = asked
        for at in (NOW + 5 * DAY, request.due_at):
            workflow.advance(now=at)
        assert check_of(application, "attestation").finding == "association_silent"
        user, at = application.applicant, request.due_at + DAY
        facts = {"identifier": Identifier("email", user.email), "name": user.name, "number": "M-00731"}
        an_attestation(claim="freelancer", now=at, **facts)
        workflow.advance(now=at)
        registration = entries.registration_from(application.subject)
        assert registration is not None and not registration.is_provisional

    def test_of_a_mere_member_stays_with_the_officer(self, asked: tuple[Application, MembershipInquiry]) -> None:
        application, request = asked
        self.says_no(request)
        self.attests(application, "member")
        assert status_of(application) == "submitted"
        assert check_of(application, "attestation").finding == "attested_supporting"


class TestOtherAnswers:
    def test_another_client_confirms_after_the_first_said_no(self) -> None:
        application = an_application(evidence="client_confirms", text="accounts@client.example")
        workflow.advance(now=NOW)
        vouch.answer(question=ReferenceRequest.objects.get(), given="not_me", now=NOW)
        workflow.advance(now=NOW)
        assert acts_of(application) == ["opened_case"]
        actor = f"person:{application.applicant_id}"
        facts = {"kind": "client_confirms", "text": "office@client-two.example", "actor": actor, "now": LATER}
        late_evidence.offer_proof(application=Application.objects.get(pk=application.pk), **facts)
        workflow.advance(now=LATER)
        vouch.answer(question=ReferenceRequest.objects.get(domain="client-two.example"), given="yes", now=LATER)
        workflow.advance(now=LATER)
        assert is_granted_by_rule(application)

    def test_a_network_that_the_directory_knows_only_now(self) -> None:
        application = an_application(address="198.51.100.77")
        workflow.advance(now=NOW)
        assert check_of(application, "origin").finding == "no_origin"
        known = [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("198.51.100.0/24"))]
        directory.configure(None, known)
        workflow.advance(now=LATER)
        assert is_granted_by_rule(application)


class TestTheRule:
    """Pure: when a case that came to an officer is decided by a rule."""

    @given(
        found=st.sampled_from(
            [
                rules.Grantable(3),
                rules.Provisional(2, (), ("P1",)),
                rules.NotYet((rules.CheckFact("fee", "", "failed"),)),
            ]
        ),
        settled=st.booleans(),
        returned=st.booleans(),
        news=st.booleans(),
    )
    def test_grants_only_what_it_would_have_granted_and_nothing_twice_without_news(
        self, found: rules.Assessment, settled: bool, returned: bool, news: bool
    ) -> None:
        may = rules.may_decide_late(found=found, settled=settled, returned=returned, news=news)
        if may:
            assert not isinstance(found, rules.NotYet)
            assert news or not returned
            assert not (isinstance(found, rules.Provisional) and (returned or not settled))
        elif isinstance(found, rules.Grantable):
            assert returned and not news
