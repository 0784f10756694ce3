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


class Scope(StrEnum):
    """What an organisation lets an agent do in its name. Nobody but a member sees invoices, or who belongs to it."""

    APPLY = "apply"
    ADDRESSES = "addresses"
    SEE = "see"


SCOPES: dict[str, frozenset[Act]] = {
    Scope.APPLY: frozenset({Act.SEE, Act.PAPERS, Act.APPLY, Act.PROVE, Act.ADDRESSES}),
    Scope.ADDRESSES: frozenset({Act.SEE, Act.PROVE, Act.ADDRESSES}),
    Scope.SEE: frozenset({Act.SEE}),
}


# A national bank has some two thousand.
MOST_BRANCHES = 5000


def scopes_that(act: Act) -> list[str]:
    """The scopes of a mandate that let an agent do it."""
    return [str(scope) for scope, acts in SCOPES.items() if act in acts]


def may(role: str, act: Act) -> bool:
    return act in ROLES.get(role, frozenset())


def roles_that(act: Act) -> list[str]:
    """The roles that may do it."""
    return [str(role) for role, acts in ROLES.items() if act in acts]
