"""What an officer records beside a case: an appeal that came by letter or was spoken at the desk, and that a question,
a notice or a decision was handed over in another way than by its letter."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.decide.case_access import asks_why, opened, render
from rahdari.decide.due import last_moment
from rahdari.people.access import officer_required, person

from . import actions, queries, words
from .forms import ServedForm, WrittenAppealForm


@never_cache
@officer_required
@asks_why
@require_http_methods(["GET", "HEAD", "POST"])
def written(request: HttpRequest, reference: str) -> HttpResponse:
    case, now = opened(request, reference), timezone.now()
    thing = queries.appealable(case.application, now)
    if thing is None:
        messages.info(request, _("There is nothing to appeal against here, or an appeal was sent."))
        return redirect("decide:case", reference=reference)
    form = WrittenAppealForm(request.POST if request.method == "POST" else None, against=thing.against)
    if form.is_valid():
        try:
            actions.record_written(
                application=case.application,
                officer=person(request),
                received_at=last_moment(form.cleaned_data["received"]),
                now=now,
                **form.facts,
            )
        except actions.NothingToAppeal:
            messages.info(request, _("There is nothing to appeal against here, or an appeal was sent."))
        else:
            messages.success(request, _("The appeal is recorded, and the appellant was told."))
        return redirect("decide:case", reference=reference)
    context = {
        "application": case.application,
        "form": form,
        "against": words.against(thing.against),
        "until": thing.until,
        "heading": _("Record an appeal that came in writing"),
        "lead": _(
            "Enter it as it was written, or as it was said at the desk. The date of the appeal is the day it arrived."
        ),
    }
    return render(request, "appeal/record.html", context, status=422 if form.is_bound else 200)


@never_cache
@officer_required
@asks_why
@require_http_methods(["GET", "HEAD", "POST"])
def served(request: HttpRequest, reference: str) -> HttpResponse:
    """The letter came back: a question, a notice or a decision was handed over otherwise."""
    case, now = opened(request, reference), timezone.now()
    form = ServedForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        actions.record_service(case=case, officer=person(request), now=now, **form.cleaned_data)
        messages.success(request, _("It is recorded. The time to answer or to appeal runs from that day."))
        return redirect("decide:case", reference=reference)
    context = {
        "application": case.application,
        "form": form,
        "heading": _("Record that a letter was handed over"),
        "lead": _(
            "The letter with the question, the notice or the decision came back and nobody has read it here. The time "
            "to answer or to appeal starts only when it has been delivered."
        ),
    }
    return render(request, "appeal/record.html", context, status=422 if form.is_bound else 200)
