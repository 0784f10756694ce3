"""A complaint about what the visitor has registered: what was said, and their answer."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.applicant.refusals import why
from rahdari.apply import access
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.complaint import actions, queries, rules, words
from rahdari.complaint.forms import AnswerForm
from rahdari.complaint.models import Complaint
from rahdari.decide.paper_views import in_a_box
from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.vault.files import FileMissing

from . import shared


def _complaint(application: Application, number: str) -> Complaint:
    try:
        return queries.complaint_for_holder(application=application, reference=number)
    except queries.ComplaintNotFound:
        raise Http404 from None


@login_required
@never_cache
@require_safe
def file(request: HttpRequest, reference: str, number: str, document: uuid.UUID) -> HttpResponse:
    """A file that is held against the holder, in a box of its own."""
    application, _by = shared.application(request, reference, Act.PAPERS)
    shown = queries.papers_for_holder(_complaint(application, number))
    try:
        found = next(each for each in shown if each.pk == document)
        return in_a_box(found, applications.content_of(found), number)
    except (StopIteration, FileMissing):
        raise Http404 from None


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def complaint(request: HttpRequest, reference: str, number: str) -> HttpResponse:
    """Whoever may apply in the holder's name may answer."""
    act = Act.APPLY if request.method == "POST" else Act.PAPERS
    application, by = shared.application(request, reference, act)
    shown = _complaint(application, number)
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            actions.answer(complaint=shown, words=form.cleaned_data["answer"], actor=by.actor, now=timezone.now())
        except actions.NotPossibleNow:
            messages.warning(request, why(actions.NotPossibleNow))
        else:
            messages.success(request, _("Your answer has arrived. An officer reads it before anything is decided."))
        return redirect("portal:complaint", reference=reference, number=number)
    context = {
        "application": application,
        "complaint": shown,
        "others": queries.said_again(shown),
        "papers": [paper for paper in queries.papers_for_holder(shown) if paper.erased_at is None],
        "codes": queries.codes_for(shown),
        "kind": words.kind(shown.kind),
        "about": words.about(shown.about),
        "outcome": words.outcome(shown.outcome) if shown.outcome else "",
        "form": form,
        "may_answer": rules.allows(shown.state, shown.holder_answer, "answer")
        and access.may(person(request), Act.APPLY, application=application),
    }
    return render(request, "portal/applicant/complaint.html", context, status=422 if form.is_bound else 200)
