"""What each role may do for an organisation: the table, and the gatekeepers that ask it."""

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from rahdari.people import actions, queries
from rahdari.people.models import Membership, Organisation
from rahdari.people.rules import ROLES, Act, OrgRole, may, roles_that
from tests.builders.people import a_person


class TestTheTable:
    @given(st.text(max_size=12), st.sampled_from(Act))
    def test_refuses_what_it_does_not_name(self, role: str, act: Act) -> None:
        assert may(role, act) == (role in ROLES and act in ROLES[role])

    @given(st.sampled_from(OrgRole), st.sampled_from(Act))
    def test_is_read_the_same_from_both_sides(self, role: OrgRole, act: Act) -> None:
        assert may(role, act) == (role.value in roles_that(act))

    def test_gives_an_owner_everything_and_nobody_else_the_members(self) -> None:
        assert ROLES[OrgRole.OWNER] == frozenset(Act)
        assert roles_that(Act.MEMBERS) == ["owner"]

    def test_shows_an_accountant_no_address_and_a_technician_no_paper(self) -> None:
        assert ROLES[OrgRole.ACCOUNTANT] == {Act.INVOICES}
        assert not ROLES[OrgRole.TECHNICIAN] & {Act.PAPERS, Act.APPLY, Act.INVOICES, Act.MEMBERS}
        assert ROLES[OrgRole.VIEWER] == {Act.SEE}

    def test_has_a_row_for_each_role_of_the_database(self) -> None:
        assert set(ROLES) == set(Membership.Role.values)


def a_company() -> Organisation:
    owner = a_person("owner")
    return actions.register_organisation(owner=owner, name="Sample House", actor=str(owner), now=timezone.now())


@pytest.mark.django_db
class TestGatekeepers:
    @pytest.mark.parametrize("role", [role.value for role in OrgRole])
    def test_ask_the_table(self, role: str) -> None:
        company, user = a_company(), a_person("member")
        actions.add_member(organisation=company, user=user, role=role, actor="person:x", now=timezone.now())
        for act in Act:
            expected = act in ROLES[role]
            assert queries.may(user, act, organisation=company) == expected, act
            assert (company.holder_ref in queries.holders_for(user, act)) == expected, act
            assert user.holder_ref in queries.holders_for(user, act)
            assert (user in queries.people_to_notify(company.holder_ref, act)) == expected, act
        assert queries.belongs(user=user, organisation=company)

    def test_let_nobody_in_who_is_no_member(self) -> None:
        company, stranger = a_company(), a_person("stranger")
        assert not any(queries.may(stranger, act, organisation=company) for act in Act)
