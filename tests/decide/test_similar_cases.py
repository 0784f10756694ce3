"""How earlier cases were decided in which the same was in the way, and nothing of whose they were."""

import pytest
from django.db import connection

from rahdari.decide import granting, similar_cases
from rahdari.decide.models import Case
from rahdari.people.models import User
from tests.builders.cases import DAY, HOUR, NOW, a_case, a_decided_application

from .test_actions import grantable
from .test_views import page, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_time(time_machine: object) -> None:
    time_machine.move_to(NOW + 2 * HOUR, tick=False)  # type: ignore[attr-defined]


def similar(case: Case) -> list[tuple[str, list[str], bool]]:
    found = similar_cases.told_by(similar_cases.decisions_like(case))
    return [(each.outcome, list(each.codes), each.set_aside) for each in found]


def granted(officer: User) -> Case:
    case = grantable(a_case(), officer)
    granting.grant(case=case, officer=officer, now=NOW)
    return case


def test_the_page_tells_outcomes_and_nothing_of_whose(officer: User, second: User) -> None:
    before, case = granted(officer), a_case()
    assert similar(case) == [("granted", [], False)]
    html = signed_in(second).get(page(case)).text
    told = html[html.index("Similar earlier cases") :]
    told = told[: told.index("</ul>")]
    assert "16 November 2026" in told and "Granted" in told
    for named in (before.application.reference, before.application.holder_name, "href"):
        assert named not in told
    assert "ملتے جلتے" in signed_in(second, "ur").get(page(case)).text
    assert "Similar earlier cases" not in signed_in(second).get(page(before), follow=True).text


def test_only_the_same_in_the_way_counts(officer: User) -> None:
    granted(officer)
    a_decided_application()
    other = a_case(is_denied=False)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE checks_check SET required = false WHERE subject = %s", [other.application.subject])
    assert similar(other) == []
    assert Case.objects.exclude(likeness="").count() == 1, "a rule's grant is none of these"


def test_five_at_most_newest_first(officer: User) -> None:
    for number in range(6):
        granting.grant(case=grantable(a_case(), officer), officer=officer, now=NOW + number * DAY)
    found = similar_cases.told_by(similar_cases.decisions_like(a_case()))
    assert [each.at for each in found] == [NOW + number * DAY for number in (5, 4, 3, 2, 1)]


def test_is_found_by_the_index(officer: User) -> None:
    case = granted(officer)
    found = similar_cases.decisions_like(case)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "cases_by_likeness" in found.explain()
