"""A complaint about what the visitor has registered: what was said, and their answer."""

import uuid
from typing import Any

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
from rahdari.apply.form_errors import megabytes
from rahdari.apply.models import Application
from rahdari.apply.sent_files import Refused, accepted, take_in
from rahdari.complaint import actions, queries, rules, words
from rahdari.complaint.forms import AnswerForm
from rahdari.complaint.models import Complaint
from rahdari.decide import case_clock
from rahdari.decide.paper_views import in_a_box
from rahdari.people.access import person
from rahdari.people.acting import Acting
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


def _is_sent(request: HttpRequest) -> bool:
    """Whether the answer is sent, and not a file added to it or taken out."""
    return not {"add", "remove"} & set(request.POST)


def _files(request: HttpRequest, shown: Complaint, by: Acting) -> list[Refused]:
    """Keep what came along and take out what is to go. Which could not be kept. Raises NotPossibleNow."""
    facts: dict[str, Any] = {"complaint": shown, "actor": by.actor, "now": timezone.now()}
    if given := request.POST.get("remove"):
        actions.remove_answer_file(id=given, **facts)

    def keep(name: str, content: bytes) -> None:
        actions.add_answer_file(name=name, content=content, owner=person(request).pk, **facts)

    return take_in(request, case_clock.policy_in_force(), keep)[1]


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def complaint(request: HttpRequest, reference: str, number: str) -> HttpResponse:
    """Whoever may apply in the holder's name may answer."""
    act = Act.APPLY if request.method == "POST" else Act.PAPERS
    application, by = shared.application(request, reference, act)
    shown = _complaint(application, number)
    form, refused = AnswerForm(), list[Refused]()
    if request.method == "POST":
        try:
            refused = _files(request, shown, by)
            # What was typed stays, also where a file is added or taken out first.
            form = AnswerForm(request.POST if _is_sent(request) else None, initial=request.POST.dict())
            if _is_sent(request) and not refused and form.is_valid():
                said = form.cleaned_data["answer"]
                actions.answer(complaint=shown, words=said, actor=by.actor, now=timezone.now())
                messages.success(request, _("Your answer has arrived. An officer reads it before anything is decided."))
                return redirect("portal:complaint", reference=reference, number=number)
        except actions.NotPossibleNow:
            messages.warning(request, why(actions.NotPossibleNow))
            return redirect("portal:complaint", reference=reference, number=number)
    limits = case_clock.policy_in_force()
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
        "answer_papers": queries.answer_papers_of(shown),
        "refused": refused,
        "accept": accepted(limits),
        "megabytes": megabytes(limits.limits.document_bytes),
        "most": actions.MOST_FILES,
        "may_answer": rules.allows(shown.state, shown.holder_answer, "answer")
        and access.may(person(request), Act.APPLY, application=application),
    }
    return render(request, "portal/applicant/complaint.html", context, status=422 if form.is_bound or refused else 200)
