"""Whose case it is, and what that officer found out by hand."""

import datetime as dt
import uuid
from collections.abc import Sequence

from django.db import transaction

from rahdari.apply import queries as applications
from rahdari.checks import checking
from rahdari.checks import queries as checks
from rahdari.checks.models import Check, Outcome
from rahdari.errors import RahdariError
from rahdari.people import queries as people
from rahdari.people.models import User

from . import queries
from .models import Case
from .transitions import apart_from, begin, lock, record


class AlreadyTaken(RahdariError):
    """Another officer has the case. `.case`."""

    says = "{case} is taken"
    case: Case


@transaction.atomic
def take_case(*, case: Case, officer: User, now: dt.datetime) -> Case:
    """Assign an open case to an officer. Their own twice changes nothing.
    Raises AlreadyTaken, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "take_case", by=officer, now=now)
    if case.assigned_to_id == officer.pk:
        return case
    if case.assigned_to_id is not None:
        raise AlreadyTaken(case)
    _assign(case, officer, now)
    record(case, "took_case", begun.actor, now)
    return case


@transaction.atomic
def hand_over(*, case: Case, officer: User, to: User | None, now: dt.datetime) -> Case:
    """Pass the case to a colleague, or back into the queue. A supervisor may do it with anybody's case."""
    case = lock(case)
    begun = begin(case, "reassign" if people.is_supervisor(officer) else "hand_over", by=officer, now=now)
    if to is not None:
        apart_from(case, to)
    _assign(case, to, now)
    record(case, "handed_over", begun.actor, now, detail={"to": f"officer:{to.pk}" if to else ""})
    return case


def _assign(case: Case, officer: User | None, now: dt.datetime) -> None:
    case.assigned_to, case.assigned_at = officer, now if officer else None
    case.save(update_fields=["assigned_to", "assigned_at"])


@transaction.atomic
def record_check(*, case: Case, officer: User, check: uuid.UUID, outcome: str, how: str, now: dt.datetime) -> Check:
    """What an officer found out by hand, with words on how. The journal's row is written by `checks`.
    Raises CaseNotFound for a check of another case, and as `transitions.begin` does.
    """
    case = lock(case, with_checks=True)
    begun = begin(case, "record_check", by=officer, now=now, words=how)
    found = checks.check_by_id(subject=case.application.subject, id=str(check))
    if found is None:
        raise queries.CaseNotFound(case.application.reference)
    return checking.record_by_hand(check=found, outcome=outcome, how=begun.words, actor=begun.actor, now=now)


@transaction.atomic
def record_several(
    *, case: Case, officer: User, found: Sequence[tuple[uuid.UUID, str, str]], now: dt.datetime
) -> list[Check]:
    """Several checks of a case at once, all or none: of each its id, `passed` or `failed`, and words on how."""
    return [
        record_check(case=case, officer=officer, check=check, outcome=outcome, how=how, now=now)
        for check, outcome, how in found
    ]


@transaction.atomic
def record_checks(*, case: Case, officer: User, kind: str, outcome: str, how: str, now: dt.datetime) -> int:
    """The same for every address whose check of this kind has not passed. Gives their number."""
    case = lock(case, with_checks=True)
    begun = begin(case, "record_check", by=officer, now=now, words=how)
    addresses = {each.subject for each in applications.endpoints_of(case.application)}
    found = [
        each
        for each in checks.checks_of(case.application.subject)
        if each.kind == kind and each.target in addresses and each.outcome != Outcome.PASSED
    ]
    for each in found:
        checking.record_by_hand(check=each, outcome=outcome, how=begun.words, actor=begun.actor, now=now)
    return len(found)
