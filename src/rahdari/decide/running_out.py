"""Times to answer that are over, or soon will be: for the line, which runs clocks and writes reminders."""

import datetime as dt

from django.db.models import Q, QuerySet

from .models import Case, Notice, Question
from .rules import Status


def clocks_to_run(now: dt.datetime) -> QuerySet[Case]:
    """Open cases in which a time to answer may be over, or whose application was withdrawn."""
    unanswered = Q(questions__answered_at__isnull=True, questions__lapsed_at__isnull=True, questions__due_at__lt=now)
    unheard = Q(
        notices__answered_at__isnull=True,
        notices__ran_out_at__isnull=True,
        notices__withdrawn_at__isnull=True,
        notices__concluded_at__isnull=True,
        notices__answer_due_at__lt=now,
    )
    return (
        Case.objects.filter(
            Q(status=Status.OPEN) & (unanswered | unheard | Q(application__status="withdrawn"))
            # Of a registration that is to be taken back.
            | Q(status=Status.DECIDED) & unheard
        )
        .order_by("started_at", "id")
        .distinct()
    )


def questions_due_between(start: dt.datetime, end: dt.datetime) -> QuerySet[Question]:
    """Questions that wait for an answer and run out from `start` on and before `end`; none of the last day's."""
    return (
        Question.objects.filter(
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
