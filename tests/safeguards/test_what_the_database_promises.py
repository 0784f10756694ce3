"""What the documentation says that the database refuses is tried row by row, each statement by itself; none is taken.
Each sentence stands in the file that is named with it.

The tests own their tables, so that only the guards of rows refuse here. The role of the application may do less, and
nothing that the owner may not: what its rights refuse it before any row is in `ops/test_rights.py`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from rahdari.decide import recusing, revocation
from rahdari.demand import actions as demand
from rahdari.people.models import Role
from tests.builders.cases import DAY, a_case, an_officer
from tests.builders.shared import known_networks
from tests.decide.test_actions import LATER, answered
from tests.decide.test_revocation import answered as answered_by_the_holder
from tests.decide.test_revocation import granted, proposed
from tests.demand.test_demands import recorded

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
Names = dict[str, Any]


@pytest.fixture(autouse=True)
def sample_operators() -> Iterator[None]:
    with known_networks():
        yield


@pytest.fixture
def world(db: None) -> Names:
    """Rows of each kind."""
    first, second = an_officer("A"), an_officer("B", role=Role.SUPERVISOR, rank="director")
    case, registration = granted()
    taken_case, taken = granted()
    proposed(taken_case, first, "S4")
    answered_by_the_holder(taken_case)
    revocation.second_revocation(case=taken_case, officer=second, because="So it is.", now=LATER + DAY)
    notice = answered(a_case(), first)
    recusing.recuse(case=notice.case, officer=an_officer("C"), why="A cousin.", now=LATER)
    asked = demand.answer_demand(demand=recorded(first), officer=first, outcome="refused", answer="No.", now=LATER)
    return {
        "first": first.pk,
        "second": second.pk,
        "officer": f"officer:{first.pk}",
        "case": case.pk,
        "registration": registration.pk,
        "taken": taken.pk,
        "notice": notice.pk,
        "noticed": notice.case_id,
        "demand": asked.pk,
    }


STRUCK_OUT = "UPDATE register_registration SET struck_out_at = now(), struck_out_code = %(code)s, struck_out_by = {}"
STRUCK_OUT += " WHERE id = %(registration)s"
SUSPENDED = "UPDATE register_registration SET suspended_at = now(), suspended_until = now() + interval '30 days', "
SUSPENDED += "suspended_code = %(code)s, suspended_by = {} WHERE id = %(registration)s"
BY_PEOPLE = "docs/desk.md", "it takes neither\nof the two from the clock or a program"
PROMISES: list[tuple[tuple[str, str], str, Names]] = [
    *((BY_PEOPLE, STRUCK_OUT.format("%(by)s"), {"code": code, "by": by}) for code in ("X2", "X5") for by in (
        "rule:1", "clock", "system:workflow")),
    *((BY_PEOPLE, SUSPENDED.format("%(by)s"), {"code": code, "by": by}) for code in ("S1", "S4") for by in (
        "rule:1", "clock", "system:workflow")),
    (BY_PEOPLE, STRUCK_OUT.format("%(officer)s"), {"code": "X1"}),
    (BY_PEOPLE, SUSPENDED.format("%(officer)s"), {"code": "S3"}),
    (("docs/desk.md", "The database takes none\n  without an end"),
     "UPDATE decide_revocation SET ends_at = NULL WHERE registration_id = %(taken)s", {}),
    (("docs/desk.md", "A rule never does it"),
     "UPDATE decide_revocation SET decided_by = 'rule:1' WHERE registration_id = %(taken)s", {}),
    (("docs/desk.md", "The database refuses a case"),
     "UPDATE decide_case SET assigned_to_id = (SELECT officer_id FROM decide_recusal WHERE case_id = %(noticed)s) "
     "WHERE id = %(noticed)s", {}),
    (("docs/desk.md", "The database refuses a case"), "DELETE FROM decide_recusal WHERE case_id = %(noticed)s", {}),
    (("docs/desk.md", "The database refuses a case"), "UPDATE decide_recusal SET officer_id = %(second)s", {}),
    (("docs/demands.md", "needs a second officer; the database holds that"),
     "UPDATE demand_demand SET agreed_by_id = answered_by_id, agreed_at = now() WHERE id = %(demand)s", {}),
    (("docs/demands.md", "needs a second officer; the database holds that"),
     "DELETE FROM demand_demand WHERE id = %(demand)s", {}),
    (("docs/demands.md", "needs a second officer; the database holds that"),
     "UPDATE demand_demand SET number = '' WHERE id = %(demand)s", {}),
    (("docs/people.md", "The database\nholds it for each pair of columns"),
     "INSERT INTO people_proposedrole (user_id, role, rank, proposed_by_id, proposed_at) "
     "VALUES (%(first)s, 'officer', '', %(first)s, now())", {}),
    *((("docs/desk.md", "without a notice"), statement, {}) for statement in (
        "DELETE FROM decide_notice WHERE id = %(notice)s",
        "UPDATE decide_notice SET sent_at = sent_at - interval '30 days' WHERE id = %(notice)s",
        "UPDATE decide_notice SET proposed_by_id = %(second)s WHERE id = %(notice)s",
        "DELETE FROM decide_revocation WHERE registration_id = %(taken)s",
        "DELETE FROM register_registration WHERE id = %(registration)s",
    )),
]  # fmt: skip


def test_no_promise_is_broken_by_a_statement_of_the_application(world: Names) -> None:
    broken = []
    for (file, sentence), statement, given in PROMISES:
        assert sentence in (ROOT / file).read_text(encoding="utf-8"), sentence
        with connection.cursor() as cursor:
            try:
                with transaction.atomic():
                    cursor.execute(statement, world | given)
                    if cursor.rowcount:
                        broken.append((statement, given))
                    transaction.set_rollback(True)
            except DatabaseError:
                continue
            if not broken or broken[-1] != (statement, given):
                broken.append((statement, given, "it found no row"))
    assert broken == []


def test_the_same_statements_are_taken_where_they_are_right(world: Names) -> None:
    """Else the test above would prove nothing of the rows: the holder's own end, and a suspension that was decided."""
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(STRUCK_OUT.format("'person:x'"), world | {"code": "X1"})
        assert cursor.rowcount == 1
        transaction.set_rollback(True)
