"""A notice before a refusal, or before a registration is revoked, as a program reads it and asks for a hearing."""

import pytest
from django.utils import timezone

from rahdari.apply.late_evidence import File
from rahdari.decide import assignment, case_clock, hearings, queries, refusals, revocation
from rahdari.decide.models import Case
from rahdari.people.models import User
from rahdari.register import pausing
from rahdari.register.models import Registration
from tests.builders import story
from tests.builders.cases import DAY, PAPER, a_case, an_officer
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


def test_of_a_refusal_is_asked_for_where_a_code_offers_it(program: Program, officer: User) -> None:
    case = a_case(applicant=program.person)
    assignment.take_case(case=case, officer=officer, now=timezone.now())

    def noticed(code: str) -> None:
        words = {"text": "Page 2 says so.", "named": "Page 2."}
        refusals.propose_refusal(case=case, officer=officer, codes=[code], now=timezone.now(), **words)

    own = f"/applications/{case.application.reference}"
    noticed("R3")
    assert program.get(f"{own}/notice").said["may_ask_for_hearing"] is False
    assert problem(program.post(f"{own}/notice/hearing"), 409, "not-possible-now")["code"] == "hearing_not_offered"
    refusals.drop_refusal(case=case, officer=officer, why="It is page 3.", now=timezone.now())
    noticed("R4")
    assert program.get(f"{own}/notice").said["may_ask_for_hearing"] is True
    told = program.post(f"{own}/notice/hearing").said
    assert (told["hearing"], told["may_ask_for_hearing"], told["decide_by"]) == ("asked", False, None)
    program.post(f"{own}/notice/answer", {"answer": "It is true."})
    seen = program.get(own).said
    assert seen["stage"] == "hearing"
    [awaited] = [each for each in seen["awaited"] if each["what"] == "hearing"]
    assert (awaited["from"], awaited["until"]) == ("officer", None)
    assert "hearing" in [each["why"] for each in seen["stops"]]
    now = timezone.now()
    notice = queries.open_notice(queries.cases().get(pk=case.pk))
    assert notice is not None
    day = case_clock.notice_heard_between(notice, now)[0]
    hearings.set_hearing(case=case, officer=officer, starts_at=day, place="Sample Road 1", now=now)
    [awaited] = [each for each in program.get(own).said["awaited"] if each["what"] == "hearing"]
    assert awaited["from"] == "applicant" and awaited["until"] is not None
