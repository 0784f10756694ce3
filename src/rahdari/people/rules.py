"""What somebody may do for an organisation. Pure.

Invariants: what no row of the table allows is refused; an owner may do all of it; the papers of an application are for
those who may apply; invoices name no address, so who sees invoices alone learns none.
"""

from enum import StrEnum


class Act(StrEnum):
    """What a page asks before it opens."""

    SEE = "see"  # registrations, their addresses, where they are in force
    PAPERS = "papers"  # applications: answers, documents, questions and what was answered
    APPLY = "apply"  # apply, send, answer, renew, end
    PROVE = "prove"  # show control of addresses
    ADDRESSES = "addresses"  # which addresses, and what runs there
    BRANCHES = "branches"
    INVOICES = "invoices"
    MEMBERS = "members"  # who belongs, and as what


class OrgRole(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    TECHNICIAN = "technician"
    ACCOUNTANT = "accountant"
    VIEWER = "viewer"


ROLES: dict[str, frozenset[Act]] = {
    OrgRole.OWNER: frozenset(Act),
    OrgRole.MANAGER: frozenset(Act) - {Act.MEMBERS},
    OrgRole.TECHNICIAN: frozenset({Act.SEE, Act.PROVE, Act.ADDRESSES}),
    OrgRole.ACCOUNTANT: frozenset({Act.INVOICES}),
    OrgRole.VIEWER: frozenset({Act.SEE}),
}


def may(role: str, act: Act) -> bool:
    return act in ROLES.get(role, frozenset())


def roles_that(act: Act) -> list[str]:
    """The roles that may do it."""
    return [str(role) for role, acts in ROLES.items() if act in acts]
