import datetime as dt
import threading
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from rahdari.journal import queries as journal
from rahdari.people import actions, demonstration, holders, queries
from rahdari.people.models import Membership, Role, RoleAssignment, User, normalise_email
from tests.builders.people import NOW, a_person, with_post

pytestmark = pytest.mark.django_db
LATER = NOW + dt.timedelta(days=1)


class TestNormaliseEmail:
    @given(st.text())
    def test_changes_nothing_the_second_time(self, text: str) -> None:
        once = normalise_email(text)
        assert normalise_email(once) == once

    @pytest.mark.parametrize(
        "text",
        [
            "  ＳＡＭＰＬＥ@Sample.Example ",
            "sample@sample.example",
            "ſample@sample.example",
            "\u2066sample@sample.example\u2069",
        ],
    )
    def test_gives_look_alikes_one_form(self, text: str) -> None:
        assert normalise_email(text) == "sample@sample.example"

    def test_leaves_a_mark_that_turns_the_text_around(self) -> None:
        assert normalise_email("\u202esample@sample.example") == "\u202esample@sample.example"


class TestRegisterPerson:
    def test_gives_the_same_person_for_the_same_address(self) -> None:
        first = actions.register_person(email="One@Sample.example", now=NOW)
        assert actions.register_person(email="one@sample.EXAMPLE", now=LATER) == first
        assert User.objects.count() == 1

    def test_gives_nobody_a_password(self) -> None:
        assert not a_person().has_usable_password()

    def test_is_journaled_without_the_address(self) -> None:
        user = a_person()
        (row,) = journal.about(f"person:{user.pk}")
        assert (row.act, row.actor) == ("people.registered_person", f"person:{user.pk}")
        assert "sample.example" not in f"{row.reason}{row.detail}"

    def test_keeps_the_name_unreadable_in_the_database(self) -> None:
        user = a_person()
        with connection.cursor() as cursor:
            cursor.execute("SELECT name FROM people_user WHERE id = %s", [user.pk])
            assert b"Sample" not in bytes(cursor.fetchone()[0])
        assert User.objects.get().name == "Sample Freelancer"

    def test_is_held_by_the_database_too(self) -> None:
        person = a_person()
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user(person.email.upper())
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create_user("")

    def test_keeps_the_address_unreadable_in_the_database(self) -> None:
        person = a_person()
        with connection.cursor() as cursor:
            cursor.execute("SELECT people_user::text FROM people_user")
            (row,) = cursor.fetchone()
        local = person.email.partition("@")[0]
        assert local not in row and local.encode().hex() not in row
        assert User.objects.get(email=person.email) == person == User.objects.get(email__in=[person.email])


@pytest.mark.django_db(transaction=True)
class TestTwoTabs:
    def test_make_one_person(self) -> None:
        start = threading.Barrier(4)
        made: list[uuid.UUID] = []

        def run() -> None:
            start.wait()
            try:
                made.append(actions.register_person(email="two.tabs@sample.example", now=NOW).pk)
            finally:
                connection.close()

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 4 and len(set(made)) == 1


class TestRegisterOrganisation:
    def test_makes_its_maker_the_owner(self) -> None:
        owner = a_person("owner")
        organisation = actions.register_organisation(
            owner=owner, name=" Sample  Software House (Pvt) Ltd ", company_number="0000482", actor="person:x", now=NOW
        )
        assert organisation.name == "Sample Software House (Pvt) Ltd"
        assert queries.owns(user=owner, organisation=organisation)
        assert queries.holders_of(owner) == [owner.holder_ref, organisation.holder_ref]

    def test_is_seen_by_members_only(self) -> None:
        owner, member, stranger = a_person("owner"), a_person("member"), a_person("stranger")
        organisation = actions.register_organisation(owner=owner, name="Sample Ltd", actor="person:x", now=NOW)
        for _ in range(2):
            actions.add_member(organisation=organisation, user=member, actor="person:x", now=NOW)
        assert queries.organisation_for_member(user=member, id=organisation.pk) == organisation
        assert not queries.owns(user=member, organisation=organisation)
        for id in (organisation.pk, uuid.uuid4()):
            with pytest.raises(queries.OrganisationNotFound):
                queries.organisation_for_member(user=stranger, id=id)
        assert set(queries.people_to_notify(organisation.holder_ref)) == {owner, member}

    def test_never_loses_its_last_owner(self) -> None:
        owner, second = a_person("owner"), a_person("second")
        organisation = actions.register_organisation(owner=owner, name="Sample Ltd", actor="person:x", now=NOW)
        with pytest.raises(actions.LastOwner):
            actions.remove_member(organisation=organisation, user=owner, actor="person:x", now=NOW)
        actions.add_member(
            organisation=organisation, user=second, role=Membership.Role.OWNER, actor="person:x", now=NOW
        )
        actions.remove_member(organisation=organisation, user=owner, actor="person:x", now=NOW)
        assert queries.people_to_notify(organisation.holder_ref) == [second]


class TestPublicHolder:
    def test_tells_a_company_from_a_person(self) -> None:
        owner = a_person("owner")
        organisation = actions.register_organisation(owner=owner, name="Sample Ltd", actor="person:x", now=NOW)
        assert holders.public_holder(organisation.holder_ref) == holders.PublicHolder("organisation", "Sample Ltd")
        assert holders.public_holder(owner.holder_ref) == holders.PublicHolder("person", "Sample Owner")
        assert holders.public_holder(uuid.uuid4()) is None


class TestAppoint:
    def test_gives_a_post_once(self) -> None:
        user = a_person("officer")
        assert with_post(user) == with_post(user)
        assert queries.is_officer(user) and not queries.is_supervisor(user)
        assert [row.act for row in journal.about(f"person:{user.pk}")].count("people.appointed") == 1

    def test_replaces_the_rank_and_keeps_the_history(self) -> None:
        user = a_person("officer")
        with_post(user)
        with_post(user, rank="director")
        assert queries.has_rank(user, "director") and queries.has_rank(user, "officer")
        assert RoleAssignment.objects.count() == 2
        assert len(queries.posts_of(user)) == 1

    def test_lets_a_supervisor_do_what_an_officer_may(self) -> None:
        user = a_person("supervisor")
        with_post(user, Role.SUPERVISOR)
        assert queries.is_officer(user) and queries.is_supervisor(user)

    def test_names_the_operator_of_operators_only(self) -> None:
        user = a_person("operator")
        with_post(user, Role.OPERATOR, operator="sample-fibre")
        assert queries.operator_of(user) == "sample-fibre"
        for role, operator in ((Role.OPERATOR, ""), (Role.OFFICER, "sample-fibre")):
            with pytest.raises(actions.OperatorNeeded):
                with_post(user, role, operator=operator)

    def test_names_the_association_of_its_people_only(self) -> None:
        user = a_person("association")
        with_post(user, Role.ASSOCIATION, association="sample-software-houses")
        assert queries.association_of(user) == "sample-software-houses" and queries.operator_of(user) is None
        for role, association in ((Role.ASSOCIATION, ""), (Role.OFFICER, "sample-software-houses")):
            with pytest.raises(actions.AssociationNeeded):
                with_post(user, role, association=association)

    @pytest.mark.parametrize(("role", "rank"), [(Role.ADMINISTRATOR, "director"), (Role.OFFICER, "general")])
    def test_knows_no_other_rank(self, role: str, rank: str) -> None:
        with pytest.raises(actions.RankNotAllowed):
            with_post(a_person(), role, rank=rank)

    def test_is_held_by_the_database_too(self) -> None:
        user = a_person()
        for fields in (
            {"role": "operator"},
            {"role": "officer", "operator": "x"},
            {"role": "operator", "rank": "director"},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                RoleAssignment.objects.create(user=user, **fields)


class TestEndPost:
    def test_takes_it_away_and_deletes_nothing(self) -> None:
        user = a_person("officer")
        post = with_post(user)
        for _ in range(2):
            actions.end_post(post=post, actor="system:test", now=LATER)
        assert not queries.is_officer(user)
        assert RoleAssignment.objects.get().ended_at == LATER
        assert [row.act for row in journal.about(f"person:{user.pk}")].count("people.ended_post") == 1

    def test_means_nothing_to_a_closed_account(self) -> None:
        user = a_person("officer")
        with_post(user)
        user.is_active = False
        assert queries.posts_of(user) == []


class TestMakeReadyAccounts:
    def test_makes_the_cast_once(self) -> None:
        operators = [("sample-fibre", "Sample Fibre"), ("placeholder-net", "Placeholder Net")]
        first = demonstration.make_ready_accounts(operators=operators, now=NOW)
        assert demonstration.make_ready_accounts(operators=operators, now=LATER) == first
        accounts = demonstration.ready_accounts()
        assert [account.user for account in accounts[:9]] == first[:9]
        assert len(accounts) == 11
        assert all(account.says for account in accounts)
        roles = {post.role for account in accounts for post in queries.posts_of(account.user)}
        assert roles == set(Role.values)
