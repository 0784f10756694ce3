"""The clocks of a case, computed on reading from events. Both sides see the same face.

Allowances are those of the policy frozen onto the application; the calendar is that of the policy in force now with all
corrections, since a holiday declared yesterday is a fact and no new rule. A time that was told to somebody is never
made earlier: neither by a correction (`Calendar.earlier`) nor by another file.
"""

import datetime as dt
import functools
from dataclasses import dataclass
from typing import TypedDict

from django.conf import settings

from rahdari import policy
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.calendar import queries as calendars
from rahdari.policy import Allowance, Calendar, Pause, Policy

from . import serving
from .models import Case, CaseQuestion, Hearing, Notice
from .rules import CaseStanding, HearingState, NoticeState, QuestionState, Status, Urgency, urgency


@dataclass(frozen=True)
class ClockFace:
    """What a clock shows. `waits_for`: officer | second | hearing | applicant | nobody."""

    due_at: dt.datetime
    remaining: dt.timedelta
    paused: bool
    used_share: float
    urgency: Urgency
    waits_for: str

    @property
    def is_late(self) -> bool:
        return self.urgency == Urgency.LATE

    @property
    def used_percent(self) -> int:
        return min(100, round(self.used_share * 100))


def policy_in_force() -> Policy:
    return policy.current(settings.POLICY_FILE)


def calendar() -> Calendar:
    return calendars.in_force()


def is_closed_at(at: dt.datetime) -> bool:
    """Whether the office was declared closed at that moment, after the policy file was written."""
    found = calendar()
    return at.astimezone(found.zone_info).date() in found.own_hours and not found.is_open_at(at)


def policy_of(application: Application) -> Policy:
    """The rules under which this application was sent."""
    return policy_by(application.policy_id)


@functools.cache
def _frozen(digest: str) -> Policy:
    # They never change, and there are as many as the regulator ever brought into force.
    return applications.policy_frozen_as(digest)


def policy_by(digest: str | None) -> Policy:
    """The rules that were frozen under this digest; without one, those in force."""
    return policy_in_force() if digest is None else _frozen(digest)


def allowance_of(application: Application) -> Allowance:
    rules = policy_of(application)
    return rules.clocks[rules.services[application.service].clock]


def provisional_until(application: Application, now: dt.datetime) -> dt.datetime:
    """The end of a provisional registration that begins now: the policy's term, or the shorter one of its evidence.
    Raises LookupError where the policy has no provisional registration.
    """
    rules = policy_of(application)
    if rules.provisional is None:
        raise LookupError("the policy has no provisional registration")
    kind = rules.services[application.service].evidence_kind(application.evidence_kind)
    terms = [rules.provisional.term, *([kind.term] if kind is not None and kind.term is not None else [])]
    return min(policy.add(start=now, allowance=term, calendar=calendar()) for term in terms)


def pauses_of(case: Case) -> list[Pause]:
    """When the officer's clock stood still: while the applicant had the word or is to be heard, and while a grant
    stood. That of a hearing ends at a known time."""
    return [pause for _why, pause in reasons_of_pauses(case)]


def reasons_of_pauses(case: Case) -> list[tuple[str, Pause]]:
    """The same, each with its reason: question | notice | hearing | entry (of a grant that could not be entered)."""
    stops = [("question", Pause(question.asked_at, question.answered_at)) for question in case.questions.all()]
    for notice in case.notices.all():
        ends = [at for at in (notice.answered_at, notice.ran_out_at, notice.withdrawn_at) if at is not None]
        stops.append(("notice", Pause(notice.sent_at, min(ends) if ends else None)))
        if notice.hearing_asked_at is not None and notice.decide_by is None:
            # No longer than it takes by the rules: an officer who holds it later, or sets no day, has the time run.
            over = [at for at in (notice.hearing_over_at, notice.withdrawn_at) if at is not None]
            until = min([*over, hearing_held_by(notice, policy_of(case.application))])
            stops.append(("hearing", Pause(notice.hearing_asked_at, until)))
    stops += [("entry", Pause(one.at, one.voided_at)) for one in case.decisions.all() if one.voided_at is not None]
    return stops


class Events(TypedDict):
    started_at: dt.datetime
    allowance: Allowance
    calendar: Calendar
    pauses: list[Pause]


def events_of(case: Case) -> Events:
    return {
        "started_at": case.started_at,
        "allowance": allowance_of(case.application),
        "calendar": calendar(),
        "pauses": pauses_of(case),
    }


def waits_for(standing: CaseStanding) -> str:
    """Whose turn it is: officer | second | hearing (an officer sets the day) | applicant | nobody. Our clock runs in
    the turns of the first two, and in the third once it was not held in its time."""
    if standing.status != Status.OPEN:
        return "nobody"
    if standing.hearing == HearingState.ASKED:
        return "hearing"
    if standing.question != QuestionState.NONE or standing.notice == NoticeState.RUNNING:
        return "applicant"
    return "second" if standing.notice == NoticeState.RIPE else "officer"


def clock_of(case: Case, now: dt.datetime) -> ClockFace:
    """The officer's clock of a case; of one that is decided or closed, as it stood then."""
    ended = case.decided_at or case.closed_at
    at = min(ended, now) if ended is not None else now
    events = events_of(case)
    # One that ends later has not ended yet.
    events["pauses"] = [
        each if each.until_at is None or each.until_at <= at else Pause(each.from_at) for each in events["pauses"]
    ]
    share = policy.used_share(now=at, **events)
    turn = waits_for(case.standing)
    stands_still = any(each.until_at is None for each in events["pauses"])
    paused = turn in {"applicant", "nobody"} or (turn == "hearing" and stands_still)
    return ClockFace(
        due_at=policy.due_at(now=at, **events),
        remaining=policy.remaining(now=at, **events),
        paused=paused,
        used_share=share,
        urgency=urgency(used_share=share, paused=paused, escalate_at=policy_of(case.application).escalate_at),
        waits_for=turn,
    )


def clock_of_application(application: Application, now: dt.datetime) -> ClockFace | None:
    """The clock before there is a case: from receipt. None while nothing was sent."""
    if application.submitted_at is None:
        return None
    events: Events = {
        "started_at": application.submitted_at,
        "allowance": allowance_of(application),
        "calendar": calendar(),
        "pauses": [],
    }
    share = policy.used_share(now=now, **events)
    return ClockFace(
        due_at=policy.due_at(**events),
        remaining=policy.remaining(now=now, **events),
        paused=False,
        used_share=share,
        urgency=urgency(used_share=share, paused=False, escalate_at=policy_of(application).escalate_at),
        waits_for="nobody",
    )


def question_due_at(question: CaseQuestion) -> dt.datetime:
    """Until when the applicant may answer: as it was told, or later if a holiday was declared since, also where it was
    served later."""
    served = question.asked_at if question.answered_at is not None else serving.question_served_at(question)
    return _question_over(question, served or question.asked_at)


def question_is_over(question: CaseQuestion, now: dt.datetime) -> bool:
    """Whether the time to answer it is over. It does not run while its letter has come back (`serving`)."""
    # What its letter told is asked first: it is no earlier than that.
    if now <= _question_over(question, question.asked_at):
        return False
    served = serving.question_served_at(question)
    return served is not None and now > _question_over(question, served)


def _question_over(question: CaseQuestion, served: dt.datetime) -> dt.datetime:
    allowance = policy_of(question.case.application).clocks["question"]
    due = served
    for _ in range(question.extended + 1):
        due = policy.add(start=due, allowance=allowance, calendar=calendar())
    return max(due, question.due_at)


def notice_due_at(notice: Notice) -> dt.datetime:
    """Until when there is time to answer it: as it was told, or later, also where it was served later. None is given
    where a court ordered it."""
    if notice.is_order:
        return notice.answer_due_at
    served = notice.sent_at if notice.answered_at is not None else serving.notice_served_at(notice) or notice.sent_at
    return _notice_over(notice, served)


def notice_is_over(notice: Notice, now: dt.datetime) -> bool:
    """Whether the time to answer it is over. It does not run while its letter has come back (`serving`)."""
    if notice.is_order:
        return True
    # What its letter told is asked first: it is no earlier than that.
    if now <= _notice_over(notice, notice.sent_at):
        return False
    served = serving.notice_served_at(notice)
    return served is not None and now > _notice_over(notice, served)


def _notice_over(notice: Notice, served: dt.datetime) -> dt.datetime:
    allowance = notice_allowance(policy_of(notice.case.application), notice.codes)
    return max(policy.add(start=served, allowance=allowance, calendar=calendar()), notice.answer_due_at)


def answer_until(asked: CaseQuestion | Notice) -> dt.datetime | None:
    """Until when it may be answered, as pages, programs and letters say it. None while its letter has come back: the
    time has not begun."""
    if serving.came_back(asked):
        return None
    return question_due_at(asked) if isinstance(asked, CaseQuestion) else notice_due_at(asked)


def appeal_until(application: Application, told: dt.datetime | None, start: dt.datetime) -> dt.datetime | None:
    """Until when there is time to appeal that began then: as it was told, or later if the office is closed on its last
    day."""
    forum = policy_of(application).forum_for("officer_decision")
    if told is None or forum is None:
        return told
    return max(told, policy.add(start=start, allowance=forum.file_within, calendar=calendar()))


def decide_by(notice: Notice) -> dt.datetime:
    """Until when it must be decided whether a registration is taken back: so long after the answer, or after the time
    for it, and after the hearing that was asked for. Then the proposal is dropped. What was told is never made earlier
    by a calendar that changed."""
    rules = policy_of(notice.case.application)

    def after(clock: str, start: dt.datetime) -> dt.datetime:
        return policy.add(start=start, allowance=rules.clocks[clock], calendar=calendar())

    begins = notice.answered_at or (notice.sent_at if notice.is_order else notice_due_at(notice))
    if notice.hearing_asked_at is not None:
        to_come = Hearing.objects.filter(matter=notice.subject, closed_at__isnull=True)
        planned = to_come.values_list("starts_at", flat=True).first()
        held = notice.hearing_over_at or planned or after("hearing_held", max(begins, notice.hearing_asked_at))
        begins = max(begins, held)
    return after("order_after_hearing", begins)


def decide_by_as_told(notice: Notice) -> dt.datetime:
    """The same, and no earlier than it was told at the last act."""
    found = decide_by(notice)
    return found if notice.decide_by is None else max(found, notice.decide_by)


def decided_until(notice: Notice) -> dt.datetime | None:
    """The same, as it is said. None while the time to answer has not begun: nothing is dropped before."""
    return None if serving.came_back(notice) else decide_by_as_told(notice)


def second_by(notice: Notice, now: dt.datetime) -> dt.datetime:
    """Until when somebody else is to decide the proposal: of a registration by the clock of revocations, of an
    application by the officer's own, which runs again when the notice is answered or its time is over."""
    case = notice.case
    if case.status != Status.OPEN:
        return decide_by_as_told(notice)
    at = notice_due_at(notice) if case.standing.notice == NoticeState.RUNNING else now
    return policy.due_at(now=max(at, now), **events_of(case))


# Whoever is suspended before a hearing is heard while that lasts, if they ask in time, and is told so long before.
TOLD_WHILE_SUSPENDED = dt.timedelta(hours=12)
WEEK = dt.timedelta(days=7)


def notice_heard_between(notice: Notice, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Between which times a hearing about it may be set now: while the registration is suspended before it, if the
    office opens meanwhile; else so long after the answer, or after it was asked for."""
    standing = notice.revocations.filter(before_hearing=True, restored_at__isnull=True, ended_at__isnull=True)
    ends_at = standing.values_list("ends_at", flat=True).first()
    first = ends_at and next(calendar().spans_between(now + TOLD_WHILE_SUSPENDED, ends_at), None)
    if first and ends_at:
        return first[0], ends_at
    until = hearing_held_by(notice, policy_of(notice.case.application))
    return heard_between(notice.case.application, until, now)


def hearing_held_by(notice: Notice, rules: Policy) -> dt.datetime:
    """Until when the rules want a hearing about it held: so long after the answer, or after it was asked for."""
    begins = [at for at in (notice.answered_at, notice.hearing_asked_at) if at is not None]
    return policy.add(start=max(begins), allowance=rules.clocks["hearing_held"], calendar=calendar())


def heard_between(application: Application, until: dt.datetime, now: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Between which times a hearing may be set now: the person who is heard is told so long before, and the office is
    open. Where that leaves no room before `until`, a week more."""
    clock = policy_of(application).clocks["hearing_notice"]
    # A time in days ends with the last moment of its last one.
    told = policy.add(start=now, allowance=clock, calendar=calendar()) + dt.timedelta(microseconds=1)
    first, _closes = next(calendar().spans_between(told, told + 52 * WEEK))
    return first, until if first < until else first + WEEK


def suspension_ends_at(application: Application, now: dt.datetime) -> dt.datetime:
    """When a suspension that begins now ends by itself."""
    clock = policy_of(application).clocks["suspension_lasts"]
    return policy.add(start=now, allowance=clock, calendar=calendar())


def notice_allowance(rules: Policy, codes: list[str]) -> Allowance:
    """Of several codes, the longest time to answer is given."""
    given = [notice for code in codes if (notice := rules.reasons[code].notice) is not None]
    start = dt.datetime(2026, 1, 5, tzinfo=rules.calendar.zone_info)
    return max(given, key=lambda one: policy.add(start=start, allowance=one, calendar=rules.calendar))
