"""Several queries in one statement."""

import datetime as dt

import pytest
from django.db import connection
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext

from rahdari.apply.models import Application, Endpoint
from rahdari.checks.models import Check
from rahdari.db import together
from rahdari.db.asked import Asked
from rahdari.decide.models import Case
from rahdari.journal.models import JournalEntry
from rahdari.people.models import User
from tests.builders import cases, people

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


class TestAhead:
    """`ahead` reads what functions within it ask one after the other."""

    @pytest.fixture
    def asked(self) -> Asked[User]:
        return Asked(lambda keys: User.objects.filter(pk__in=keys).order_by("created_at", "id"))

    def test_asks_once_whatever_is_asked_within_and_how_often(self, asked: Asked[User]) -> None:
        one, two = people.a_person("one"), people.a_person("two")
        asked([one.pk])
        wanted = asked.later([one.pk]), asked.later([one.pk, two.pk]), asked.later([])
        with CaptureQueriesContext(connection) as queries, together.ahead(*wanted):
            assert asked([one.pk]) == [one] == asked([one.pk])
            assert set(asked([one.pk, two.pk])) == {one, two} and asked([]) == []
            with together.ahead(asked.later([one.pk])):
                assert asked([one.pk]) == [one]
        assert len(queries) == 1

    def test_asks_again_behind_it_and_what_was_not_read(self, asked: Asked[User]) -> None:
        one, two = people.a_person("one"), people.a_person("two")
        with together.ahead(asked.later([one.pk])):
            User.objects.filter(pk=one.pk).update(language="ur")
            assert asked([two.pk]) == [two] and asked([one.pk])[0].language == "en"
        assert asked([one.pk])[0].language == "ur"
