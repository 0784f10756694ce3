"""The acts of the ledger. There is no way from a demand to a file but through them."""

import datetime as dt

from django.db import transaction

from rahdari.decide import conflicts_of_interest, searching
from rahdari.decide import queries as cases
from rahdari.decide.models import Case
from rahdari.decide.searching import Found
from rahdari.decide.transitions import NotAnOfficer, sentence
from rahdari.errors import RahdariError
from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.models import User

from .models import LONGEST_HIDDEN, Demand

Outcome = Demand.Outcome


class OneFile(RahdariError):
    """The demand is about another file: for a second one it takes a second demand. `.demand`"""

    says = "{demand} is about another file"
    demand: Demand


class NotPossibleNow(RahdariError):
    """The demand was answered, or names no file yet. `.act` and `.demand`"""

    says = "{act} is not possible for {demand} now"
    act: str
    demand: Demand


class NeedsAnother(RahdariError):
    """What is given leaves with the agreement of a second officer. `.demand`"""

    says = "{demand} needs a second officer"
    demand: Demand


@transaction.atomic
def record_demand(
    *,
    officer: User,
    number: str,
    body: str,
    provision: str,
    day: dt.date,
    signed_by: str,
    wanted: str,
    is_bulk: bool,
    hidden_until: dt.date | None = None,
    hidden_by: str = "",
    now: dt.datetime,
) -> Demand:
    """Put a demand on the ledger; one that is there already is given back. What asks for more than one file is refused
    at once, by this act, and leads to none. Raises NotAnOfficer; ValueError for a hiding of more than a year.
    """
    actor = _actor(officer)
    if hidden_until is not None and hidden_until > (now + LONGEST_HIDDEN).date():
        raise ValueError("a demand is hidden for a year at most")
    found, is_new = Demand.objects.get_or_create(
        body=body.strip(),
        number=number.strip(),
        defaults={
            "provision": provision.strip(),
            "day": day,
            "signed_by": signed_by.strip(),
            "wanted": wanted.strip(),
            "recorded_by": officer,
            "at": now,
            "hidden_until": hidden_until,
            "hidden_by": hidden_by.strip() if hidden_until is not None else "",
            **({"outcome": Outcome.BULK, "answered_by": officer, "answered_at": now} if is_bulk else {}),
        },
    )
    if is_new:
        _record(found, "recorded", actor, now)
    return found


@transaction.atomic
def find_file(*, demand: Demand, officer: User, asked: str, now: dt.datetime) -> Found:
    """Look for the one file by a whole name or a whole address, or take the number of a case or registration. What is
    found is the demand's file from then on. Raises NotAnOfficer, NotPossibleNow once it was answered, OneFile.
    """
    actor = _actor(officer)
    demand = _locked(demand)
    if demand.outcome:
        raise NotPossibleNow("find_file", demand)
    number = cases.reference_of(asked)
    if number is not None:
        found = Found("one", number)
    else:
        found = searching.search(officer=officer, asked=asked, demand=demand.ground, now=now)
    if found.how != "one":
        return found
    case = cases.case_by_number(found.reference)
    assert case is not None  # noqa: S101 - it was just found
    if demand.case_id is not None and demand.case_id != case.pk:
        raise OneFile(demand)
    if demand.case_id is None:
        demand.case = case
        demand.save(update_fields=["case"])
        _record(demand, "named_file", actor, now)
    return found


@transaction.atomic
def answer_demand(*, demand: Demand, officer: User, outcome: str, answer: str, now: dt.datetime) -> Demand:
    """What is given, or why it is refused. What is given needs a second officer (`agree`). Raises NotAnOfficer,
    NotPossibleNow, ReasonNeeded.
    """
    actor = _actor(officer)
    demand = _locked(demand)
    gives = outcome in {Outcome.GIVEN, Outcome.IN_PART}
    if demand.outcome or outcome not in {Outcome.GIVEN, Outcome.IN_PART, Outcome.REFUSED}:
        raise NotPossibleNow("answer", demand)
    if gives and demand.case_id is None:
        raise NotPossibleNow("answer", demand)
    demand.outcome, demand.answer = outcome, sentence(answer)
    demand.answered_by, demand.answered_at = officer, now
    demand.save(update_fields=["outcome", "answer", "answered_by", "answered_at"])
    _record(demand, "answered", actor, now)
    return demand


@transaction.atomic
def agree(*, demand: Demand, officer: User, now: dt.datetime) -> Demand:
    """A second officer agrees that it is given. Raises NotAnOfficer, NotPossibleNow, NeedsAnother,
    seconding.NotSecond."""
    actor = _actor(officer)
    demand = _locked(demand)
    if not demand.waits_for_second:
        raise NotPossibleNow("agree", demand)
    # Nor whose own file it is, or who left it to others.
    own = demand.case is not None and conflicts_of_interest.with_part_in(demand.case.application, [officer])
    if own and officer.pk in own:
        raise NeedsAnother(demand)
    seconding.check(officer, [demand.answered_by_id], now)
    demand.agreed_by, demand.agreed_at = officer, now
    demand.save(update_fields=["agreed_by", "agreed_at"])
    _record(demand, "agreed", actor, now)
    return demand


def _locked(demand: Demand) -> Demand:
    Demand.objects.select_for_update().values_list("pk").get(pk=demand.pk)
    return Demand.objects.select_related("case").get(pk=demand.pk)


def _actor(officer: User) -> str:
    if not people.is_officer(officer):
        raise NotAnOfficer(officer)
    return cases.actor_of(officer)


def _record(demand: Demand, act: str, actor: str, now: dt.datetime) -> None:
    """Under the demand, and not under the file: the holder reads of it from the ledger, when it is not hidden."""
    case: Case | None = demand.case
    journal.record(
        act=f"demand.{act}",
        actor=actor,
        subject=str(demand),
        now=now,
        reason=demand.outcome,
        detail={"case": str(case.pk)} if case is not None else {},
    )
