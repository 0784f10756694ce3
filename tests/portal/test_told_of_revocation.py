"""Home and the page of an organisation say what an officer proposes or decided against a registration, and until when
somebody can answer or appeal."""

from copy import copy

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from rahdari.appeal import queries as appeals
from rahdari.apply.models import Application
from rahdari.decide import queries as cases
from rahdari.decide import refusals, revocation
from rahdari.decide.models import Case, Revocation
from rahdari.decide.rules import Status
from rahdari.people import actions as people
from rahdari.people.models import User
from rahdari.register.models import Registration
from rahdari.web import values
from tests import urdu
from tests.builders import story
from tests.builders.cases import PAPER
from tests.builders.shared import known_networks

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
@known_networks()
def somebody(shared: None) -> User:
    person = story.a_person()
    story.a_granted_application(person)
    return person


@pytest.fixture
def holder(somebody: User) -> User:
    return copy(somebody)


@pytest.fixture
def case(holder: User) -> Case:
    return story.case_of(Application.objects.get(applicant=holder, status="granted"))


def proposed(case: Case) -> Case:
    revocation.propose_revocation(
        case=case,
        officer=story.an_officer(),
        code="S4",
        text="So it is.",
        evidence="The letter.",
        paper=PAPER,
        now=timezone.now(),
    )
    return story.case_of(case.application)


def suspended(case: Case) -> Revocation:
    case = proposed(case)
    notice = cases.open_notice(case)
    assert notice is not None and case.status == Status.DECIDED
    actor = story.actor_of(case.application.applicant)
    refusals.answer_notice(notice=notice, answer="It is mine.", actor=actor, now=timezone.now())
    second = story.an_officer()
    return revocation.second_revocation(case=case, officer=second, because="It is not.", now=timezone.now())


def of_company(case: Case, owner: User) -> str:
    """The same registration, held by an organisation; the address of its page."""
    company = people.register_organisation(
        owner=owner, name="Sample House", actor="system:test", now=case.application.created_at
    )
    Application.objects.filter(pk=case.application.pk).update(organisation=company)
    decision = cases.decision_of(case)
    assert decision is not None
    Registration.objects.filter(pk=decision.registration_id).update(holder=company.holder_ref)
    return reverse("portal:organisation", args=[company.pk])


def page(user: User, place: str, language: str = "en") -> str:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client.get(place).text


class TestHome:
    def test_of_a_holder_says_until_when_an_appeal_is_in_time(self, holder: User, case: Case) -> None:
        place = reverse("portal:home")
        assert "You can appeal" not in page(holder, place)
        taken = suspended(case)
        until = appeals.appeal_until(taken)
        assert until is not None
        shown = page(holder, place)
        assert f"You can appeal until {values.day(until)}." in shown and "Something waits for you" in shown
        assert "is suspended" in shown
        assert reverse("portal:registration", args=[taken.registration.reference]) in shown
        assert urdu.page_problems(page(holder, place, "ur")) == []
        assert not appeals.in_time([taken], until + (until - taken.at))
        revocation.restore_registration(
            case=story.case_of(case.application), officer=story.an_officer(), why="It is.", now=timezone.now()
        )
        assert "You can appeal" not in page(holder, place)


class TestTheOrganisation:
    def test_reads_of_a_proposal_until_when_to_answer(self, holder: User, case: Case) -> None:
        place = of_company(case, holder)
        assert "An officer proposes" not in page(holder, place)
        notice = cases.open_notice(proposed(case))
        assert notice is not None
        shown = page(holder, place)
        assert "An officer proposes to revoke this registration" in shown
        assert f"Answer by {values.day(notice.answer_due_at)}" in shown
        assert reverse("portal:notice", args=[case.application.reference]) in shown
        assert urdu.page_problems(page(holder, place, "ur")) == []

    def test_reads_until_when_an_appeal_is_in_time(self, holder: User, case: Case) -> None:
        place = of_company(case, holder)
        taken = suspended(story.case_of(case.application))
        until = appeals.appeal_until(taken)
        assert until is not None
        shown = page(holder, place)
        assert "Suspended. You can appeal" in shown and f"until {values.day(until)}" in shown
        assert reverse("portal:registration", args=[taken.registration.reference]) in shown
