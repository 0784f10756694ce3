"""The desk's side of appeals: the list, one appeal with its file, and what whoever decides does with it.

Opening an appeal is on record before a byte of it is sent. Somebody from outside who was named as its reviewer reads
this one file and no other page of the desk.
"""

import datetime as dt
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.decide import case_clock, hearing_views, hearings, paper_views, remedies, reviewing
from rahdari.decide.case_access import named_from_outside, or_reviewer
from rahdari.decide.case_page import CasePage
from rahdari.decide.forms import ReviewerForm
from rahdari.decide.rules import HearingState
from rahdari.decide.transitions import NotAnOfficer
from rahdari.people import queries as people
from rahdari.people.access import person
from rahdari.people.models import Role, User
from rahdari.web.posting import posted_from

from . import actions, queries, words
from .forms import DecisionForm, TooLateForm
from .models import Appeal
from .rules import CannotDecide

decider_required = or_reviewer(queries.has_rank, Role.SUPERVISOR)


@never_cache
@require_safe
@decider_required
def appeals(request: HttpRequest) -> HttpResponse:
    """What is open, due first in front. A row names nobody: the file does, and opening it is on record."""
    user, now = person(request), timezone.now()
    found = queries.for_decider(user)
    had_part = reviewing.cases_with_part_of(user, [each.case for each in found])
    rows = [
        {
            "appeal": each,
            "against": words.against(each.against),
            "is_overdue": each.is_overdue(now),
            "due_at": each.carry_out_by if each.decided_at else each.due_at,
            "is_mine": each.assigned_to_id == user.pk,
            "why_not": words.why_not(CannotDecide.PART) if each.case_id in had_part else "",
        }
        for each in found
    ]
    return render(request, "appeal/appeals.html", {"rows": rows, "wide": True})


def _why_not(appeal: Appeal, user: Any) -> str:
    found = queries.why_not(appeal, user)
    return words.why_not(found) if found is not None else ""


def _opened(request: HttpRequest, reference: str) -> Appeal:
    try:
        return queries.appeal_for_decider(user=person(request), reference=reference, now=timezone.now())
    except queries.AppealNotFound:
        raise Http404 from None


@never_cache
@require_safe
@decider_required
def appeal(request: HttpRequest, reference: str) -> HttpResponse:
    return _show(request, _opened(request, reference))


def _show(request: HttpRequest, shown: Appeal, *, status: int = 200, **extra: Any) -> HttpResponse:
    user, now = person(request), timezone.now()
    page = CasePage(shown.case, reader=user, now=now, language=get_language() or "en")
    decided = shown.decision or shown.revocation
    frozen = case_clock.policy_of(shown.case.application)
    deciders = queries.deciders(shown)
    context = {
        "appeal": shown,
        "state": shown.state,
        "waits_to_be_heard": shown.hearing == HearingState.ASKED,
        "against": words.against(shown.against),
        "points": [
            (each, words.ground(each.ground), each.outcome and words.outcome(each.outcome))
            for each in shown.points.all()
        ],
        "papers": list(queries.papers_of(shown)),
        "decided": decided,
        "reasons": [remedies.reason_with_law(frozen, code) for code in decided.codes] if decided else [],
        "notice": decided.notice if decided else None,
        "page": page,
        "application": shown.case.application,
        "is_mine": shown.assigned_to_id == user.pk,
        "why_not": _why_not(shown, user),
        "deciders": len(deciders),
        "can_name_reviewer": not deciders and people.is_supervisor(user),
        "is_overdue": shown.is_overdue(now),
        "came_of": words.came_of(shown),
        "is_officer": people.is_officer(user),
        "hearings": hearings.hearings_of(shown),
        **_hearing_forms(request, shown, now),
        "hearing_sent": None,
        "decision_form": DecisionForm(points=list(shown.points.all())),
        "too_late_form": TooLateForm(),
        "reviewer_form": ReviewerForm(),
        "wide": True,
    }
    return render(request, "appeal/appeal.html", context | extra, status=status)


def _hearing_forms(request: HttpRequest, shown: Appeal, now: dt.datetime) -> dict[str, Form]:
    """By their names in the template; the one that was sent is bound."""
    if shown.hearing != HearingState.ASKED:
        return {}
    given = request.POST if request.method == "POST" else None
    return hearing_views.forms_of(shown, given, queries.heard_between(shown, now), now)


def _say_that_it_changed(request: HttpRequest) -> None:
    messages.warning(request, _("The appeal changed in the meantime. This is its status now."))


def _acted(request: HttpRequest, shown: Appeal, act: Callable[[], object], said: str = "") -> HttpResponse:
    """Do it and say so; where it is not possible any more, say that."""
    try:
        act()
    except actions.MayNotDecide as error:
        messages.warning(request, words.why_not(error.why))
    except actions.NotYours:
        messages.warning(request, _("Somebody else has this appeal."))
    except (actions.NotPossibleNow, hearings.NotSet, NotAnOfficer):
        _say_that_it_changed(request)
    else:
        if said:
            messages.success(request, said)
    # Whoever was named from outside reads nothing of it once it is decided.
    if not queries.has_rank(person(request)) and not reviewing.is_reviewer(person(request)):
        return redirect("portal:home")
    return redirect("appeal:appeal", reference=shown.reference)


@decider_required
@posted_from("appeal:appeal", "reference")
def take(request: HttpRequest, reference: str) -> HttpResponse:
    shown, user = _opened(request, reference), person(request)
    return _acted(
        request, shown, lambda: actions.take(appeal=shown, user=user, now=timezone.now()), _("You decide this appeal.")
    )


@decider_required
@posted_from("appeal:appeal", "reference")
def hear(request: HttpRequest, reference: str) -> HttpResponse:
    """Set the hearing, move it, or write it down."""
    shown, user, now = _opened(request, reference), person(request), timezone.now()
    forms = _hearing_forms(request, shown, now)
    sent = next((form for form in forms.values() if form.is_bound), None)
    facts: dict[str, Any] = {"appeal": shown, "user": user, "now": now}
    acts = partial(actions.set_hearing, **facts), partial(actions.record_hearing, **facts)
    if sent is None:
        _say_that_it_changed(request)
    elif not sent.is_valid():
        return _show(request, shown, **forms, hearing_sent=sent, status=422)
    else:
        answer = _acted(request, shown, lambda: hearing_views.act(request, sent, *acts))
        return answer if sent.is_valid() else _show(request, shown, **forms, hearing_sent=sent, status=422)
    return redirect("appeal:appeal", reference=reference)


@decider_required
@posted_from("appeal:appeal", "reference")
def decide(request: HttpRequest, reference: str) -> HttpResponse:
    shown, user = _opened(request, reference), person(request)
    form = DecisionForm(request.POST, points=list(shown.points.all()))
    if not form.is_valid():
        return _show(request, shown, decision_form=form, status=422)
    return _acted(
        request,
        shown,
        lambda: actions.decide(
            appeal=shown, user=user, points=form.decided, text=form.cleaned_data["text"], now=timezone.now()
        ),
        _("Decided. The appellant was told why, and where they can go next."),
    )


@decider_required
@posted_from("appeal:appeal", "reference")
def refuse_late(request: HttpRequest, reference: str) -> HttpResponse:
    shown, user = _opened(request, reference), person(request)
    form = TooLateForm(request.POST)
    if not form.is_valid():
        return _show(request, shown, too_late_form=form, status=422)
    return _acted(
        request,
        shown,
        lambda: actions.refuse_late(
            appeal=shown, user=user, why=form.cleaned_data["too_late_because"], now=timezone.now()
        ),
        _("Decided. The appellant was told why, and where they can go next."),
    )


@decider_required
@posted_from("appeal:appeal", "reference")
def name_reviewer(request: HttpRequest, reference: str) -> HttpResponse:
    shown, user = _opened(request, reference), person(request)
    form = ReviewerForm(request.POST)
    if not form.is_valid():
        return _show(request, shown, reviewer_form=form, status=422)

    def name(reviewer: User, who: str, now: dt.datetime) -> object:
        return actions.name_reviewer(appeal=shown, supervisor=user, reviewer=reviewer, who=who, now=now)

    try:
        if not named_from_outside(request, form, name):
            return _show(request, shown, reviewer_form=form, status=422)
    except (actions.NotPossibleNow, NotAnOfficer):
        _say_that_it_changed(request)
    return redirect("appeal:appeal", reference=shown.reference)


@never_cache
@require_safe
@decider_required
def paper(request: HttpRequest, reference: str, document: uuid.UUID) -> HttpResponse:
    """A paper of the file, in a box of its own. The read is on record."""
    shown, user = _opened(request, reference), person(request)
    return paper_views.of_case(shown.case, document, actor=queries.actor_for(user), reason="complaint")
