"""A notice before a registration is revoked, as a program reads it, and asks that its holder be heard."""

import pytest
from django.utils import timezone

from rahdari.apply.late_evidence import File
from rahdari.decide import case_clock, hearings, queries, revocation
from rahdari.decide.models import Case
from rahdari.people.models import User
from rahdari.register import pausing
from rahdari.register.models import Registration
from tests.builders import story
from tests.builders.cases import DAY, PAPER, an_officer
from tests.builders.drafts import a_pdf
from tests.builders.programs import Program, problem

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("known_networks")]
SAYS = {"text": "The order names it.", "evidence": "Certified copy, file 7."}


@pytest.fixture
def officer() -> User:
    return an_officer()


def granted(program: Program) -> tuple[Case, Registration]:
    application = story.a_granted_application(program.person)
    case = queries.case_of(application)
    assert case is not None
    return case, story.registration_of(application)


def test_is_read_and_a_hearing_is_asked_for(program: Program, officer: User) -> None:
    case, found = granted(program)
    now = timezone.now()
    notice = revocation.propose_revocation(
        case=case,
        officer=officer,
        code="S4",
        text="Two proofs failed.",
        evidence="Tries of today.",
        paper=PAPER,
        now=now,
    )
    one = f"/applications/{case.application.reference}/notice"
    told = program.get(one).said
    assert (told["hearing"], told["may_ask_for_hearing"], told["hearings"]) == ("none", True, [])
    proposal = program.get(f"/registrations/{found.reference}").said["proposal"]
    assert proposal == {"application": case.application.reference, "decide_by": told["decide_by"]}
    asked = program.post(f"{one}/hearing").said
    assert (asked["hearing"], asked["may_ask_for_hearing"]) == ("asked", False)
    assert program.post(f"{one}/hearing").status_code == 200, "twice changes nothing"
    notice.refresh_from_db()
    day = case_clock.notice_heard_between(notice, now)[0]
    hearings.set_hearing(case=case, officer=officer, starts_at=day, place="Sample Road 1", now=now)
    [hearing] = program.get(one).said["hearings"]
    assert (hearing["place"], hearing["outcome"]) == ("Sample Road 1", "")


def test_of_an_order_has_none(program: Program, officer: User) -> None:
    case, _found = granted(program)
    revocation.propose_by_order(
        case=case,
        officer=officer,
        code="X6",
        order="Order 12, Sample Court",
        copy=File("order.pdf", a_pdf()),
        now=timezone.now(),
        **SAYS,
    )
    one = f"/applications/{case.application.reference}/notice"
    assert program.get(one).said["order"] == "Order 12, Sample Court"
    assert problem(program.post(f"{one}/hearing"), 409, "not-possible-now")["code"] == "no_hearing"


def test_a_registration_says_when_it_goes_on(program: Program) -> None:
    _case, found = granted(program)
    place = f"/registrations/{found.reference}"
    assert program.get(place).said["suspended_until"] is None
    now = timezone.now()
    pausing.suspend(registration=found, code="S4", until=now + DAY, actor="officer:x", now=now)
    said = program.get(place).said
    assert (said["standing"], said["suspended_until"] is None) == ("suspended", False)
