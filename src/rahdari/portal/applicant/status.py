"""The status of an application: what is awaited, from whom, until when; then when it was published and is in force."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import optional
from rahdari.appeal import queries as appeals
from rahdari.applicant.access_log import looks_at_application, looks_later, was_opened
from rahdari.applicant.answers import AnotherOfficer
from rahdari.applicant.awaiting import clock_of, what_then
from rahdari.applicant.late_evidence import options_of
from rahdari.applicant.operator_method import stands_meanwhile
from rahdari.applicant.overview import Overview, invoice_of, overview, overviews_later
from rahdari.applicant.refusals import why
from rahdari.applicant.stages import (
    ENDED,
    MOVING,
    OVER,
    Stage,
)
from rahdari.applicant.stops import stops_of
from rahdari.applicant.titles import service_title
from rahdari.apply import access, form_errors, sending
from rahdari.apply import queries as apply
from rahdari.checks import contacts
from rahdari.checks.models import Outcome
from rahdari.db import together
from rahdari.decide import case_clock, notes, recusing, reviewing
from rahdari.decide import due as decide_due
from rahdari.decide import queries as decide
from rahdari.decide.lanes import by_rule, lane_of
from rahdari.decide.words import why_held, why_kept_back
from rahdari.demand import queries as ledger
from rahdari.people import queries as people
from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.policy import pricing
from rahdari.web import values
from rahdari.web.allowances import in_words

from . import shared


@login_required
@require_safe
def application(request: HttpRequest, reference: str) -> HttpResponse:
    """Where an application is worked on: its tasks while it is a draft, its status afterwards."""
    found = shared.application(request, reference, Act.PROVE).row
    if not access.may(person(request), Act.PAPERS, application=found):
        if found.status not in {"draft", "submitted"}:
            return redirect("portal:home")
        return redirect("portal:prove_many", reference)
    return redirect("portal:tasks" if found.status == "draft" else "portal:status", reference=reference)


@login_required
@never_cache
@require_safe
def status(request: HttpRequest, reference: str) -> HttpResponse:
    found = shared.application(request, reference).row
    if found.status == "draft":
        return redirect("portal:tasks", reference=reference)
    now = timezone.now()
    of_the_case = (notes.notes_later(found), recusing.recusals_later(found))
    with together.ahead(*overviews_later([found]), looks_later(found), *of_the_case):
        seen = overview(found, now=now)
        in_force = len(seen.standing.in_force) if seen.standing else 0
        state = f"{seen.stage}.{seen.passed}.{len(seen.unproved)}.{len(seen.asked)}.{in_force}"
        is_moving = seen.stage in MOVING
        if (answer := shared.state_for_script(request, state if is_moving else "")) is not None:
            return answer
        looks = looks_at_application(found, now)
        recusals = recusing.recusals_of(found)
        noted = [(each, why_kept_back(each.kept_back)) for each in notes.notes_for_holder(found)]
    waits = _operator_clock(seen, now)
    of_others = seen.awaited_of_others if seen.waits_for_others else []
    context = {
        "application": found,
        "seen": seen,
        "stage": str(seen.stage),
        "text": seen.text,
        "operator_clock": waits,
        "answer_clock": clock_of([each for each in of_others if each.kind == seen.waits_for_others], now),
        "waits_for": seen.waits_for_others,
        "what_then": what_then(of_others, now),
        "decided_within": in_words(case_clock.allowance_of(found)) if of_others else "",
        "stands": seen.with_operator
        and all(stands_meanwhile(found, each.endpoint, apply.frozen_policy(found)) for each in seen.unproved),
        "here": _gate(seen.stage),
        "fee_to_come": fee_to_come(seen),
        "service": service_title(found.service),
        "is_moving": is_moving,
        "clock_words": _clock_words(seen.clock),
        "clock_tone": seen.clock.urgency.value if seen.clock and seen.clock.urgency in {"near", "late"} else "",
        "stops": stops_of(seen.case, now),
        "in_office_hours": seen.clock is not None and case_clock.allowance_of(found).unit == "working_hours",
        "checks_run": seen.checks_run,
        "shows_clock": not of_others
        and seen.stage in {Stage.CHECKING, Stage.REVIEW, Stage.SECOND, Stage.QUESTION, Stage.NOTICE, Stage.HEARING},
        "may_ask_for_another": recusing.may_ask_for_another(seen.case),
        "recusals": recusals,
        "alone": _alone(seen),
        **_appeal(seen, now),
        "may_withdraw": found.status == "submitted" and seen.decision is None,
        "may_prove": seen.stage in {Stage.CHECKING, Stage.REVIEW, Stage.QUESTION}
        and bool(options_of(found, now, seen.every_check)),
        "may_show_member": found.status == "submitted" and any(map(contacts.is_member_to_show, seen.every_check)),
        "may_pay": seen.invoice is not None and found.holder_ref in people.holders_for(person(request), Act.INVOICES),
        "is_over": seen.stage in OVER,
        "readable_until": decide_due.readable_until(found),
        "held": why_held(found, now),
        "is_ended": seen.stage in ENDED,
        "your_turn": seen.is_your_turn,
        "looks": looks,
        "lane": lane_of(seen.case, seen.decision),
        "by_rule": by_rule(seen.decision),
        "notes": noted,
        "was_opened": was_opened(looks),
        **optional.joined(__package__, "on_status", seen),
        "state": state,
    }
    return render(request, "portal/applicant/status.html", context)


@login_required
@never_cache
@require_safe
def demands(request: HttpRequest, reference: str) -> HttpResponse:
    """What public bodies demanded about this application, and what they got."""
    found = shared.application(request, reference).row
    context = {"application": found, "demands": ledger.demands_of(found, timezone.now())}
    return render(request, "portal/applicant/demands.html", context)


# Where there may be an appeal: nothing is asked for all others.
_MAY_BE_APPEALED = frozenset({Stage.REFUSED, Stage.SUSPENDED, Stage.STRUCK_OUT})


def _appeal(seen: Overview, now: dt.datetime) -> dict[str, Any]:
    """The last appeal in the case, and whether one can be sent because the decision is late."""
    case = seen.case
    is_late = case is not None and (case.escalated_at is not None or (seen.clock is not None and seen.clock.is_late))
    was_set_aside = case is not None and any(each.voided_why.startswith("appeal") for each in case.decisions.all())
    if not (seen.stage in _MAY_BE_APPEALED or is_late or was_set_aside):
        return {}
    found = appeals.appeals_of(seen.application)
    thing = appeals.appealable(seen.application, now) if case is not None and case.status == "open" else None
    return {"appeal": found[0] if found else None, "may_appeal_silence": thing is not None}


def _alone(seen: Overview) -> reviewing.Alone | None:
    """Where a refusal is proposed, and nobody else in the office may decide it."""
    if seen.case is None or seen.stage not in {Stage.NOTICE, Stage.HEARING, Stage.SECOND}:
        return None
    notice = decide.open_notice(seen.case)
    if notice is not None:
        notice.case = seen.case
    return reviewing.alone_with(notice)


def fee_to_come(seen: Overview) -> str:
    """What will be asked for when everything else has passed; empty when nothing will, or the invoice is written."""
    found = seen.application
    settled = any(check.kind == "fee" and check.outcome != Outcome.WAITING for check in seen.every_check)
    if found.status != "submitted" or settled:
        return ""
    rules = apply.frozen_policy(found)
    due = apply.what_is_due(found, rules, apply.endpoints_of(found))
    if not isinstance(due, pricing.Due) or invoice_of(found) is not None:
        return ""
    return form_errors.fee(due, rules.services[found.service], get_language() or "en")[0]


@dataclass(frozen=True)
class OperatorClock:
    """Until when the operators answer; of several, the one whose time is over first."""

    due_at: dt.datetime
    big: str
    share: float
    is_late: bool


def _operator_clock(seen: Overview, now: dt.datetime) -> OperatorClock | None:
    asked = [question for _proof, question, _name in seen.to_prove if question is not None]
    if not seen.with_operator:
        return None
    first = min(asked, key=lambda question: question.due_at)
    used = (now - first.asked_at) / max(first.due_at - first.asked_at, dt.timedelta(seconds=1))
    return OperatorClock(first.due_at, values.span_words(first.due_at - now), min(used, 1.0), first.due_at <= now)


def _clock_words(clock: case_clock.ClockFace | None) -> str:
    return values.span_words(clock.remaining) if clock else ""


def _gate(stage: Stage) -> str:
    match stage:
        case Stage.PROOF:
            return "prove"
        case Stage.GRANTED:
            return "register"
        case Stage.REGISTERED | Stage.PUBLISHED | Stage.NOWHERE:
            return "published"
        case Stage.IN_FORCE:
            return "done"
        case _:
            return "decision"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask once, then withdraw. What was decided already cannot be withdrawn."""
    found, by = shared.application(request, reference)
    if found.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    if request.method == "POST":
        try:
            sending.withdraw_application(application=found, actor=by.actor, now=timezone.now())
        except sending.MoveNotAllowed:
            messages.info(request, why(sending.MoveNotAllowed))
            return redirect("portal:application", reference=reference)
        messages.success(request, _("Your application is withdrawn."))
        return redirect("portal:home")
    return render(request, "portal/applicant/withdraw.html", {"application": found})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def another_officer(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask that somebody else decides, once, and say why."""
    found, by = shared.application(request, reference)
    case = decide.case_of(found)
    if case is None:
        return redirect("portal:application", reference=reference)
    form = AnotherOfficer(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            recusing.ask_for_another(case=case, actor=by.actor, why=form.cleaned_data["why"], now=timezone.now())
        except recusing.NobodyElse:
            # What was written stays in the form.
            form.add_error(None, why(recusing.NobodyElse))
        except (recusing.AskedBefore, recusing.NotWithAnOfficer) as error:
            messages.info(request, why(type(error)))
            return redirect("portal:status", reference=reference)
        else:
            messages.success(request, _("Your wish is on record. Another officer decides; our time to decide goes on."))
            return redirect("portal:status", reference=reference)
    elif not form.is_bound and not recusing.may_ask_for_another(case):
        return redirect("portal:status", reference=reference)
    context = {"application": found, "form": form}
    return render(request, "portal/applicant/another_officer.html", context, status=422 if form.errors else 200)
