"""The desk's page of the calendar: what is in force and by whom, what waits, enter one, confirm one."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.people import queries as people
from rahdari.people.access import officer_required, person

from . import actions, queries
from .forms import AnswerForm, CorrectionForm
from .models import CalendarCorrection
from .words import what_it_says


def _render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render_page(request, template, {"wide": True} | context, status=status)


def _said(found: Any) -> list[dict[str, Any]]:
    return [{"row": row, "says": what_it_says(row)} for row in found]


@never_cache
@require_safe
@officer_required
def days(request: HttpRequest) -> HttpResponse:
    rows, today = queries.confirmed(), timezone.localdate()
    stand = [row for row in rows if row.replaced_by is None]
    context = {
        "waiting": _said(queries.waiting()),
        "stand": _said(sorted((row for row in stand if row.last >= today), key=lambda row: row.first)),
        "before": _said(row for row in reversed(rows) if row.replaced_by is not None or row.last < today),
        "of_file": [day for day in queries.in_force().holidays if day.date >= today],
        "may_enter": people.is_supervisor(person(request)),
    }
    return _render(request, "calendar/days.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def new(request: HttpRequest) -> HttpResponse:
    """Enter one, or one that replaces another (`?replaces=`)."""
    officer = person(request)
    if not people.is_supervisor(officer):
        messages.info(request, _("A supervisor enters it."))
        return redirect("calendar:days")
    asked = request.GET.get("replaces", "")
    replaces = _correction(int(asked)) if asked.isdecimal() and len(asked) < 10 else None
    if replaces is not None and (replaces.confirmed_at is None or replaces.replaced_by is not None):
        messages.info(request, _("It was replaced already, or is not in force."))
        return redirect("calendar:days")
    form = CorrectionForm(
        request.POST if request.method == "POST" else None,
        calendar=queries.in_force(),
        replaces=replaces,
        initial={} if replaces is None else {"first": replaces.first, "last": replaces.last},
    )
    if form.is_valid():
        made = actions.propose(officer=officer, replaces=replaces, now=timezone.now(), **form.facts)
        messages.success(request, _("It is entered. It is in force once a second officer has confirmed it."))
        return redirect("calendar:correction", id=made.pk)
    context = {"form": form, "replaces": replaces, "says": what_it_says(replaces) if replaces else ""}
    return _render(request, "calendar/new.html", context, 422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def correction(request: HttpRequest, id: int) -> HttpResponse:
    """One of them; while it waits, the second officer confirms or drops it here, and its author can withdraw it."""
    found, officer = _correction(id), person(request)
    is_author = found.proposed_by_id == officer.pk
    form = AnswerForm(request.POST if request.method == "POST" else None, is_author=is_author)
    if form.is_valid():
        facts: dict[str, Any] = {"correction": found, "officer": officer, "now": timezone.now()}
        try:
            if form.cleaned_data["decision"] == "confirm":
                actions.confirm(**facts)
                messages.success(request, _("It is in force. Deadlines that changed show their new time."))
            else:
                actions.drop(why=form.cleaned_data["why"], **facts)
                messages.success(request, _("It is not in force, and the reason is on record."))
        except actions.MayNotConfirm:
            messages.warning(
                request,
                _(
                    "Another officer must confirm it: not the person who entered it, and not an officer who was "
                    "appointed today."
                ),
            )
        except actions.NotPossibleNow:
            messages.warning(request, _("A colleague has decided it meanwhile."))
        return redirect("calendar:correction", id=id)
    may_enter = people.is_supervisor(officer)
    context = {
        "row": found,
        "says": what_it_says(found),
        "form": form,
        "is_author": is_author,
        "may_enter": may_enter,
    }
    return _render(request, "calendar/correction.html", context, 422 if form.is_bound else 200)


def _correction(id: int) -> CalendarCorrection:
    try:
        return queries.correction(id)
    except queries.CorrectionNotFound:
        raise Http404 from None
