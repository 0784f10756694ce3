"""Who says what is different about a day, and what the database lets nobody do about it."""

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from rahdari.calendar import actions, queries, seen
from rahdari.calendar.models import CalendarCorrection
from rahdari.journal import queries as journal
from rahdari.people.models import User
from rahdari.policy.corrections import Kind
from tests.builders.cases import DAY, HOUR, NOW

from .said import entered, in_force

pytestmark = pytest.mark.django_db
TUESDAY = dt.date(2026, 11, 17)


def is_open(day: dt.date = TUESDAY) -> bool:
    return queries.in_force().is_open(day)


class TestACorrection:
    def test_is_in_force_once_another_officer_has_confirmed_it(self, supervisor: User, officer: User) -> None:
        found = entered(supervisor, TUESDAY, now=NOW)
        assert is_open() and list(queries.waiting()) == [found]
        assert [queries.waiting_for(each)[0]["number"] for each in (officer, supervisor)] == [1, 0]
        actions.confirm(correction=found, officer=officer, now=NOW + HOUR)
        assert not is_open() and not queries.waiting().exists()
        assert [row.act for row in journal.about(str(found))] == ["calendar.confirmed", "calendar.proposed"]

    def test_is_entered_by_supervisors_alone(self, officer: User) -> None:
        with pytest.raises(actions.NotASupervisor):
            entered(officer, TUESDAY, now=NOW)

    def test_is_not_confirmed_by_its_author_nor_by_who_came_today(
        self, supervisor: User, officer: User, settings: object
    ) -> None:
        found = entered(supervisor, TUESDAY, now=NOW)
        with pytest.raises(actions.MayNotConfirm):
            actions.confirm(correction=found, officer=supervisor, now=NOW)
        settings.SECONDS_AFTER = 3 * DAY  # type: ignore[attr-defined]
        with pytest.raises(actions.MayNotConfirm):
            actions.confirm(correction=found, officer=officer, now=NOW)
        with pytest.raises(DatabaseError), transaction.atomic():
            CalendarCorrection.objects.filter(pk=found.pk).update(confirmed_by=supervisor, confirmed_at=NOW)
        assert is_open()

    def test_is_dropped_for_a_reason_and_then_never_in_force(self, supervisor: User, officer: User) -> None:
        found = entered(supervisor, TUESDAY, now=NOW)
        with pytest.raises(actions.ReasonNeeded):
            actions.drop(correction=found, officer=officer, why=" ", now=NOW)
        actions.drop(correction=found, officer=officer, why="The day is another one.", now=NOW)
        with pytest.raises(actions.NotPossibleNow):
            actions.confirm(correction=found, officer=officer, now=NOW)

    def test_is_never_deleted_and_never_rewritten(self, supervisor: User, officer: User) -> None:
        found = in_force(supervisor, officer, TUESDAY, now=NOW)
        for change in ({"last": TUESDAY + DAY}, {"title_en": "Other"}, {"confirmed_at": NOW - DAY}):
            with pytest.raises(DatabaseError), transaction.atomic():
                CalendarCorrection.objects.filter(pk=found.pk).update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            found.delete()

    def test_is_replaced_once_and_for_a_reason(self, supervisor: User, officer: User) -> None:
        first = in_force(supervisor, officer, TUESDAY, now=NOW)
        wednesday = TUESDAY + DAY
        with pytest.raises(actions.ReasonNeeded):
            entered(supervisor, wednesday, replaces=first, now=NOW)
        why = {"replaces": first, "why": "The moon was seen a day later."}
        second, another = (entered(supervisor, wednesday, now=NOW, **why) for _ in range(2))
        assert not is_open() and is_open(wednesday)
        actions.confirm(correction=second, officer=officer, now=NOW + HOUR)
        assert is_open() and not is_open(wednesday)
        with pytest.raises(actions.NotPossibleNow):
            actions.confirm(correction=another, officer=officer, now=NOW + HOUR)
        shown = {row.pk: row for row in queries.published(NOW + HOUR)}
        assert shown[first.pk].replaced_at == NOW + HOUR and shown[second.pk].replaced_at is None

    def test_of_two_about_one_day_the_later_holds(self, supervisor: User, officer: User) -> None:
        in_force(supervisor, officer, TUESDAY - DAY, TUESDAY + DAY, now=NOW)
        in_force(supervisor, officer, TUESDAY, now=NOW + HOUR, kind=Kind.WORKED)
        assert is_open() and not is_open(TUESDAY + DAY)
        part = {"begins": dt.time(9), "ends": dt.time(12)}
        in_force(supervisor, officer, TUESDAY, now=NOW + 2 * HOUR, **part)
        assert is_open() and queries.in_force().slots_on(TUESDAY)[0].opens >= dt.time(12)


class TestALook:
    def test_is_one_query_and_one_in_a_request(
        self, supervisor: User, officer: User, django_assert_num_queries: object
    ) -> None:
        queries.in_force()
        with django_assert_num_queries(1):  # type: ignore[operator]
            queries.in_force()
        with seen.looking_once():
            with django_assert_num_queries(1):  # type: ignore[operator]
                assert is_open() and is_open() and not queries.said_about(TUESDAY, TUESDAY)
            # What is confirmed here is seen here.
            in_force(supervisor, officer, TUESDAY, now=NOW)
            assert not is_open() and len(queries.said_about(TUESDAY, TUESDAY)) == 1
