"""Times that are over: a step of the line. Silence closes a question, ripens a notice and escalates a case; ours drops
a proposal to take a registration back. And whoever lost their post gives up the cases that they had."""

import datetime as dt
from collections import defaultdict

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from rahdari.apply import sending
from rahdari.db.queues import AT_ONCE, each_of
from rahdari.letters import actions as letters
from rahdari.people import queries as people
from rahdari.people.models import Role, User

from . import case_clock, due, queries, revocation, rules, seconding
from .models import Case, Notice
from .rules import Status
from .transitions import begin, close, record, write


def close_unanswered(*, now: dt.datetime) -> int:
    """Times that are over. An unanswered question closes the case, an unanswered notice becomes ripe; a proposal to
    take a registration back that is not decided in time is dropped; a case that is not decided in time goes to a
    supervisor and the applicant is told. Returns how many cases moved."""
    return end_unanswered(now) + escalate_late(now) + release_left(now)


@each_of(due.clocks_to_run, lock=True)
def end_unanswered(case: Case, now: dt.datetime) -> bool:
    return _run_clock(queries.cases().get(pk=case.pk), now)


@each_of(queries.cases_out_of_time, lock=True)
def escalate_late(case: Case, now: dt.datetime) -> bool:
    return _run_clock(queries.cases().get(pk=case.pk), now)


@each_of(queries.left_by_officers, lock=True)
def release_left(case: Case, now: dt.datetime) -> bool:
    """Back into the queue from the hands of somebody who holds no post any more: nobody waits for them."""
    case = queries.cases().get(pk=case.pk)
    if case.assigned_to is None or people.is_officer(case.assigned_to):
        return False
    begin(case, "release_case", by="clock", now=now)
    case.assigned_to, case.assigned_at = None, None
    case.save(update_fields=["assigned_to", "assigned_at"])
    record(case, "handed_over", "clock", now, detail={"to": ""})
    return True


def _run_clock(case: Case, now: dt.datetime) -> bool:
    question, notice = queries.open_question(case), queries.open_notice(case)
    if notice is not None:
        notice.case = case
    is_ripe = (
        notice is not None and notice.state == rules.NoticeState.RUNNING and case_clock.notice_is_over(notice, now)
    )
    if case.status == Status.DECIDED and notice is not None:
        if is_ripe:
            return _run_out(case, notice, now)
        if notice.state == rules.NoticeState.RIPE and seconding.is_out_of_time(notice, now):
            revocation.let_lapse(case=case, now=now)
            return True
    if case.status != Status.OPEN:
        return False
    if case.application.status == "withdrawn":
        begun = begin(case, "close_withdrawn", by="clock", now=now)
        close(case, begun.move.target, now)
        record(case, "closed_withdrawn", "clock", now)
        return True
    if question is not None and question.lapsed_at is None and case_clock.question_is_over(question, now):
        begun = begin(case, "close_unanswered", by="clock", now=now)
        question.lapsed_at = now
        question.save(update_fields=["lapsed_at"])
        close(case, begun.move.target, now)
        closed = sending.close_application(application=case.application, outcome="not_pursued", actor="clock", now=now)
        record(case, "closed_unanswered", "clock", now, reason=question.code)
        write(case, "application_not_pursued", now, readable_until=due.readable_until(closed))
        return True
    if notice is not None and is_ripe:
        return _run_out(case, notice, now)
    if case.escalated_at is None and case_clock.clock_of(case, now).is_late:
        begin(case, "escalate", by="clock", now=now)
        case.escalated_at = now
        case.save(update_fields=["escalated_at"])
        record(case, "escalated", "clock", now)
        complaint = case_clock.policy_of(case.application).remedies.get("ombudsman")
        write(case, "application_late", now, complaint=complaint)
        return True
    return False


def _run_out(case: Case, notice: Notice, now: dt.datetime) -> bool:
    begin(case, "let_notice_run_out", by="clock", now=now)
    notice.ran_out_at = now
    notice.save(update_fields=["ran_out_at"])
    record(case, "notice_ran_out", "clock", now, reason=" ".join(notice.codes))
    return True


@transaction.atomic
def warn_before_late(now: dt.datetime) -> int:
    """Cases that are close to late, once each: whoever has one reads it, of one that nobody has, or that waits for a
    second officer, the supervisors. One letter an hour to each of them at most, of all that are close. Returns how many
    cases somebody was told of."""
    close = Case.objects.filter(status=Status.OPEN, near_at__lte=now, waits_for__in=["officer", "second", "hearing"])
    close = close.filter(Q(warned_at__isnull=True) | Q(warned_at__lt=F("near_at"))).order_by("near_at", "id")
    found = list(close.select_for_update(skip_locked=True, of=("self",)).select_related("assigned_to")[: 5 * AT_ONCE])
    if not found:
        return 0
    supervisors = {post.user for post in people.all_posts().filter(role=Role.SUPERVISOR)}
    of_each = defaultdict[User, list[Case]](list)
    for case in found:
        has_it = case.assigned_to if case.waits_for != "second" else None
        for reader in {has_it} if has_it is not None and people.is_officer(has_it) else supervisors:
            of_each[reader].append(case)
    told = set[Case]()
    for reader, cases in of_each.items():
        first = min(case.late_at for case in cases if case.late_at is not None)
        told_once = letters.write_once(
            to=reader,
            template="cases_due_soon",
            about="desk:queue",
            once=f"near:{now:%Y-%m-%d %H}",
            context={"number": len(cases), "due_at": first, "url": reverse("decide:queue")},
            now=now,
        )
        if told_once:
            told |= set(cases)
    return Case.objects.filter(pk__in=[case.pk for case in told]).update(warned_at=now)
