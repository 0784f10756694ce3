"""Branches of an organisation. Reached through `actions`.

Each act is one transaction with one row of the journal, which names the branch and nobody in it. A name stands once
among the branches that are there.
"""

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction

from rahdari.errors import RahdariError
from rahdari.journal import actions as journal

from . import queries, rules
from .models import Branch, Organisation

DESCRIBED = ("name", "city", "address", "contact_name", "contact_email", "contact_mobile")


class BranchNameTaken(RahdariError):
    """Another branch of the organisation has this name. `.branch` is which."""

    says = "the name of {branch}"
    branch: Branch


class TooManyBranches(RahdariError):
    """The organisation has as many as it may have. `.limit`"""

    says = "{limit} branches"
    limit: int


def _record(act: str, branch: Branch, *, actor: str, now: dt.datetime) -> None:
    subject, detail = f"organisation:{branch.organisation_id}", {"branch": str(branch.pk)}
    journal.record(act=act, actor=actor, subject=subject, now=now, detail=detail)


@transaction.atomic
def add_branch(
    *,
    organisation: Organisation,
    name: str,
    city: str = "",
    address: str = "",
    contact_name: str = "",
    contact_email: str = "",
    contact_mobile: str = "",
    actor: str,
    now: dt.datetime,
) -> Branch:
    """Raises BranchNameTaken, TooManyBranches."""
    Organisation.objects.select_for_update().get(pk=organisation.pk)
    if queries.branches_of(organisation).count() >= rules.MOST_BRANCHES:
        raise TooManyBranches(rules.MOST_BRANCHES)
    branch = Branch(
        organisation=organisation,
        name=name,
        city=city,
        address=address,
        contact_name=contact_name,
        contact_email=contact_email,
        contact_mobile=contact_mobile,
        added_at=now,
    )
    _save(branch)
    _record("people.added_branch", branch, actor=actor, now=now)
    return branch


def _save(branch: Branch) -> None:
    same = queries.branch_named(branch.organisation, branch.name)
    if same is not None and same.pk != branch.pk:
        raise BranchNameTaken(same)
    try:
        with transaction.atomic():
            branch.save()
    except IntegrityError:
        same = queries.branch_named(branch.organisation, branch.name)  # another window was first
        if same is None:
            raise
        raise BranchNameTaken(same) from None


@transaction.atomic
def change_branch(*, branch: Branch, actor: str, now: dt.datetime, **described: Any) -> Branch:
    """Put right what is said of a branch (`DESCRIBED`). The same again changes nothing. Raises BranchNameTaken."""
    row = Branch.objects.select_for_update().get(pk=branch.pk)
    changed = {
        name: described[name] for name in DESCRIBED if described.get(name, getattr(row, name)) != getattr(row, name)
    }
    if changed:
        for name, value in changed.items():
            setattr(row, name, value)
        _save(row)
        _record("people.changed_branch", row, actor=actor, now=now)
    return row


@transaction.atomic
def end_branch(*, branch: Branch, actor: str, now: dt.datetime) -> Branch:
    """The branch is given up: who was to hear of it is forgotten. Doing it twice changes nothing."""
    row = Branch.objects.select_for_update().get(pk=branch.pk)
    if row.ended_at is None:
        row.ended_at, row.contact_name, row.contact_email, row.contact_mobile = now, "", "", ""
        row.save()
        _record("people.ended_branch", row, actor=actor, now=now)
    return row
