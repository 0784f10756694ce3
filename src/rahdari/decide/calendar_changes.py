"""When the calendar changes: what the queue goes by, the times that letters told, and hearings on a day that is closed.

A step of the line does it, a batch at a time. Pages compute their times anew and are right before it comes by. What a
letter told moves to a later time only, also in the database, and whoever has that letter gets another one.
"""

import datetime as dt
from collections import Counter

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from rahdari.apply import queries as applications
from rahdari.calendar.seen import looking_once
from rahdari.letters import actions as letters

from . import case_clock, hearings, queries, queue_columns
from .ending import notify_holder
from .models import Case, CaseQuestion, Hearing, Notice
from .rules import Status
from .transitions import record, write


def stale() -> QuerySet[Case]:
    """Open cases, those about whose registration a proposal stands, and those with a hearing to come, that were last
    seen under another calendar."""
    undecided = Notice.objects.filter(
        decide_by__isnull=False, withdrawn_at__isnull=True, concluded_at__isnull=True, case__status=Status.DECIDED
    )
    to_come = Hearing.objects.filter(closed_at__isnull=True)
    others = (
        rows.exclude(case__kept_under=queue_columns.under_now()).order_by().values("case")
        for rows in (undecided, to_come)
    )
    found = queue_columns.stale().order_by().values("pk").union(*others)
    return Case.objects.filter(pk__in=found).order_by("id")


def follow(*, now: dt.datetime, at_most: int) -> int:
    """A step of the line: see them under the calendar in force. Returns how many."""
    with transaction.atomic(), looking_once():
        # Whatever act has a case in its hands sees it itself.
        keys = list(stale().select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:at_most])
        found = list(queries.cases().filter(pk__in=keys))
        rows = applications.endpoints_of(*(case.application for case in found)) if found else ()
        addresses = Counter(each.application_id for each in rows)
        for case in found:
            move_told_times(case, now)
            queue_columns.compute(case, addresses=addresses[case.application_id])
        for hearing in Hearing.objects.filter(case__in=found, closed_at__isnull=True, starts_at__gt=now):
            _tell_of_closed_day(hearing, now)
        Case.objects.bulk_update(found, queue_columns.FIELDS)
    return len(found)


def move_told_times(case: Case, now: dt.datetime) -> None:
    """Later, where the calendar or a later service says so; reminders go by the columns."""
    question, notice = queries.open_question(case), queries.open_notice(case)
    if question is not None and question.lapsed_at is None:
        question.case = case
        _move(question, "due_at", case_clock.question_due_at(question), now)
    if notice is None:
        return
    notice.case = case
    if notice.answered_at is None and not notice.is_order:
        _move(notice, "answer_due_at", case_clock.notice_due_at(notice), now)
    if notice.decide_by is not None:
        by = case_clock.decide_by(notice)
        if by > notice.decide_by:
            notice.decide_by = by
            notice.save(update_fields=["decide_by"])


def _move(asked: CaseQuestion | Notice, column: str, due_at: dt.datetime, now: dt.datetime) -> None:
    """Of a time to answer: a letter told it, and somebody who thinks that it is over would not answer any more."""
    if due_at <= getattr(asked, column):
        return
    setattr(asked, column, due_at)
    asked.save(update_fields=[column])
    case = asked.case
    record(case, "moved_time", "clock", now, detail={"of": asked.subject})
    if due_at <= now:
        return
    page = "portal:notice" if isinstance(asked, Notice) else "portal:question"
    told = {"due_at": due_at, "url": reverse(page, args=[case.application.reference])}
    decision = queries.decision_of(case) if case.status == Status.DECIDED else None
    if decision is not None and decision.registration is not None:
        notify_holder(decision.registration, "answer_time_moved", now, reference=case.application.reference, **told)
    else:
        write(case, "answer_time_moved", now, **told)


def _tell_of_closed_day(hearing: Hearing, now: dt.datetime) -> None:
    """The office is closed when a hearing is set for: who set it sets another day, and whoever is heard need not
    come."""
    matter = hearings.standing_matter(hearing) if case_clock.is_closed_at(hearing.starts_at) else None
    if matter is None:
        return
    told = letters.write_once(
        to=hearing.set_by,
        template="hearing_day_closed",
        about=matter.case.application.subject,
        once=f"closed:{hearing.pk}",
        context={**matter.numbers, "day": hearing.starts_at, "sets": True, "url": matter.page},
        now=now,
    )
    if told:
        matter.tell("hearing_day_closed", now, day=hearing.starts_at)
