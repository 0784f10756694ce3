"""Registered connections of an operator's networks that are cut: its list, and one of them with all that is known.

It sees the address, what runs there and what was measured, and never who has it.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.people import queries as people
from rahdari.people.access import actor_of, operator_required, person
from rahdari.people.models import Role
from rahdari.publish import queries as publish
from rahdari.web import errors
from rahdari.web.posting import posted_from

from . import actions, mending, page, published, queries, words
from .models import Incident
from .rules import Reason


def _slug(request: HttpRequest) -> str:
    return people.operator_of(person(request)) or ""


@operator_required
@never_cache
@require_safe
def incidents(request: HttpRequest) -> HttpResponse:
    operator, now = publish.operator_by_slug(_slug(request)), timezone.now()
    if operator is None:
        return errors.no_access(request)
    live = queries.live_of_operator(operator)
    rows = [
        {
            "incident": each,
            "state": words.state(each.state),
            "tone": page.tone_of(each),
            "clock": page.clock_of(each, now),
            "lasted": page.lasted_words(each, now),
            "measured": words.measured(each.measured),
            "reason": words.reason(each.reason),
        }
        for each in (*live, *queries.ended_of_operator(operator))
    ]
    context = {
        "live": rows[: len(live)],
        "ended": rows[len(live) :],
        "operator": operator,
        "unannounced": published.unannounced(now=now).get(operator.slug),
        "fewest": published.FEWEST,
        "wide": True,
    }
    return render(request, "incident/of_operator.html", context)


def _opened(request: HttpRequest, reference: str) -> Incident:
    try:
        return queries.incident_for_operator(slug=_slug(request), reference=reference)
    except queries.IncidentNotFound:
        raise Http404 from None


@operator_required
@never_cache
@require_safe
def incident(request: HttpRequest, reference: str) -> HttpResponse:
    return _show(request, _opened(request, reference))


def _show(request: HttpRequest, shown: Incident, status: int = 200, **forms: Any) -> HttpResponse:
    now = timezone.now()
    context = {"wide": True, "by_desk": False} | mending.shown(shown, now) | forms
    return render(request, "incident/one_of_operator.html", context, status=status)


@operator_required
@never_cache
@posted_from("incident:one_of_operator", "reference")
def act(request: HttpRequest, reference: str, act: str) -> HttpResponse:
    shown = _opened(request, reference)
    actor = actor_of(person(request), Role.OPERATOR)
    try:
        wrong = mending.do(shown, act, request.POST, actor=actor, now=timezone.now())
        if wrong is None:
            raise Http404
        if wrong:
            return _show(request, shown, status=422, **wrong)
    except actions.NotPossibleNow:
        messages.warning(request, _("The disruption changed in the meantime. This is its status now."))
    else:
        messages.success(request, _("It is on record, and everybody who reported it sees it."))
        if act == "answer" and request.POST.get("reason") == Reason.NOT_OURS:
            return redirect("incident:of_operator")
    return redirect("incident:one_of_operator", reference=reference)
