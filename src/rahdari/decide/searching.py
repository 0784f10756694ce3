"""Who else has this name, or this address: asked within a case, for a demand that is named, or by a complaint.

Invariants: no search runs from an address or a name to a person without one of these grounds; whole names and whole
addresses are compared; one case at most is given. Each search is on record, and the holder of the case that was the
answer reads that row, with its ground. Of a complaint nobody asks: code compares, and the holder is the first who
hears of it (`complaint`).
"""

import datetime as dt
import re
import uuid
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from rahdari.address import AddressError, Block, parse_block
from rahdari.apply import queries as applications
from rahdari.journal import actions as journal
from rahdari.people.models import User

from . import conflicts_of_interest, queries, queue_columns
from .models import Case
from .rules import Status

# What stands for other signs in other programs, and what begins like an address and is none.
_PLACEHOLDER, _BEGINS = re.compile(r"[*?%_\\]|\.\.\."), re.compile(r"[0-9a-f:]*[.:][0-9a-f.:/]*")
NOBODY = "desk:search"
# Of a name that more cases have, nothing is said anyway.
MOST_NAMED = 200


@dataclass(frozen=True)
class Found:
    """The number of the one case, or how it was: `none`, `one`, or `more` than one holder."""

    how: str
    reference: str = ""


def is_whole(asked: str) -> bool:
    """Whether this can be a name or an address, and is not a part of one as far as that is seen."""
    if _PLACEHOLDER.search(asked):
        return False
    return _address(asked) is not None or (
        not _BEGINS.fullmatch(asked.casefold()) and bool(queue_columns.whole_name(asked))
    )


def matches_case(case: Case, asked: str) -> bool:
    """Whether it is the name of this case's holder, or one of its addresses."""
    address = _address(asked)
    if address is None:
        return queue_columns.whole_name(asked) == queue_columns.whole_name(case.application.holder_name)
    return applications.endpoints_of(case.application).filter(block__covers=str(address)).exists()


def search(*, officer: User, asked: str, now: dt.datetime, case: Case | None = None, demand: str = "") -> Found:
    """Among decided and closed cases of other holders. `case`: the one on which the officer is; `demand`: what was
    demanded by whom, by which provision and when. One of the two is given, or ValueError is raised.
    """
    if (case is None) == (not demand):
        raise ValueError("a search is made within a case or for a demand")
    cases = _with(asked, conflicts_of_interest.of_others(Case.objects.exclude(status=Status.OPEN), officer))
    if case is not None:
        cases = cases.exclude(_same_holder(case))
    # The latest case of each holder; of the second it is enough to know that there is one.
    by_holder = cases.annotate(by=Coalesce("application__organisation", "application__applicant"))
    latest = by_holder.select_related("application").order_by("by", "-opened_at", "-id").distinct("by")[:2]
    found, subject = Found("none"), NOBODY
    if len(latest) == 1:
        found, subject = Found("one", latest[0].application.reference), latest[0].application.subject
    elif latest:
        found = Found("more")
    journal.record(
        act="decide.read_search",
        actor=queries.actor_of(officer),
        subject=subject,
        now=now,
        reason="case" if case is not None else "demand",
        ground=queries.ground_of(case) if case is not None else demand,
        detail={"found": found.how, "asked": sorted(queue_columns.hashes(asked.casefold().split()))}
        | ({"case": str(case.pk)} if case is not None else {}),
    )
    return found


def holders_named(asked: str) -> set[uuid.UUID]:
    """Who holds, or held, under this whole name, for the complaint of somebody whose it is. None of it is shown."""
    name = queue_columns.whole_name(asked)
    if not name:
        return set()
    cases = Case.objects.exclude(status=Status.OPEN).filter(words=name)
    cases = cases.select_related("application__applicant", "application__organisation")
    return {each.application.holder_ref for each in cases[:MOST_NAMED]}


def _address(asked: str) -> Block | None:
    try:
        return parse_block(asked)
    except AddressError:
        return None


def _with(asked: str, cases: QuerySet[Case]) -> QuerySet[Case]:
    """A block is found by an address in it, and by nothing that is wider than it."""
    address = _address(asked)
    if address is None:
        return cases.filter(words=queue_columns.whole_name(asked))
    there = applications.endpoints_there().filter(block__covers=str(address))
    return cases.filter(application__in=there.values("application"))


def _same_holder(case: Case) -> Q:
    application = case.application
    if application.organisation_id is not None:
        return Q(application__organisation=application.organisation_id)
    return Q(application__applicant=application.applicant_id, application__organisation__isnull=True)
