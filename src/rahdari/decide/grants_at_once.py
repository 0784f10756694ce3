"""Several grants at once, each looked at first in a list: what can be granted, and what cannot and why.

Invariants: only grants; each is a grant like any other (`granting.grant`), in a transaction of its own; nothing is
granted that is not as the list showed it.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from rahdari.apply import queries as applications
from rahdari.apply.models import Endpoint
from rahdari.apply.rules import Status as Progress
from rahdari.checks import queries as check_queries
from rahdari.checks.models import Check
from rahdari.people.models import User
from rahdari.publish import queries as publish

from . import assignment, conflicts_of_interest, desk, granting, queries, rules, transitions
from .models import Case
from .rules import NoticeState, QuestionState, Status
from .rules import WhyNotGranted as Why
from .unreached_addresses import held_against, unreached_endpoints

AT_MOST = 50


@dataclass(frozen=True)
class Chosen:
    """A case that was chosen by its number. Of one that is closed, or not the officer's to see, there is no more."""

    reference: str
    why_not: Why | None
    case: Case | None = None
    checks: Sequence[Check] = ()
    missing: Sequence[rules.CheckFact] = ()
    # Some check waits past its time: the grant would be a provisional one.
    is_provisional: bool = False
    # Another one as soon as anything of what a decision rests on is another.
    mark: str = ""


def preview(*, officer: User, references: Iterable[str], now: dt.datetime) -> list[Chosen]:
    """Each case once, in the order in which it was chosen, in a number of statements that does not grow. Put on record
    as a look at a list."""
    shown = _chosen(officer, references, now)
    seen = [each.case.application for each in shown if each.case is not None]
    desk.record_looks(seen, officer=officer, where="grants", why="decide", now=now)
    return shown


def grant_chosen(*, officer: User, marks: Mapping[str, str], now: dt.datetime) -> list[Chosen]:
    """Take and grant each of these cases, named by its number with the mark that the list showed of it. Each in a
    transaction of its own; one that is not as it was shown, or cannot be granted now, is left as it is and says why.
    """
    return [_grant(officer, reference, mark, now) for reference, mark in list(marks.items())[:AT_MOST]]


def _grant(officer: User, reference: str, mark: str, now: dt.datetime) -> Chosen:
    [found] = _chosen(officer, [reference], now)
    if found.case is None:
        return found
    try:
        with transaction.atomic():
            case = transitions.lock(found.case)
            [found] = _chosen(officer, [reference], now)
            if found.why_not is None and found.mark != mark:
                found = replace(found, why_not=Why.CHANGED)
            if found.why_not is None:
                assignment.take_case(case=case, officer=officer, now=now)
                granting.grant(case=case, officer=officer, now=now)
    except granting.ChecksMissing as error:  # an answer came in between
        return replace(found, why_not=Why.CHECKS, missing=error.missing)
    except (transitions.NotPossibleNow, transitions.NotYourCase):
        return replace(found, why_not=Why.CHANGED)
    return found


def _chosen(officer: User, references: Iterable[str], now: dt.datetime) -> list[Chosen]:
    wanted = list(dict.fromkeys(each.replace("\0", "") for each in references))
    first = wanted[:AT_MOST]
    of_others = conflicts_of_interest.of_others(Case.objects.filter(application__reference__in=first), officer)
    keys = list(of_others.values_list("pk", "application"))
    subjects = [f"application:{application}" for _case, application in keys]
    checks = check_queries.checks_where(subject__in=subjects).order_by("position", "id")
    operators = publish.active_operators()
    cases = queries.read_cases([case for case, _application in keys], checks, operators)
    endpoints = applications.endpoints_of(*(case.application for case in cases))
    known: dict[str, Chosen] = {}
    for case in cases:
        own = [each for each in checks if each.subject == case.application.subject]
        addresses = [each for each in endpoints if each.application_id == case.application_id]
        nowhere = unreached_endpoints(case.application, addresses, operators)
        known[case.application.reference] = _one(case, officer, own, nowhere, now)
    found = [known.get(reference) or Chosen(reference, Why.UNKNOWN) for reference in first]
    return found + [Chosen(reference, Why.TOO_MANY) for reference in wanted[AT_MOST:]]


def _one(case: Case, officer: User, checks: Sequence[Check], nowhere: Sequence[Endpoint], now: dt.datetime) -> Chosen:
    reference, standing = case.application.reference, case.standing
    if standing.status != Status.OPEN or case.application.status == Progress.WITHDRAWN:
        return Chosen(reference, Why.CLOSED)
    assessed = held_against(queries.missing_for_grant(case, now, checks), case.application, nowhere)
    missing = assessed.missing if isinstance(assessed, rules.NotYet) else ()
    why: Why | None = None
    if case.assigned_to_id not in {None, officer.pk}:
        why = Why.TAKEN
    elif standing.question != QuestionState.NONE:
        why = Why.QUESTION
    elif standing.notice != NoticeState.NONE:
        why = Why.NOTICE
    elif missing:
        why = Why.CHECKS
    return Chosen(reference, why, case, checks, missing, isinstance(assessed, rules.Provisional), _mark(case, checks))


def _mark(case: Case, checks: Sequence[Check]) -> str:
    rests_on = [
        [(each.pk, each.outcome, each.answered_at) for each in checks],
        [(each.pk, each.answered_at) for each in case.questions.all()],
        [(each.pk, each.answered_at, each.withdrawn_at) for each in case.notices.all()],
        [(each.pk, each.voided_at) for each in case.decisions.all()],
    ]
    return hashlib.sha256(repr(rests_on).encode()).hexdigest()[:32]
