"""Organisations that the person belongs to, their branches, and which of their addresses belong to which."""

import uuid
from collections import Counter

from rahdari.applicant.branches import BranchForm, addresses_of
from rahdari.apply import bulk
from rahdari.people import branches, queries
from rahdari.people.models import Branch, Organisation
from rahdari.people.rules import Act, OrgRole, may
from rahdari.programs.operation import Answer, Ok
from rahdari.programs.problems import REFUSED, not_found, of_form
from rahdari.programs.schema import ID, Json, choice, closed, listed, named, or_null, text, whole

from .interface import API, Call
from .rules import Scope

TAG = "organisations"
READ, WRITE = Scope.ORGANISATIONS_READ, Scope.ORGANISATIONS_WRITE
read = API.part(TAG, READ)
write = API.part(TAG, WRITE)
ONE = "/organisations/{organisation}"
BRANCHES = f"{ONE}/branches"
ORGANISATION = named(
    "Organisation",
    closed(
        {
            "id": text(36),
            "name": text(200),
            "company_number": text(20),
            "role": choice(*(str(role) for role in OrgRole)),
            "may": listed(choice(*(str(act) for act in Act))),
        }
    ),
)
DESCRIBED = {
    "city": text(200),
    "address": text(400),
    "contact_name": text(300),
    "contact_email": text(300),
    "contact_mobile": text(60),
}
ASKED = closed({"name": text(300)}, DESCRIBED)
BRANCH = named("Branch", closed({"id": text(36), "name": text(100), **DESCRIBED, "addresses": whole(0, 10**6)}))
ADDRESS = named(
    "RegisteredAddress",
    closed(
        {
            "entry": text(36),
            "registration": text(12),
            "address": text(49),
            "label": text(200),
            "branch": or_null(text(36)),
        }
    ),
)


def within(call: Call, id: uuid.UUID, act: Act) -> Organisation:
    """The organisation, if the person may do this for it."""
    try:
        return queries.organisation_within(user=call.person, id=id, act=act)
    except queries.OrganisationNotFound:
        raise not_found() from None


def _branch(row: Branch, addresses: int) -> Json:
    return {
        "id": str(row.pk),
        "name": row.name,
        **{name: getattr(row, name) for name in DESCRIBED},
        "addresses": addresses,
    }


def _counts(organisation: Organisation) -> Counter[uuid.UUID]:
    return Counter(each.branch.pk for each in addresses_of(organisation) if each.branch is not None)


def _form(call: Call) -> BranchForm:
    form = BranchForm(call.body)
    if not form.is_valid():
        raise of_form(form)
    return form


def _name_taken(form: BranchForm) -> Exception:
    form.add_name_taken()
    return of_form(form)


def _one(organisation: Organisation, id: uuid.UUID) -> Branch:
    try:
        return queries.branch_of(organisation=organisation, id=id)
    except queries.BranchNotFound:
        raise not_found() from None


@read(
    "GET",
    "/organisations",
    Ok("All of them, with your role and what you may do.", closed({"items": listed(ORGANISATION)})),
)
def list_organisations(call: Call) -> Answer:
    """List your organisations."""
    roles = {each.organisation_id: each.role for each in queries.memberships_of(call.person)}
    found = [
        {
            "id": str(each.pk),
            "name": each.name,
            "company_number": each.company_number,
            "role": roles[each.pk],
            "may": [str(act) for act in Act if may(roles[each.pk], act)],
        }
        for each in queries.organisations_of(call.person)
    ]
    return Answer({"items": found})


@read("GET", BRANCHES, Ok("By name, with how many addresses each has.", closed({"items": listed(BRANCH)})))
def list_branches(call: Call, organisation: uuid.UUID) -> Answer:
    """List its branches."""
    found = within(call, organisation, Act.SEE)
    counts = _counts(found)
    return Answer({"items": [_branch(each, counts[each.pk]) for each in queries.branches_of(found)]})


@write("POST", BRANCHES, Ok("The branch.", BRANCH, 201), body=ASKED, problems=REFUSED)
def add_branch(call: Call, organisation: uuid.UUID) -> Answer:
    """Add a branch.

    A name stands once. The contact hears of the line of the branch, and of nothing else.
    """
    found, form = within(call, organisation, Act.BRANCHES), _form(call)
    try:
        made = branches.add_branch(organisation=found, actor=call.own_actor, now=call.now, **form.cleaned_data)
    except branches.BranchNameTaken:
        raise _name_taken(form) from None
    return Answer(_branch(made, 0), 201)


@write(
    "PUT",
    f"{BRANCHES}/{{branch}}",
    Ok("The branch; what is left out becomes empty.", BRANCH),
    body=ASKED,
    problems=("not-taken",),
)
def change_branch(call: Call, organisation: uuid.UUID, branch: uuid.UUID) -> Answer:
    """Change a branch."""
    found = within(call, organisation, Act.BRANCHES)
    row, form = _one(found, branch), _form(call)
    try:
        row = branches.change_branch(branch=row, actor=call.own_actor, now=call.now, **form.cleaned_data)
    except branches.BranchNameTaken:
        raise _name_taken(form) from None
    return Answer(_branch(row, _counts(found)[row.pk]))


@write("DELETE", f"{BRANCHES}/{{branch}}", Ok("It is given up; its contact is forgotten.", status=204))
def end_branch(call: Call, organisation: uuid.UUID, branch: uuid.UUID) -> Answer:
    """Give up a branch.

    Its addresses stay registered, and belong to no branch.
    """
    row = _one(within(call, organisation, Act.BRANCHES), branch)
    branches.end_branch(branch=row, actor=call.own_actor, now=call.now)
    return Answer(status=204)


@read("GET", f"{ONE}/addresses", Ok("All that it has on the register now.", closed({"items": listed(ADDRESS)})))
def list_addresses(call: Call, organisation: uuid.UUID) -> Answer:
    """List its registered addresses, with their branches."""
    found = [
        {
            "entry": str(each.entry),
            "registration": each.registration,
            "address": each.text,
            "label": each.label,
            "branch": str(each.branch.pk) if each.branch is not None else None,
        }
        for each in addresses_of(within(call, organisation, Act.SEE))
    ]
    return Answer({"items": found})


@write(
    "PUT",
    f"{ONE}/addresses",
    Ok("How many were changed.", closed({"changed": whole(0, 1000)})),
    body=closed({"entries": listed(ID, 1000), "branch": or_null(ID)}),
)
def place_addresses(call: Call, organisation: uuid.UUID) -> Answer:
    """Say to which branch addresses belong.

    `entries` are those of the list; `branch` null takes them out of any. What is not in the list is passed over.
    """
    found = within(call, organisation, Act.BRANCHES)
    target = _one(found, uuid.UUID(call.body["branch"])) if call.body["branch"] is not None else None
    chosen = {uuid.UUID(each) for each in call.body["entries"]}
    subjects = [each.subject for each in addresses_of(found) if each.entry in chosen]
    changed = bulk.place_endpoints(
        subjects=subjects, branch=target, organisation=found, actor=call.own_actor, now=call.now
    )
    return Answer({"changed": changed})
