"""A complaint about what the visitor has registered: what was said, and their answer."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.refusals import why
from rahdari.apply import access
from rahdari.complaint import actions, queries, rules, words
from rahdari.complaint.forms import AnswerForm
from rahdari.people.access import person
from rahdari.people.rules import Act

from . import shared


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def complaint(request: HttpRequest, reference: str, number: str) -> HttpResponse:
    """Whoever may apply in the holder's name may answer."""
    act = Act.APPLY if request.method == "POST" else Act.PAPERS
    application, by = shared.application(request, reference, act)
    try:
        shown = queries.complaint_for_holder(application=application, reference=number)
    except queries.ComplaintNotFound:
        raise Http404 from None
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
        "kind": words.kind(shown.kind),
        "about": words.about(shown.about),
        "outcome": words.outcome(shown.outcome) if shown.outcome else "",
        "form": form,
        "may_answer": rules.allows(shown.state, shown.holder_answer, "answer")
        and access.may(person(request), Act.APPLY, application=application),
    }
    return render(request, "portal/applicant/complaint.html", context, status=422 if form.is_bound else 200)
