"""A queue that is longer than one go is gone through to its end, also when all at its front wait for somebody."""

import datetime as dt

import pytest

from rahdari import workflow
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.checks import answers, checking, rules
from rahdari.checks.models import Check
from rahdari.control import challenges
from rahdari.control import queries as proofs
from rahdari.control.models import Method
from rahdari.db import queues
from rahdari.decide import queries as decisions
from rahdari.letters.models import Letter
from rahdari.register.models import Registration
from rahdari.workflow.step import Step
from tests.builders.cases import DAY, MINUTE, NOW, a_person, an_application

pytestmark = pytest.mark.django_db
GO = 2


@pytest.fixture(autouse=True)
def short_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "AT_ONCE", GO)


def registered(count: int) -> list[Registration]:
    for _ in range(count):
        an_application(applicant=a_person())
    for _ in range(count):
        workflow.advance(now=NOW)
    found = list(Registration.objects.order_by("valid_until", "id"))
    assert len(found) == count
    return found


def owing(count: int) -> list[Application]:
    """Sent applications, one after the other, of which one address has its proof still to come."""
    found = []
    for number in range(count):
        application = an_application(applicant=a_person(), also=f"203.0.113.{251 + number}")
        endpoint = unproved(application)
        challenges.open_challenge(
            subject=endpoint.subject, block=endpoint.network, method=Method.LINK, valid_for=7 * DAY, now=NOW
        )
        workflow.advance(now=NOW + number * MINUTE)
        found.append(application)
    return found


def unproved(application: Application) -> Endpoint:
    [found] = [each for each in apply.endpoints_of(application) if not proofs.is_proved(each.subject, each.network)]
    return found


def told(template: str) -> int:
    return Letter.objects.filter(template=template).count()


def test_whoever_has_proved_is_decided_whoever_else_has_not() -> None:
    waiting = owing(GO + 1)
    ready = an_application(applicant=a_person(), now=NOW + 9 * MINUTE)
    for _ in range(3):
        workflow.advance(now=NOW + 9 * MINUTE)
    assert Application.objects.get(pk=ready.pk).status == "granted"
    assert all(decisions.case_of(each) is None for each in waiting)


def test_a_check_is_answered_whoever_else_waits() -> None:
    waiting = owing(GO + 1)
    assert [checking.answer_waiting(now=NOW, at_most=GO) for _ in range(3)] == [0, 0, 0]
    endpoint = unproved(waiting[-1])
    [link] = proofs.latest_challenges(subject=endpoint.subject, block=endpoint.network).values()
    challenges.open_link(token=proofs.link_token(link), address=endpoint.network.network_address, now=NOW)
    assert sum(checking.answer_waiting(now=NOW, at_most=GO) for _ in range(3)) == 1


class TestEverybodyIsTold:
    def test_before_a_term_ends(self) -> None:
        found = registered(GO + 1)
        for _ in found:
            workflow.remind(found[0].valid_until - 29 * DAY - dt.timedelta(hours=12))
        assert told("registration_expires_soon") == len(found)

    def test_when_it_has_ended(self) -> None:
        found = registered(GO + 1)
        for _ in found:
            workflow.advance(now=found[-1].valid_until + 400 * DAY)
        assert told("registration_expired") == len(found)


class TestWhatFails:
    def test_of_steps_holds_no_other_step_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(now: dt.datetime) -> int:
            raise ValueError("sample")

        monkeypatch.setattr(workflow, "STEPS", (Step("fails", fails), Step("goes on", lambda now: 3)))
        assert workflow.advance(now=NOW) == {"fails": 0, "goes on": 3}

    def test_of_checks_keeps_no_other_from_its_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        applications = [an_application(applicant=a_person()) for _ in range(2)]
        asked = {"first": True}

        def answer(check: Check, *, now: dt.datetime) -> rules.Answer:
            if check.kind == "control" and asked.pop("first", False):
                raise LookupError("sample")
            return answers.answer(check, now=now)

        monkeypatch.setattr(checking, "answer", answer)
        for now in (NOW, NOW + MINUTE):
            workflow.advance(now=now)
        assert {Application.objects.get(pk=each.pk).status for each in applications} == {"granted"}
