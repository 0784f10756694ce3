"""Whoever entered an application for somebody decides nothing in it: neither by an act nor by writing rows."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import DatabaseError, transaction

from rahdari.apply import drafts
from rahdari.decide import assignment, granting, queries, refusals, transitions
from rahdari.decide.models import Case, Decision, Notice
from rahdari.people.models import User
from tests.builders.cases import DAY, NOW, a_case, an_officer

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch, enterer: User) -> Case:
    monkeypatch.setattr(drafts, "start_application", partial(drafts.start_application, entered_by=enterer))
    return a_case()


@pytest.fixture
def enterer() -> User:
    return an_officer("Officer E", role="supervisor", rank="director")


ACTS: dict[str, Callable[[Case, User], object]] = {
    "take": lambda case, user: assignment.take_case(case=case, officer=user, now=NOW + DAY),
    "grant": lambda case, user: granting.grant(case=case, officer=user, text="It is in order.", now=NOW + DAY),
    "propose": lambda case, user: refusals.propose_refusal(
        case=case, officer=user, codes=["R3"], text="It is another's.", now=NOW + DAY
    ),
}
ROWS: dict[str, Callable[[Case, User], object]] = {
    "take": lambda case, user: Case.objects.filter(pk=case.pk).update(assigned_to=user, assigned_at=NOW + DAY),
    "propose": lambda case, user: Notice.objects.create(
        case=case, codes=["R3"], text="x", proposed_by=user, sent_at=NOW + DAY, answer_due_at=NOW + 20 * DAY
    ),
    "grant": lambda case, user: Decision.objects.create(
        case=case, outcome="granted", decided_by=f"officer:{user.pk}", rule_version="1", at=NOW + DAY
    ),
}


@pytest.mark.parametrize("act", ACTS)
def test_by_no_act(act: str, case: Case, enterer: User) -> None:
    with pytest.raises(transitions.OwnApplication):
        ACTS[act](case, enterer)
    with pytest.raises(queries.CaseNotFound):
        queries.case_for_officer(officer=enterer, reference=case.application.reference, now=NOW + DAY)


@pytest.mark.parametrize("row", ROWS)
def test_by_no_row(row: str, case: Case, enterer: User) -> None:
    with pytest.raises(DatabaseError, match="this officer entered the application"), transaction.atomic():
        ROWS[row](case, enterer)
    ROWS[row](case, an_officer("Officer O"))
