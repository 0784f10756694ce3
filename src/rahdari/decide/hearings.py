"""A holder is heard before a registration is taken back: asked for, set, held or not, and written down.

Invariants: it can be asked for until the second officer decides, once, and nothing is decided before it is over; the
holder is told so long before as the policy says; it is over when it was held or nobody came, and not because an officer
moved it; what was said is encrypted, the holder reads it, and it is never rewritten. A court's order offers none: it is
answered at that court.
"""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.people.models import User

from . import case_clock, queries
from .ending import notify_holder
from .models import Case, Hearing, Notice
from .rules import HearingOutcome, HearingState
from .transitions import NotPossibleNow, begin, lock, record, sentence

# An officer may move one so often: the time to decide begins after it, and a hearing is not put off for ever.
MOST_MOVES = 2


class NoHearing(RahdariError):
    """A court ordered it: the court hears the holder. `.notice`"""

    says = "{notice} rests on an order, and no hearing is held about it"
    notice: Notice


class NotThen(RahdariError):
    """It cannot be set for this time. `.earliest` and `.latest` bound those for which it can."""

    says = "a hearing may be set from {earliest} until {latest}"
    earliest: dt.datetime
    latest: dt.datetime


class MovedTooOften(RahdariError):
    """It was moved before, and is held now on the day that is set. `.hearing`"""

    says = "{hearing} cannot be moved once more"
    hearing: Hearing


class OfficeClosed(RahdariError):
    """The office was closed then: that nobody came says nothing, and another day is set. `.hearing`"""

    says = "the office was closed at the time of {hearing}"
    hearing: Hearing


class NotSet(RahdariError):
    """No day is set, or it has not begun: nothing can be written down of it. `.case`"""

    says = "no hearing of {case} has begun"
    case: Case


@transaction.atomic
def ask_for_hearing(*, notice: Notice, actor: str, now: dt.datetime) -> Notice:
    """The holder wants to be heard. Doing it twice changes nothing.
    Raises NoHearing, NotPossibleNow, and as `transitions.begin` does.
    """
    case = lock(notice.case)
    notice = Notice.objects.get(pk=notice.pk)
    if notice.is_order:
        raise NoHearing(notice)
    if not notice.is_standing:
        raise NotPossibleNow("ask_for_hearing", case.standing)
    if notice.hearing_asked_at is not None:
        return notice
    begin(case, "ask_for_hearing", by=actor, now=now)
    notice.case, notice.hearing_asked_at = case, now
    notice.decide_by = case_clock.decide_by(notice)
    notice.save(update_fields=["hearing_asked_at", "decide_by"])
    record(case, "asked_for_hearing", actor, now, reason=" ".join(notice.codes))
    wake()
    return notice


@transaction.atomic
def set_hearing(
    *, case: Case, officer: User, starts_at: dt.datetime, place: str, now: dt.datetime, why: str = ""
) -> Hearing:
    """Set its day and place, or move it to another one, for which a sentence is needed. The holder is told.
    Raises NotThen, MovedTooOften, ReasonNeeded, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "set_hearing", by=officer, now=now)
    notice = _open(case)
    earliest, latest = case_clock.hearing_from(notice, now), case_clock.hearing_until(notice, now)
    if not earliest <= starts_at <= latest:
        raise NotThen(earliest, latest)
    before = to_come(notice)
    if before is not None:
        # It is nobody's doing that the office is closed.
        if sum(not case_clock.is_closed_at(each.starts_at) for each in [*moved(notice), before]) > MOST_MOVES:
            raise MovedTooOften(before)
        _close(before, HearingOutcome.MOVED, officer, now, minutes=sentence(why))
    hearing = Hearing.objects.create(
        notice=notice, starts_at=starts_at, place=sentence(place), set_at=now, set_by=officer
    )
    notice.decide_by = case_clock.decide_by(notice)
    notice.save(update_fields=["decide_by"])
    record(case, "set_hearing" if before is None else "moved_hearing", begun.actor, now)
    _tell(case, "hearing_set", now, day=starts_at, place=hearing.place, moved=before is not None, text=why.strip())
    return hearing


@transaction.atomic
def record_hearing(
    *, case: Case, officer: User, attended: str, minutes: str, now: dt.datetime, nobody_came: bool = False
) -> Hearing:
    """Write down what was said and who was there, or that nobody came. The holder reads it, and the case goes on.
    Raises NotSet, OfficeClosed, ReasonNeeded, and as `transitions.begin` does.
    """
    case = lock(case)
    begun = begin(case, "record_hearing", by=officer, now=now, words=minutes)
    notice = _open(case)
    hearing = to_come(notice)
    if hearing is None or now < hearing.starts_at:
        raise NotSet(case)
    if nobody_came and case_clock.is_closed_at(hearing.starts_at):
        raise OfficeClosed(hearing)
    came = "" if nobody_came else sentence(attended)
    outcome = HearingOutcome.NOBODY_CAME if nobody_came else HearingOutcome.ATTENDED
    _close(hearing, outcome, officer, now, minutes=begun.words, attended=came)
    notice.hearing_over_at = now
    notice.decide_by = case_clock.decide_by(notice)
    notice.save(update_fields=["hearing_over_at", "decide_by"])
    record(case, "nobody_came" if nobody_came else "held_hearing", begun.actor, now)
    _tell(case, "hearing_held", now, nobody_came=nobody_came, text=begun.words, decide_by=notice.decide_by)
    return hearing


def _close(
    hearing: Hearing, outcome: str, officer: User, now: dt.datetime, *, minutes: str, attended: str = ""
) -> None:
    hearing.outcome, hearing.minutes, hearing.attended = outcome, minutes, attended
    hearing.closed_at, hearing.closed_by = now, officer
    hearing.save(update_fields=["outcome", "minutes", "attended", "closed_at", "closed_by"])


def _open(case: Case) -> Notice:
    notice = queries.open_notice(case)
    assert notice is not None  # noqa: S101 - the move exists only while one stands
    notice.case = case
    return notice


def _tell(case: Case, template: str, now: dt.datetime, **context: object) -> None:
    decision = queries.decision_of(case)
    if decision is not None and decision.registration is not None:
        url = reverse("portal:notice", args=[case.application.reference])
        notify_holder(decision.registration, template, now, url=url, **context)


def to_come(notice: Notice) -> Hearing | None:
    """The one that is set and not over."""
    return hearings_of(notice).filter(closed_at__isnull=True).first()


def moved(notice: Notice) -> QuerySet[Hearing]:
    return hearings_of(notice).filter(outcome=HearingOutcome.MOVED)


def hearings_of(notice: Notice) -> QuerySet[Hearing]:
    """All of them, the first in front: those that were moved, and the one that is set or was held."""
    return Hearing.objects.filter(notice=notice).select_related("set_by", "closed_by").order_by("set_at", "id")


def may_ask(notice: Notice) -> bool:
    """Whether the holder may still ask to be heard."""
    return notice.is_standing and not notice.is_order and notice.hearing == HearingState.NONE
