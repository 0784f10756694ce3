"""The ledger of demands at the desk: record one, find its one file, answer, and have a second officer agree."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.decide.case_access import open_for
from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.access import officer_required, person
from rahdari.web.posting import posted_from

from . import actions, queries
from .forms import AnswerForm, DemandForm, FileForm
from .models import Demand


@never_cache
@require_safe
@officer_required
def ledger(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {"demands": list(queries.demands()[:200]), "figures": queries.figures(now), "wide": True}
    return render(request, "demand/ledger.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def new(request: HttpRequest) -> HttpResponse:
    form = DemandForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        found = actions.record_demand(officer=person(request), now=timezone.now(), **form.facts)
        if found.outcome == Demand.Outcome.BULK:
            messages.warning(request, _("It asks for more than one file. That is refused, recorded and counted."))
        return redirect("demand:demand", id=found.pk)
    return render(request, "demand/new.html", {"form": form, "wide": True}, status=422 if form.is_bound else 200)


def _demand(id: uuid.UUID) -> Demand:
    try:
        return queries.demand_for_officer(id)
    except queries.DemandNotFound:
        raise Http404 from None


@never_cache
@require_safe
@officer_required
def demand(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    return _show(request, _demand(id))


def _show(request: HttpRequest, shown: Demand, *, status: int = 200, **extra: Any) -> HttpResponse:
    context = {
        "demand": shown,
        "is_hidden": shown.is_hidden(timezone.now()),
        "file_form": FileForm(demand=shown),
        "answer_form": AnswerForm(),
        "may_agree": shown.waits_for_second and shown.answered_by_id not in people.accounts_of(person(request)),
        "wide": True,
    }
    return render(request, "demand/demand.html", context | extra, status=status)


@officer_required
@posted_from("demand:demand", "id")
def find_file(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    shown = _demand(id)
    form = FileForm(request.POST, demand=shown)
    if not form.is_valid():
        return _show(request, shown, file_form=form, status=422)
    try:
        found = actions.find_file(
            demand=shown, officer=person(request), asked=form.cleaned_data["asked"], now=timezone.now()
        )
    except actions.OneFile:
        form.add_error("asked", _("This demand is about another file. One demand leads to one file."))
        return _show(request, shown, file_form=form, status=422)
    except actions.NotPossibleNow:
        messages.warning(request, _("This demand was answered already."))
        return redirect("demand:demand", id=id)
    return _show(request, _demand(id), file_form=form, found=found)


@officer_required
@posted_from("demand:demand", "id")
def open_file(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The file, with the demand as the ground of each look at it."""
    shown = _demand(id)
    if shown.case is None or shown.outcome:
        return redirect("demand:demand", id=id)
    return open_for(request, shown.case.application.reference, ground=shown.ground)


@officer_required
@posted_from("demand:demand", "id")
def answer(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    shown = _demand(id)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, shown, answer_form=form, status=422)
    try:
        actions.answer_demand(demand=shown, officer=person(request), now=timezone.now(), **form.cleaned_data)
    except actions.NotPossibleNow:
        messages.warning(request, _("It names no file yet, or was answered already: nothing was changed."))
    else:
        messages.success(request, _("The answer is recorded. Nothing is given before a second officer agrees."))
    return redirect("demand:demand", id=id)


@officer_required
@posted_from("demand:demand", "id")
def agree(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    try:
        actions.agree(demand=_demand(id), officer=person(request), now=timezone.now())
    except (actions.NotPossibleNow, actions.NeedsAnother):
        messages.warning(request, _("A second officer agrees, and only once."))
    except seconding.NotSecond as error:
        messages.warning(request, seconding.says(error.why))
    else:
        messages.success(request, _("You agreed. It may be given now."))
    return redirect("demand:demand", id=id)
