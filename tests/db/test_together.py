"""Several queries in one statement."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext

from rahdari.apply.models import Application, Endpoint
from rahdari.checks.models import Check
from rahdari.db import together
from rahdari.decide.models import Case
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from tests.builders import cases

pytestmark = pytest.mark.django_db


def test_asks_once_and_each_reads_what_it_would_alone() -> None:
    case = cases.a_case()
    asked = [
        Case.objects.select_related("application__applicant", "application__organisation", "assigned_to"),
        Endpoint.objects.filter(application=case.application_id),
        Check.objects.filter(subject=case.application.subject).order_by("position", "id"),
        JournalEntry.objects.order_by("-id")[:7],
        Check.objects.values_list("subject", "title", "outcome").annotate(count=Count("pk")).order_by("count", "title"),
        Application.objects.values("submitted_at", "policy", "held_until"),
        User.objects.filter(pk__in=[]),
        together.totals(Check.objects.all(), all=Count("pk"), failed=Count("pk", filter=Q(outcome="failed"))),
    ]
    alone = [list(each.all()) for each in asked[:-1]]
    with CaptureQueriesContext(connection) as queries:
        together.ask(*asked)
        found = [list(each) for each in asked]
    assert len(queries) == 1
    assert found[:-1] == alone
    for mine, its in zip(
        found[0] + found[1] + found[2] + found[3], alone[0] + alone[1] + alone[2] + alone[3], strict=True
    ):
        assert {name: value for name, value in vars(mine).items() if name != "_state"} == {
            name: value for name, value in vars(its).items() if name != "_state"
        }
    assert found[-1] == [{"all": Check.objects.count(), "failed": Check.objects.filter(outcome="failed").count()}]
    assert found[0][0].application.name == case.application.name
    # What is made of such a query is asked as ever.
    assert asked[1].filter(added_at__gt=cases.NOW + dt.timedelta(days=1)).count() == 0


def test_reads_nothing_twice() -> None:
    cases.a_person()
    found, none = User.objects.all(), User.objects.none()
    together.ask(found, none)
    with CaptureQueriesContext(connection) as queries:
        together.ask(found, none)
    assert len(found) == 1 and list(none) == [] and not queries
