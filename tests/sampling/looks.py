"""Decisions that were drawn, as the acts of the rooms make them."""

import datetime as dt
import itertools

from rahdari.decide import decided, granting, queries, refusals
from rahdari.decide.models import Case, Decision
from rahdari.people.models import User
from rahdari.sampling import drawing, looking
from rahdari.sampling.models import DrawnUpTo, SecondLook
from tests.builders.cases import HOUR, MINUTE, NOW, a_case, a_decided_application
from tests.decide.test_actions import LATER, answered, grantable

# When chance has spoken of all that the builders decide.
DRAWN = LATER + 2 * HOUR
WHY = "The bill names another subscriber."


def begin(at: dt.datetime = NOW - HOUR) -> None:
    """The first time, before anything is decided."""
    drawing.draw(at)
    assert DrawnUpTo.objects.count() == 1


def by_rule(now: dt.datetime = NOW) -> Decision:
    return decision_of(a_decided_application(now=now).case)


def by_officer(officer: User) -> Decision:
    case = grantable(a_case(), officer)
    return granting.grant(case=case, officer=officer, now=LATER)


def refused(proposer: User, second: User) -> Decision:
    notice = answered(a_case(), proposer)
    return refusals.second_refusal(case=notice.case, officer=second, because=WHY, now=LATER + HOUR + MINUTE)


def decision_of(case: Case) -> Decision:
    found = queries.decision_of(queries.cases().get(pk=case.pk))
    assert found is not None
    return found


_seconds = itertools.count()


def drawn(decision: Decision) -> SecondLook:
    """Drawn by hand, each later than the one before."""
    at = LATER + HOUR + dt.timedelta(seconds=next(_seconds))
    return SecondLook.objects.create(decision=decision, by_rule=decided.is_by_rule(decision), drawn_at=at)


def taken(officer: User, now: dt.datetime = DRAWN) -> SecondLook:
    found = looking.take_next(officer=officer, now=now)
    assert found is not None
    return found


def looked(officer: User, verdict: str = "grant", *codes: str, now: dt.datetime = DRAWN) -> SecondLook:
    look = taken(officer, now)
    return looking.give_verdict(look=look, officer=officer, verdict=verdict, codes=codes, text=WHY, now=now)
