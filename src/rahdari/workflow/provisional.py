"""Provisional registrations: what was awaited came, failed, or is late; their holders are reminded; none ends unseen.

An entry stays until its provisional term is over. The case goes to an officer before that, and while it is in an
officer's hands the term is prolonged: nobody comes off the list because somebody else is late.
"""

import datetime as dt
from collections.abc import Callable

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from rahdari import policy as policies
from rahdari.apply import queries as applications
from rahdari.apply import subjects
from rahdari.calendar import queries as calendars
from rahdari.db.queues import Queue, each_of
from rahdari.decide import due, granting
from rahdari.decide import queries as decisions
from rahdari.decide.models import Decision
from rahdari.decide.rules import Grantable, NotYet, QuestionState, Status
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.register import actions as register
from rahdari.register import queries as entries
from rahdari.register.models import Registration

from . import apply_renewal
from .terms import full_term, grace_of

# The entry is prolonged so long before its end: operators have the later end in time.
DAY = dt.timedelta(days=1)
PROLONGED_BEFORE = 2 * DAY


def _conclude(decision: Decision, now: dt.datetime) -> bool:
    if _settle(decision, now):
        return True
    granting.note_assessed(case=decision.case, now=now)
    return False


@each_of(due.provisional_with_news)
def conclude_answered(decision: Decision, now: dt.datetime) -> bool:
    """Confirm what is no longer awaited; hand to an officer what failed."""
    return _conclude(decision, now)


@each_of(due.provisional_with_answers)
def conclude_answered_before(decision: Decision, now: dt.datetime) -> bool:
    """The same of answers that came while nobody looked."""
    return _conclude(decision, now)


def _soon_over(batch: list[Decision], now: dt.datetime) -> Callable[[Decision], bool]:
    return lambda decision: decisions.goes_to_an_officer_at(decision) <= now


@each_of(due.provisional_grants, ready=_soon_over)
def conclude_ending(decision: Decision, now: dt.datetime) -> None:
    """What ends soon is settled, or handed to an officer."""
    if not _settle(decision, now):
        granting.return_provisional(decision=decision, why="ending", now=now)


def _settle(decision: Decision, now: dt.datetime) -> bool:
    found = decisions.assessment_of(decision.case.application, now)
    if isinstance(found, Grantable):
        _confirm(decision, now)
    elif isinstance(found, NotYet):
        granting.return_provisional(decision=decision, why="answered", now=now)
    else:
        return False
    return True


def _confirm(decision: Decision, now: dt.datetime) -> None:
    decision = granting.confirm_grant(decision=decision, now=now)
    registration = decision.registration
    if registration is None:
        return
    application = decision.case.application
    if application.registration is not None:
        # A renewal or a change: its own registration stood all along, and now goes on for the full term.
        apply_renewal.carry_out(
            application,
            list(applications.endpoints_of(application)),
            applications.frozen_policy(application),
            provisional_until=None,
            actor=f"rule:{decision.rule_version}",
            now=now,
        )
        return
    until = full_term(application, registration)
    register.confirm_registration(
        registration=registration,
        valid_until=until,
        grace_until=grace_of(applications.frozen_policy(application), until),
        actor=f"rule:{decision.rule_version}",
        now=now,
    )
    _tell(registration, "registration_confirmed", "confirmed", now, valid_until=until)


def _ending(now: dt.datetime) -> QuerySet[Registration]:
    found = entries.provisional_ending_between(start=now, end=now + PROLONGED_BEFORE)
    return found if policies.current(settings.POLICY_FILE).provisional is not None else found.none()


@each_of(_ending)
def prolong_provisional(registration: Registration, now: dt.datetime) -> bool:
    """Registrations about to end while an officer still has to decide: they stand on."""
    rules = policies.current(settings.POLICY_FILE)
    if rules.provisional is None or not _is_with_an_officer(registration):
        return False
    until = policies.add(start=now, allowance=rules.provisional.extension, calendar=calendars.in_force())
    register.prolong_provisional(registration=registration, until=until, actor="clock", now=now)
    return True


def _is_with_an_officer(registration: Registration) -> bool:
    application = subjects.application_by_subject(registration.origin)
    case = decisions.case_of(application) if application else None
    return case is not None and case.status == Status.OPEN and case.standing.question == QuestionState.NONE


def remind_of_provisional(now: dt.datetime) -> int:
    """Tell holders some days before the end of a provisional registration what is awaited, once each."""
    rules = policies.current(settings.POLICY_FILE).provisional
    return sum(_remind(days, now) for days in (rules.remind_days_before if rules else ()))


def _remind(days: int, now: dt.datetime) -> int:
    start = now + (days - 1) * DAY
    queue = Queue(
        f"workflow.provisional.remind_of_provisional {days}",
        lambda _now: entries.provisional_ending_between(start=start, end=start + DAY),
        lambda registration, now: _tell(
            registration,
            "registration_provisional_ends",
            f"provisional:{days}",
            now,
            rests=registration.suspended_at is not None,
        ),
    )
    return queue(now)


def _tell(
    registration: Registration,
    template: str,
    once: str,
    now: dt.datetime,
    valid_until: dt.datetime | None = None,
    **more: bool,
) -> int:
    until = valid_until or registration.valid_until
    reason = policies.current(settings.POLICY_FILE).reasons.get(registration.provisional_code)
    return sum(
        letters.write_once(
            to=person,
            template=template,
            about=f"registration:{registration.pk}",
            once=f"{once}:{until:%Y%m%d}",
            context={
                "registration": registration.reference,
                "valid_until": until,
                "url": reverse("portal:registration", args=[registration.reference]),
                **({"reason": reason, "code": reason.code} if reason else {}),
                **more,
            },
            now=now,
        )
        for person in people.people_to_notify(registration.holder)
    )
