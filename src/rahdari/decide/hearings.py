"""Somebody is heard before it is decided against them: asked for, set, held or not, and written down.

About a proposal to take a registration back, about one to refuse by a code whose remedies offer it, and about whatever
a room above decides (`MATTERS`). Invariants: it is asked for once, and nothing is decided before it is over; whoever is
heard is told so long before as the policy says; it is set for a time when the office is open; it is over when it was
held or nobody came, and not because it was moved; what was said is encrypted, whoever was heard reads it, and it is
never rewritten. A court's order offers none: it is answered at that court.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from rahdari.db.wake import wake
from rahdari.errors import RahdariError
from rahdari.people.models import User
from rahdari.policy import Policy

from . import case_clock, queries, serving
from .ending import notify_holder
from .models import Case, Hearing, Notice
from .rules import HearingOutcome, HearingState, Status
from .transitions import NotPossibleNow, begin, lock, record, sentence, write

# It may be moved so often: the time to decide begins after it, and a hearing is not put off for ever.
MOST_MOVES = 2
Span = tuple[dt.datetime, dt.datetime]


class NoHearing(RahdariError):
    """A court ordered it: the court hears the holder. `.notice`"""

    says = "{notice} rests on an order, and no hearing is held about it"
    notice: Notice


class NotOffered(RahdariError):
    """It may be refused by codes whose remedies name no hearing: it is answered in writing. `.notice`"""

    says = "no code of {notice} offers a hearing"
    notice: Notice


class NotThen(RahdariError):
    """It cannot be set for this time. `.earliest` and `.latest` bound those for which it can."""

    says = "a hearing may be set from {earliest} until {latest}"
    earliest: dt.datetime
    latest: dt.datetime


class NotOpenThen(RahdariError):
    """The office is closed at this time. `.near` are the spans nearest to it in which it can be set: one or two, each
    from when the office opens until it closes, the earlier in front."""

    says = "the office is closed then, and open {near}"
    near: list[Span]


class MovedTooOften(RahdariError):
    """It was moved before, and is held now on the day that is set. `.hearing`"""

    says = "{hearing} cannot be moved once more"
    hearing: Hearing


class OfficeClosed(RahdariError):
    """The office was closed then: that nobody came says nothing, and another day is set. `.hearing`"""

    says = "the office was closed at the time of {hearing}"
    hearing: Hearing


class NotTold(RahdariError):
    """The letter that named its day came back: that nobody came says nothing, and another day is set. `.hearing`"""

    says = "the letter about {hearing} came back"
    hearing: Hearing


class NotSet(RahdariError):
    """No day is set, or it has not begun: nothing can be written down of it. `.case`"""

    says = "no hearing of {case} has begun"
    case: Case


class Heard(Protocol):
    """What somebody is heard about, by its row."""

    @property
    def subject(self) -> str: ...


@dataclass(frozen=True)
class Matter:
    """The same for the acts: how it is named, the page at the desk on which it is set, by which numbers letters name
    it, and how whoever is heard is written to (the letter, the time, its facts)."""

    subject: str
    case: Case
    page: str
    numbers: Mapping[str, str]
    tell: Callable[..., None]


# What somebody may be heard about, by what its name begins with: found by its key while it is still to be decided. A
# room above puts in what is its own.
MATTERS: dict[str, Callable[[str], Matter | None]] = {}


def standing_matter(hearing: Hearing) -> Matter | None:
    """What a hearing is about, if that is still to be decided."""
    kind, _colon, key = hearing.matter.partition(":")
    return MATTERS[kind](key)


def of_notice(notice: Notice) -> Matter:
    """A proposal to refuse, or to take a registration back."""
    reference, decision = notice.case.application.reference, queries.decision_of(notice.case)
    there = reverse("portal:notice", args=[reference])
    if notice.case.status == Status.OPEN:
        numbers = {"reference": reference, "application": reference}
        tell = partial(write, notice.case, application=reference, url=there)
        return Matter(notice.subject, notice.case, reverse("decide:case", args=[reference]), numbers, tell)
    assert decision is not None and decision.registration is not None  # noqa: S101 - what is to be taken back
    numbers = {"reference": reference, "registration": decision.registration.reference}
    tell = partial(notify_holder, decision.registration, url=there, reference=reference)
    return Matter(notice.subject, notice.case, reverse("decide:revoke", args=[reference]), numbers, tell)


def _standing_notice(key: str) -> Matter | None:
    found = Notice.objects.select_related("case__application").exclude(case__application__status="withdrawn")
    notice = found.filter(pk=key, withdrawn_at__isnull=True, concluded_at__isnull=True).first()
    return None if notice is None else of_notice(notice)


MATTERS["notice"] = _standing_notice


@transaction.atomic
def ask_for_hearing(*, notice: Notice, actor: str, now: dt.datetime) -> Notice:
    """Whoever it goes against wants to be heard. Doing it twice changes nothing.
    Raises NoHearing, NotOffered, NotPossibleNow, and as `transitions.begin` does.
    """
    case = lock(notice.case)
    notice = Notice.objects.get(pk=notice.pk)
    notice.case = case
    if notice.is_order:
        raise NoHearing(notice)
    if not notice.is_standing:
        raise NotPossibleNow("ask_for_hearing", case.standing)
    if not is_offered(notice):
        raise NotOffered(notice)
    if notice.hearing_asked_at is not None:
        return notice
    begin(case, "ask_for_hearing", by=actor, now=now)
    notice.hearing_asked_at = now
    _save(notice, "hearing_asked_at")
    record(case, "asked_for_hearing", actor, now, reason=" ".join(notice.codes))
    wake()
    return notice


@transaction.atomic
def set_hearing(
    *, case: Case, officer: User, starts_at: dt.datetime, place: str, now: dt.datetime, why: str = ""
) -> Hearing:
    """Set the day and place of the one about the proposal that stands, or move it. Raises as `arrange` and
    `transitions.begin` do.
    """
    case = lock(case)
    begun = begin(case, "set_hearing", by=officer, now=now)
    notice = _open(case)
    between = case_clock.notice_heard_between(notice, now)
    before = to_come(notice)
    hearing = arrange(of_notice(notice), between, officer=officer, starts_at=starts_at, place=place, now=now, why=why)
    _save(notice)
    record(case, "set_hearing" if before is None else "moved_hearing", begun.actor, now)
    return hearing


@transaction.atomic
def record_hearing(
    *, case: Case, officer: User, attended: str, minutes: str, now: dt.datetime, nobody_came: bool = False
) -> Hearing:
    """Write down the one about the proposal that stands. Raises as `write_down` and `transitions.begin` do."""
    case = lock(case)
    begun = begin(case, "record_hearing", by=officer, now=now, words=minutes)
    notice = _open(case)
    matter = of_notice(notice)
    hearing = write_down(matter, officer=officer, attended=attended, minutes=minutes, now=now, nobody_came=nobody_came)
    notice.hearing_over_at = now
    _save(notice, "hearing_over_at")
    record(case, "nobody_came" if nobody_came else "held_hearing", begun.actor, now)
    matter.tell("hearing_held", now, nobody_came=nobody_came, text=hearing.minutes, decide_by=notice.decide_by)
    return hearing


def _save(notice: Notice, *fields: str) -> None:
    """With the time in which it has to be decided, which a refusal has not."""
    if notice.decide_by is not None:
        notice.decide_by = case_clock.decide_by(notice)
    notice.save(update_fields=[*fields, "decide_by"])


def call_off(notice: Notice, now: dt.datetime) -> None:
    """The proposal is dropped: whoever was to be heard about it on a day to come is told that there is no hearing."""
    planned = to_come(notice)
    if planned is not None and planned.starts_at > now:
        of_notice(notice).tell("hearing_off", now, day=planned.starts_at)


# -- of any matter, whose room has locked it and knows that the act is possible ------------------------------------


def arrange(
    matter: Matter, between: Span, *, officer: User, starts_at: dt.datetime, place: str, now: dt.datetime, why: str
) -> Hearing:
    """Set its day and place, or move it to another one, for which a sentence is needed. Whoever is heard is told.
    `between`: the first and the last moment for it. Raises NotThen, NotOpenThen, MovedTooOften, ReasonNeeded.
    """
    _look_at_the_time(starts_at, *between)
    planned = to_come(matter)
    if planned is not None:
        # It is nobody's doing that the office is closed, or that a letter comes back.
        counted = (each for each in hearings_of(matter) if not case_clock.is_closed_at(each.starts_at))
        if sum(serving.was_told(each) for each in counted) > MOST_MOVES:
            raise MovedTooOften(planned)
        _close(planned, HearingOutcome.MOVED, officer, now, minutes=sentence(why))
    hearing = Hearing.objects.create(
        matter=matter.subject, case=matter.case, starts_at=starts_at, place=sentence(place), set_at=now, set_by=officer
    )
    is_moved = planned is not None
    matter.tell("hearing_set", now, day=starts_at, place=hearing.place, moved=is_moved, text=why.strip())
    return hearing


def _look_at_the_time(at: dt.datetime, first: dt.datetime, last: dt.datetime) -> None:
    """Raises NotThen, or NotOpenThen on a day on which, or beside which, it could be."""
    calendar = case_clock.calendar()
    day, earliest, latest = (each.astimezone(calendar.zone_info).date() for each in (at, first, last))
    if not calendar.is_open_at(at) and earliest <= day <= latest:
        spans = list(calendar.spans_between(first, last))
        before, after = ([span for span in spans if (span[0] > at) is later] for later in (False, True))
        raise NotOpenThen([*before[-1:], *after[:1]])
    if not first <= at <= last:
        raise NotThen(first, last)


def write_down(
    matter: Matter, *, officer: User, attended: str, minutes: str, now: dt.datetime, nobody_came: bool
) -> Hearing:
    """Write down what was said and who was there, or that nobody came. The caller marks it as over, and writes to
    whoever was heard. Raises NotSet, OfficeClosed, NotTold, ReasonNeeded.
    """
    hearing = to_come(matter)
    if hearing is None or now < hearing.starts_at:
        raise NotSet(matter.case)
    if nobody_came and case_clock.is_closed_at(hearing.starts_at):
        raise OfficeClosed(hearing)
    if nobody_came and not serving.was_told(hearing):
        raise NotTold(hearing)
    came = "" if nobody_came else sentence(attended)
    outcome = HearingOutcome.NOBODY_CAME if nobody_came else HearingOutcome.ATTENDED
    _close(hearing, outcome, officer, now, minutes=sentence(minutes), attended=came)
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


def to_come(about: Heard) -> Hearing | None:
    """The one that is set and not over."""
    return hearings_of(about).filter(closed_at__isnull=True).first()


def hearings_of(about: Heard) -> QuerySet[Hearing]:
    """All of them, the first in front: those that were moved, and the one that is set or was held."""
    found = Hearing.objects.filter(matter=about.subject)
    return found.select_related("set_by", "closed_by").order_by("set_at", "id")


def about_proposals(case: Case) -> QuerySet[Hearing]:
    """All that were set about proposals to refuse, or to take back what came of the case; none of a room above."""
    return Hearing.objects.filter(case=case, matter__startswith="notice:").order_by("set_at", "id")


def is_offered(notice: Notice) -> bool:
    """Whether there is a hearing about it: before a registration is taken back always, but by a court's order; before a
    refusal where a remedy of its codes says so."""
    if notice.decide_by is not None:
        return not notice.is_order
    return offered_by(case_clock.policy_of(notice.case.application), notice.codes)


def offered_by(rules: Policy, codes: Iterable[str]) -> bool:
    """Whether a hearing is among the remedies of these codes."""
    return any("hearing" in rules.reasons[code].remedies for code in codes)


def may_ask(notice: Notice) -> bool:
    """Whether whoever it goes against may still ask to be heard."""
    return notice.is_standing and notice.hearing == HearingState.NONE and is_offered(notice)
