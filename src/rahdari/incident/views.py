"""The desk's side: what a supervisor has to know of, what no operator has, and the form for somebody who calls.

A row names nobody. Opening one is on record; what was measured is seen where the holder opened it.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.people.access import actor_of, officer_required, person
from rahdari.people.models import Role
from rahdari.publish import queries as publish
from rahdari.web.posting import posted_from

from . import actions, answering, mending, page, queries, rules, words
from .forms import AssignForm, DeskReportForm, MergeForm
from .models import Incident
from .rules import Channel, State


@never_cache
@officer_required
@require_safe
def incidents(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "ours": _rows(queries.counted(queries.without_operator()), now),
        "late": _rows(queries.counted(queries.late_ones()), now),
        "others": _rows(queries.counted(queries.in_time()), now),
        "wide": True,
    }
    return render(request, "incident/incidents.html", context)


def _rows(found: Any, now: Any) -> list[dict[str, Any]]:
    return [
        {
            "incident": each,
            "operator": each.operator.name if each.operator is not None else "",
            "state": words.state(each.state),
            "tone": page.tone_of(each),
            "clock": page.clock_of(each, now),
            "lasted": page.lasted_words(each, now),
            "measured": words.measured(each.measured),
            "reason": words.reason(each.reason),
        }
        for each in found[:200]
    ]


def _opened(request: HttpRequest, reference: str) -> Incident:
    try:
        return queries.incident_for_officer(officer=person(request), reference=reference, now=timezone.now())
    except queries.IncidentNotFound:
        raise Http404 from None


@never_cache
@officer_required
@require_safe
def incident(request: HttpRequest, reference: str) -> HttpResponse:
    return _show(request, _opened(request, reference))


def _show(request: HttpRequest, shown: Incident, status: int = 200, **forms: Any) -> HttpResponse:
    now = timezone.now()
    facts = queries.facts_of(shown, now)
    others = queries.live().filter(operator=shown.operator).exclude(pk=shown.pk)
    context = mending.shown(shown, now, may_see=queries.may_see_series) | {
        "wide": True,
        "is_ours": shown.operator_id is None,
        "assign_form": AssignForm(operators=publish.active_operators())
        if rules.move_of("assign", State(shown.state), facts)
        else None,
        "merge_form": MergeForm(others=others[:50], prefix="merge")
        if rules.move_of("merge", State(shown.state), facts) and others.exists()
        else None,
    }
    return render(request, "incident/incident.html", context | forms, status=status)


@officer_required
@posted_from("incident:incident", "reference")
def act(request: HttpRequest, reference: str, act: str) -> HttpResponse:
    shown, user, now = _opened(request, reference), person(request), timezone.now()
    actor = actor_of(user, Role.OFFICER)
    try:
        wrong: dict[str, Any] | None
        if act in ("assign", "merge"):
            wrong = _by_desk(request, shown, act, actor)
        elif shown.operator_id is not None:
            raise Http404
        else:
            wrong = mending.do(shown, act, request.POST, actor=actor, now=now)
        if wrong is None:
            raise Http404
        if wrong:
            return _show(request, shown, status=422, **wrong)
    except (actions.NotPossibleNow, answering.AnotherOperator):
        messages.warning(request, _("The disruption changed in the meantime. This is its status now."))
    else:
        messages.success(request, _("It is on record."))
    return redirect("incident:incident", reference=reference)


def _by_desk(request: HttpRequest, shown: Incident, act: str, actor: str) -> dict[str, Any]:
    now = timezone.now()
    if act == "assign":
        form = AssignForm(request.POST, operators=publish.active_operators())
        if not form.is_valid():
            return {"assign_form": form}
        operator = publish.operator_by_slug(form.cleaned_data["operator"])
        assert operator is not None  # noqa: S101 - one of those that were offered
        answering.assign(incident=shown, operator=operator, actor=actor, now=now)
        return {}
    others = queries.live().filter(operator=shown.operator).exclude(pk=shown.pk)
    merge = MergeForm(request.POST, others=others[:50], prefix="merge")
    if not merge.is_valid():
        return {"merge_form": merge}
    answering.merge(incident=shown, into=others.get(reference=merge.cleaned_data["into"]), actor=actor, now=now)
    return {}


@never_cache
@officer_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Somebody called, or wrote an SMS."""
    form = DeskReportForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        made = actions.report(
            **form.facts,
            registration=form.registration,
            entry=form.entry,
            channel=Channel.DESK,
            words=form.cleaned_data["words"],
            actor=actor_of(person(request), Role.OFFICER),
            now=timezone.now(),
        )
        messages.success(request, _("Reported. The holder gets a letter about it."))
        return redirect("incident:incident", reference=made.incident.reference)
    return render(request, "incident/report.html", {"form": form}, status=422 if form.is_bound else 200)
