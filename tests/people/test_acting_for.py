"""Who acts for whom: of one person, and of many at once."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rahdari.journal import actions as journal
from rahdari.people import acting_for, queries
from rahdari.people.models import Mandate, Membership, Organisation, User
from tests.builders.cases import DAY, NOW, a_person

pytestmark = pytest.mark.django_db
LASTS = acting_for.PART_LASTS


def an_agent(organisation: Organisation, agent: User, *, until: dt.datetime) -> None:
    Mandate.objects.create(
        organisation=organisation, agent=agent, scope="file", given_at=NOW - 2 * LASTS, accepted_at=NOW - 2 * LASTS,
        valid_until=NOW + 9 * LASTS, ended_at=until,
    )  # fmt: skip


def who_left(organisation: Organisation, member: User, *, at: dt.datetime) -> None:
    journal.record(
        act="people.removed_member", actor=f"person:{member.pk}", subject=f"organisation:{organisation.pk}", now=at,
        detail={"member": f"person:{member.pk}"},
    )  # fmt: skip


def test_of_many_is_what_is_said_of_each() -> None:
    house, other = (Organisation.objects.create(name=f"Sample House {number}") for number in range(2))
    people = {name: a_person() for name in ("member", "agent", "agent before", "left", "left before", "nobody")}
    Membership.objects.create(user=people["member"], organisation=house)
    Membership.objects.create(user=people["nobody"], organisation=other)
    an_agent(house, people["agent"], until=NOW - LASTS + DAY)
    an_agent(house, people["agent before"], until=NOW - LASTS - DAY)
    who_left(house, people["left"], at=NOW - LASTS + DAY)
    who_left(house, people["left before"], at=NOW - LASTS - DAY)
    with CaptureQueriesContext(connection) as asked:
        found = acting_for.who_has_part([each.pk for each in people.values()], house, NOW)
    assert found == {people[name].pk for name in ("member", "agent", "left")} and len(asked) == 1
    for person in people.values():
        parts = acting_for.parts_of(person)
        assert acting_for.has_part(parts, house.holder_ref, NOW) == (person.pk in found)
        assert parts[person.holder_ref] is None
    assert set(acting_for.parts_of(people["left before"])) == {people["left before"].holder_ref, house.holder_ref}


def test_is_asked_once_for_a_page_that_is_only_read() -> None:
    person = a_person()
    with queries.looking_up_posts_once(only_read=True), CaptureQueriesContext(connection) as asked:
        acting_for.parts_of(person)
        acting_for.parts_of(person)
    assert len(asked) == 2  # the accounts of the person, and for whom they act
    Membership.objects.create(user=person, organisation=Organisation.objects.create(name="Sample House"))
    assert len(acting_for.parts_of(person)) == 2
