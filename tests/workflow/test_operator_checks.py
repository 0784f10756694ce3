"""Questions to operators on the line: asked, answered, silent, corrected; a no is never a refusal."""

import dataclasses
import datetime as dt
import ipaddress
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari import policy, workflow
from rahdari.address import directory
from rahdari.apply import parts, sending
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.checks import words
from rahdari.checks.models import Check
from rahdari.confirm import queries as questions
from rahdari.confirm import questions as confirm_questions
from rahdari.confirm.models import Channel, SubscriberQuestion
from rahdari.decide import case_clock
from rahdari.decide import queries as cases
from rahdari.register import queries as entries
from tests.builders import story

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def operator() -> Iterator[str]:
    directory.configure(None, [directory.Origin(64500, "Sample Fibre", ipaddress.ip_network("203.0.113.0/24"))])
    story.an_operator("sample-fibre", "Sample Fibre")
    yield "sample-fibre"
    directory.configure(None)


def answer(question: SubscriberQuestion, said: str, reason: str = "") -> None:
    confirm_questions.read_and_answer(
        question=question, word=said, reason=reason, channel=Channel.PAGE, by="person:x", now=timezone.now()
    )
    story.advance()


def question_about(application: Application) -> SubscriberQuestion:
    endpoint = applications.endpoints_of(application).get()
    found = questions.question_about(target=endpoint.subject)
    assert found is not None
    return found


class TestTheThirdWay:
    """The operator's yes is a proof of control, for those who cannot give another."""

    @pytest.fixture
    def draft(self) -> Application:
        application = story.fill(story.a_draft(story.a_person()))
        story.add(application)
        return story.fresh(application)

    def page(self, draft: Application) -> tuple[Client, str]:
        client = Client()
        client.force_login(draft.applicant)
        endpoint = applications.endpoints_of(draft).get()
        return client, reverse("portal:prove_operator", args=[draft.reference, endpoint.pk])

    def test_is_offered_asked_once_and_granted_by_rule_on_a_yes(self, draft: Application) -> None:
        client, place = self.page(draft)
        assert place in client.get(place.removesuffix("operator/")).text
        assert "Ask Sample Fibre" in client.get(place).text.replace("<bdi>", "").replace("</bdi>", "")
        for _ in range(2):
            client.post(place, {"ask": "1", "subscriber": " SN-0100338 "})
        question = question_about(draft)
        assert SubscriberQuestion.objects.count() == 1
        assert (question.operator, question.subscriber) == ("sample-fibre", "SN-0100338")
        assert "Waiting for" in client.get(place).text
        sent = story.send(draft)
        story.advance()
        assert story.fresh(sent).status == "submitted"
        answer(question, "yes")
        assert story.fresh(sent).status == "granted"
        control = checks.checks_of(sent.subject).get(kind="control")
        assert control.evidence["method"] == "operator"
        assert "by its operator" in words.of_check(control)

    def test_a_no_refuses_nothing_and_may_be_corrected(self, draft: Application) -> None:
        client, place = self.page(draft)
        client.post(place, {"ask": "1", "subscriber": ""})
        sent = story.send(draft)
        answer(question_about(draft), "no", "another_subscriber")
        assert story.fresh(sent).status == "submitted"
        page = client.get(place).text
        assert "did not confirm the address" in page and "No application is refused because of it." in page
        answer(question_about(draft), "yes")
        assert story.fresh(sent).status == "granted"

    def test_tells_what_is_wrong_with_a_subscriber_number(self, draft: Application) -> None:
        client, place = self.page(draft)
        told = client.post(place, {"ask": "1", "subscriber": "=1+1"})
        assert told.status_code == 422
        assert "A subscriber number has letters and digits, 40 at most." in told.text
        assert SubscriberQuestion.objects.count() == 0

    def test_is_not_offered_where_we_know_no_operator(self) -> None:
        application = story.fill(story.a_draft(story.a_person()))
        story.add(application, known=False)
        client, place = self.page(story.fresh(application))
        assert client.get(place).status_code == 404
        assert place not in client.get(place.removesuffix("operator/")).text

    def test_ends_with_the_address(self, draft: Application) -> None:
        client, place = self.page(draft)
        client.post(place, {"ask": "1", "subscriber": "SN-1"})
        question = question_about(draft)
        endpoint = applications.endpoints_of(draft).get()
        parts.remove_endpoint(endpoint=endpoint, actor="person:x", now=timezone.now())
        story.advance()
        question.refresh_from_db()
        assert question.state == "withdrawn" and question.subscriber == ""


class TestTheCheck:
    """Where the policy asks the operator of each address, whatever else was proved."""

    @pytest.fixture(autouse=True)
    def asking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = policy.current(settings.POLICY_FILE)
        service = found.services["vpn_freelancer"]
        control = next(check for check in service.checks if check.kind == "control")
        wanted = dataclasses.replace(control, kind="operator", reason="R3", by_operator=False)
        asks = dataclasses.replace(service, checks=(*service.checks, wanted))
        under = dataclasses.replace(found, services={**found.services, service.key: asks})
        monkeypatch.setattr(applications, "frozen_policy", lambda _application: under)
        monkeypatch.setattr(case_clock, "_frozen", lambda _digest: under)

    def sent(self, *, known: bool = True) -> Application:
        sent = story.send(story.a_full_draft(story.a_person(), known=known))
        story.advance()
        return story.fresh(sent)

    def check(self, application: Application) -> Check:
        return checks.checks_of(application.subject).get(kind="operator")

    def test_waits_for_the_operator_and_passes_on_a_yes(self) -> None:
        application = self.sent()
        assert self.check(application).outcome == "waiting"
        assert "and wait for it" in words.of_check(self.check(application))
        answer(question_about(application), "yes")
        check = self.check(application)
        assert (check.outcome, check.answered_by) == ("passed", "operator:sample-fibre")
        assert "Sample Fibre" in words.of_check(check)

    @pytest.mark.parametrize(
        ("reason", "code"),
        [("another_subscriber", "R3"), ("unknown_subscriber", "R3"), ("line_closed", "R3"), ("not_our_address", "")],
    )
    def test_a_no_is_for_an_officer_with_its_evidence(self, reason: str, code: str) -> None:
        application = self.sent()
        answer(question_about(application), "no", reason)
        check = self.check(application)
        assert (check.outcome, check.reason_code, check.evidence["reason"]) == ("failed", code, reason)
        assert set(check.evidence["why"]) == {"en", "ur"}
        assert cases.case_of(application) is not None
        assert story.fresh(application).status == "submitted"

    def test_an_operator_that_cannot_tell_blames_nobody(self) -> None:
        application = self.sent()
        answer(question_about(application), "unknown")
        check = self.check(application)
        assert (check.outcome, check.finding, check.reason_code) == ("failed", "operator_cannot_tell", "")

    def test_a_corrected_answer_takes_the_place_of_the_first_which_stays_in_the_evidence(self) -> None:
        application = self.sent()
        answer(question_about(application), "no", "line_closed")
        answer(question_about(application), "yes")
        check = self.check(application)
        assert check.outcome == "passed"
        assert check.evidence["before"]["finding"] == "operator_denies"

    def test_an_address_without_an_operator_goes_to_an_officer_and_blames_nobody(self) -> None:
        application = self.sent(known=False)
        check = self.check(application)
        assert (check.finding, check.reason_code) == ("no_operator_to_ask", "")
        assert cases.case_of(application) is not None

    def test_ends_with_the_application(self) -> None:
        application = self.sent()
        question = question_about(application)
        sending.withdraw_application(application=application, actor="person:x", now=timezone.now())
        story.advance()
        question.refresh_from_db()
        assert question.state == "withdrawn" and question.name_masked == ""


class TestSilence:
    """Where the policy lets an address stand while the operator that was asked to prove it is late."""

    @pytest.fixture(autouse=True)
    def standing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = policy.current(settings.POLICY_FILE)
        service = found.services["vpn_freelancer"]
        checks_ = tuple(
            dataclasses.replace(check, provisional=policy.Provisionally("operator_confirms", "P1"))
            if check.kind == "control"
            else check
            for check in service.checks
        )
        stands = dataclasses.replace(service, checks=checks_)
        under = dataclasses.replace(found, services={**found.services, service.key: stands})
        monkeypatch.setattr(applications, "frozen_policy", lambda _application: under)
        monkeypatch.setattr(case_clock, "_frozen", lambda _digest: under)

    def sent(self, address: str | None = None, *, asked: bool = True) -> Application:
        draft = story.fill(story.a_draft(story.a_person()))
        endpoint = story.add(draft, address)
        if asked:
            client = Client()
            client.force_login(draft.applicant)
            place = reverse("portal:prove_operator", args=[draft.reference, endpoint.pk])
            client.post(place, {"ask": "1", "subscriber": "SN-0100338"})
            assert "registered provisionally" in client.get(place).text or address
        sent = story.send(story.fresh(draft))
        story.advance()
        return story.fresh(sent)

    def pass_the_clock(self) -> None:
        for days in (14, 15):
            workflow.advance(now=timezone.now() + dt.timedelta(days=days))

    def answer_late(self, application: Application, said: str, reason: str = "", *, days: int = 16) -> dt.datetime:
        at = timezone.now() + dt.timedelta(days=days)
        confirm_questions.read_and_answer(
            question=question_about(application), word=said, reason=reason, channel=Channel.PAGE, by="person:x", now=at
        )
        workflow.advance(now=at)
        return at

    def control(self, application: Application) -> Check:
        return checks.checks_of(application.subject).get(kind="control")

    def test_past_the_clock_registers_provisionally_and_a_yes_confirms_it(self) -> None:
        application = self.sent()
        assert application.status == "submitted"
        self.pass_the_clock()
        assert story.fresh(application).status == "granted"
        case = cases.case_of(application)
        assert case is not None and case.decisions.get().provisional_codes == ["P1"]
        assert "is late" in words.of_check(self.control(application))
        assert self.control(application).outcome == "waiting"
        self.answer_late(application, "yes")
        assert self.control(application).outcome == "passed"
        assert case.decisions.get().confirmed_at is not None

    def test_that_ends_in_a_no_goes_to_an_officer_and_the_entry_stays_meanwhile(self) -> None:
        application = self.sent()
        self.pass_the_clock()
        at = self.answer_late(application, "no", "another_subscriber")
        assert self.control(application).finding == "operator_denies"
        assert story.fresh(application).status == "submitted"
        [registration] = entries.registrations_of(holders=[application.holder_ref])
        assert entries.standing(registration, at) == "valid"
        self.answer_late(application, "yes", days=17)
        assert self.control(application).outcome == "passed"

    def test_registers_nobody_whose_operator_was_not_asked(self) -> None:
        application = self.sent(asked=False)
        self.pass_the_clock()
        assert story.fresh(application).status == "submitted"
        assert self.control(application).outcome == "failed"

    def test_registers_no_range(self) -> None:
        application = self.sent("203.0.113.48/29")
        self.pass_the_clock()
        assert story.fresh(application).status == "submitted"

    def test_within_the_clock_registers_nobody(self) -> None:
        application = self.sent()
        workflow.advance(now=timezone.now() + dt.timedelta(minutes=1))
        assert story.fresh(application).status == "submitted"


class TestTheBundledRules:
    def test_let_a_company_stand_on_silence_and_nobody_else(self) -> None:
        found = policy.current(settings.POLICY_FILE)
        standing = {key for key, service in found.services.items() if service.stands_on_silence}
        assert standing == {"vpn_company"}
        assert all(service.operator_may_prove for service in found.services.values() if service.stands_on_silence)
