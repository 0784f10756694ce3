"""Times that are over, or soon will be: for the line, which runs clocks, writes reminders, and erases what is over."""

import datetime as dt
import uuid
from collections.abc import Callable

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from rahdari import policy
from rahdari.apply import file_hold as apply_file_hold
from rahdari.apply import subjects
from rahdari.apply.models import Application
from rahdari.apply.rules import Status as Progress
from rahdari.archive import queries as archive
from rahdari.checks import queries as checks
from rahdari.checks.models import Check

from . import case_clock
from .models import Case, CaseQuestion, Decision, Notice, Revocation
from .rules import Outcome, Status

# Until when something that a room above knows of may still change what came of an application; None: nothing does.
# `WHILE_OPEN`: as long as it takes.
WHILE_OPEN = dt.datetime.max.replace(tzinfo=dt.UTC)
UNSETTLED: list[Callable[[Application], dt.datetime | None]] = []


def clocks_to_run(now: dt.datetime) -> QuerySet[Case]:
    """Cases in which a time to answer, or to decide whether a registration is taken back, may be over, or whose
    application was withdrawn."""
    unanswered = CaseQuestion.objects.filter(
        answered_at__isnull=True, lapsed_at__isnull=True, due_at__lt=now, case__status=Status.OPEN
    )
    unheard = Notice.objects.filter(
        answered_at__isnull=True,
        ran_out_at__isnull=True,
        withdrawn_at__isnull=True,
        concluded_at__isnull=True,
        answer_due_at__lt=now,
        # Also of a registration that is to be taken back.
        case__status__in=[Status.OPEN, Status.DECIDED],
    )
    # What we had to decide and did not.
    undecided = Notice.objects.filter(
        decide_by__lt=now, withdrawn_at__isnull=True, concluded_at__isnull=True, case__status=Status.DECIDED
    )
    withdrawn = Case.objects.filter(status=Status.OPEN, application__status="withdrawn")
    found = unanswered.order_by().values("case")
    found = found.union(unheard.order_by().values("case"), undecided.order_by().values("case"), withdrawn.values("pk"))
    return Case.objects.filter(pk__in=found).order_by("started_at", "id")


def provisional_grants() -> QuerySet[Decision]:
    """Grants on the register that stand provisionally, those that end first in front."""
    return (
        Decision.objects.filter(
            provisional_until__isnull=False,
            confirmed_at__isnull=True,
            voided_at__isnull=True,
            entered_at__isnull=False,
        )
        .select_related("case", "case__application", "registration")
        .order_by("provisional_until", "id")
    )


def provisional_with_news(now: dt.datetime) -> QuerySet[Decision]:
    """Of these the ones of which a check was answered since the rule last looked, and just now."""
    just = checks.just_answered(now)
    return _answered_since_looked_at(just).filter(case__application__in=subjects.named_by(just))


def provisional_with_answers() -> QuerySet[Decision]:
    """The same, whenever it was answered: all provisional grants are looked through."""
    return _answered_since_looked_at(checks.answered_checks())


def _answered_since_looked_at(answered: QuerySet[Check]) -> QuerySet[Decision]:
    subject = Concat(Value("application:"), Cast(OuterRef("case__application"), CharField()))
    looked_at = Coalesce(OuterRef("case__assessed_at"), OuterRef("at"))
    # In one run of the workflow all happens at one time: what was answered at the time of the look counts as news.
    answered = answered.filter(subject=subject, answered_at__gte=looked_at)
    return provisional_grants().filter(Exists(answered.filter(answered_at__gt=OuterRef("at"))))


def questions_due_between(start: dt.datetime, end: dt.datetime) -> QuerySet[CaseQuestion]:
    """Questions that wait for an answer and run out from `start` on and before `end`; none of the last day's."""
    return (
        CaseQuestion.objects.filter(
            due_at__gte=start,
            due_at__lt=end,
            asked_at__lt=start - dt.timedelta(days=1),
            answered_at__isnull=True,
            lapsed_at__isnull=True,
            case__status=Status.OPEN,
        )
        .select_related("case__application__applicant")
        .order_by("due_at", "id")
    )


def notices_due_between(start: dt.datetime, end: dt.datetime) -> QuerySet[Notice]:
    """Notices before a refusal that wait for an answer, likewise."""
    return (
        Notice.objects.filter(
            answer_due_at__gte=start,
            answer_due_at__lt=end,
            sent_at__lt=start - dt.timedelta(days=1),
            answered_at__isnull=True,
            ran_out_at__isnull=True,
            withdrawn_at__isnull=True,
            concluded_at__isnull=True,
            case__status__in=[Status.OPEN, Status.DECIDED],
        )
        .select_related("case__application__applicant")
        .order_by("answer_due_at", "id")
    )


def may_be_changed_until(application: Application) -> dt.datetime | None:
    """Until when a remedy may still change what came of it: an appeal against a refusal or against a registration that
    was taken back, or an answer that reopens what was not pursued. None: nothing does."""
    refused = Decision.objects.filter(case__application=application, outcome=Outcome.REFUSED, voided_at__isnull=True)
    taken = Revocation.objects.filter(case__application=application, restored_at__isnull=True)
    made = [*refused.values_list("appeal_until", "at"), *taken.values_list("appeal_until", "at")]
    ends = [case_clock.appeal_until(application, told, at) for told, at in made]
    lapsed = CaseQuestion.objects.filter(case__application=application, answered_at__isnull=True)
    for at in lapsed.values_list("lapsed_at", flat=True):
        allowance = case_clock.policy_of(application).reopen_within
        ends.append(policy.add(start=at, allowance=allowance, calendar=case_clock.calendar()) if at else None)
    ends += [until(application) for until in UNSETTLED]
    return max((end for end in ends if end is not None), default=None)


def readable_until(application: Application) -> dt.datetime | None:
    """Of what came to nothing: until when what was written and sent is readable here, by the policy in force. None:
    nothing is to go, or it has gone."""
    kept = case_clock.policy_in_force().retention["came_to_nothing"].span
    if application.closed_at is None or application.erased_at is not None or application.status == Progress.GRANTED:
        return None
    if kept is None or archive.is_kept("came_to_nothing"):
        return None
    ends = [application.closed_at + kept, may_be_changed_until(application)]
    if application.held_until is not None:
        ends.append(last_moment(application.held_until))
    last = max(end for end in ends if end is not None)
    return None if last == WHILE_OPEN else last


def last_moment(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time(23, 59, 59)))


def registrations_on_hold(now: dt.datetime) -> list[uuid.UUID]:
    """Those that a file led to, or was about, that an officer holds: whose they are, and their addresses, stay too."""
    held = apply_file_hold.files_on_hold(now)
    led_to = Decision.objects.filter(case__application__in=held.order_by())
    found = [*held.values_list("registration_id", flat=True), *led_to.values_list("registration_id", flat=True)]
    return [each for each in found if each is not None]
