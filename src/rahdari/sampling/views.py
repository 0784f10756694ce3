"""Second looks: what waits, a file without its decision, both outcomes side by side, and what followed.

Opening a file or one of its documents is on record before a byte of it is sent.
"""

import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.apply import queries as applications
from rahdari.decide import queries as cases
from rahdari.decide import remedies
from rahdari.decide.case_clock import policy_in_force, policy_of
from rahdari.decide.forms import RecuseForm
from rahdari.decide.paper_views import in_a_box
from rahdari.decide.transitions import CodeNotUsable, NotPossibleNow
from rahdari.people import queries as people
from rahdari.people import seconding
from rahdari.people.access import officer_required, person
from rahdari.vault.files import FileMissing
from rahdari.web.posting import posted_from

from . import looking, queries
from .blind_file import BlindFile
from .forms import CloseForm, VerdictForm
from .models import SecondLook
from .queries import LookNotFound


def _render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    keys = bool(request.session.get("desk_keys", True))
    return render_page(request, template, {"wide": True, "keys": keys} | context, status=status)


@never_cache
@require_safe
@officer_required
def second_looks(request: HttpRequest) -> HttpResponse:
    officer, now = person(request), timezone.now()
    free, is_supervisor = queries.free_for(officer, now), people.is_supervisor(officer)
    open_ones = queries.open_disagreements(officer)
    queries.record_list(open_ones, officer=officer, now=now)
    context = {
        "rules": policy_in_force().second_looks,
        "free": len(free),
        "is_begun": bool(free) and free[0].taken_by_id == officer.pk,
        "waiting": queries.waiting().count(),
        "open": open_ones,
        "is_supervisor": is_supervisor,
        "figures": queries.figures(now),
        "officers": queries.by_officer(now) if is_supervisor else [],
    }
    return _render(request, "sampling/second_looks.html", context)


@officer_required
@posted_from("sampling:second_looks")
def take(request: HttpRequest) -> HttpResponse:
    found = looking.take_next(officer=person(request), now=timezone.now())
    if found is None:
        messages.info(request, _("No decision waits for you to look at it again."))
        return redirect("sampling:second_looks")
    return redirect("sampling:look", id=found.pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def look(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The file without its decision, and the form; after that both outcomes."""
    officer, now = person(request), timezone.now()
    try:
        found = queries.file_for_look(officer=officer, id=id, now=now)
    except LookNotFound:
        raise Http404 from None
    if found.looked_at is not None:
        return _render(request, "sampling/outcome.html", _beside_each_other(found))
    given = request.POST if request.method == "POST" else None
    return _show_file(request, found, given)


def _show_file(
    request: HttpRequest, found: SecondLook, given: Any, leave_form: RecuseForm | None = None
) -> HttpResponse:
    officer, page = person(request), _file_of(request, found)
    form = VerdictForm(given, questions=page.questions, refusals=page.refusals)
    if form.is_valid():
        try:
            looking.give_verdict(
                look=found,
                officer=officer,
                verdict=form.cleaned_data["verdict"],
                codes=form.named,
                text=form.cleaned_data["because"],
                now=timezone.now(),
            )
        except LookNotFound:
            raise Http404 from None
        except CodeNotUsable:
            form.add_error("codes", _("Choose from the list."))
        else:
            return redirect("sampling:look", id=found.pk)
    context = {
        "look": found,
        "page": page,
        "application": page.application,
        "form": form,
        "leave_form": leave_form or RecuseForm(),
        "paper": page.paper(request.GET.get("paper", "")),
    }
    wrong = form.errors or (leave_form is not None and leave_form.errors)
    return _render(request, "sampling/look.html", context, 422 if wrong else 200)


@officer_required
@posted_from("sampling:look", "id")
def leave(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """The officer has a conflict of interest: somebody else looks."""
    officer, now = person(request), timezone.now()
    form = RecuseForm(request.POST)
    try:
        found = queries.file_for_look(officer=officer, id=id, now=now, what="file")
        if found.looked_at is not None:
            raise LookNotFound(id)
        if not form.is_valid():
            return _show_file(request, found, None, form)
        looking.leave(look=found, officer=officer, why=form.cleaned_data["conflict"], now=now)
    except (LookNotFound, NotPossibleNow):
        raise Http404 from None
    said = _("It is on record that you do not decide %(reference)s. Somebody else does.")
    reference = found.decision.case.application.reference
    messages.success(request, said % {"reference": f"\u2066{reference}\u2069"})
    return redirect("sampling:second_looks")


def _file_of(request: HttpRequest, found: SecondLook) -> BlindFile:
    return BlindFile(
        found.decision.case,
        reader=person(request),
        now=timezone.now(),
        language=get_language() or "en",
        until=found.decision.at,
    )


@never_cache
@require_safe
@officer_required
def document(request: HttpRequest, id: uuid.UUID, document: uuid.UUID) -> HttpResponse:
    officer, now = person(request), timezone.now()
    try:
        found = queries.file_for_look(officer=officer, id=id, now=now, what="document")
        case = found.decision.case
        if _file_of(request, found).paper(str(document)) is None:
            raise Http404
        paper, content = applications.read_document(
            officer=officer,
            application=case.application,
            id=document,
            reason=found.why,
            ground=cases.ground_of(case),
            now=now,
        )
    except (LookNotFound, applications.DocumentNotFound, FileMissing):
        raise Http404 from None
    return in_a_box(paper, content, case.application.reference)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@officer_required
def disagreement(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """What a supervisor follows up: both outcomes, the way to the case, and what was done."""
    officer, now = person(request), timezone.now()
    try:
        found = queries.disagreement_for(officer=officer, id=id, now=now)
    except LookNotFound:
        raise Http404 from None
    form = CloseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        given = form.cleaned_data
        try:
            looking.close(look=found, officer=officer, done=given["done"], text=given["because"], now=now)
        except LookNotFound:
            messages.warning(request, _("A colleague has followed this up meanwhile."))
        except seconding.NotSecond as error:
            messages.warning(request, seconding.says(error.why))
        else:
            messages.success(request, _("It is on record what was done."))
        return redirect("sampling:second_looks")
    context = _beside_each_other(found) | {"form": form}
    return _render(request, "sampling/disagreement.html", context, 422 if form.errors else 200)


def _beside_each_other(found: SecondLook) -> dict[str, Any]:
    application = found.decision.case.application
    rules = policy_of(application)
    return {
        "look": found,
        "decision": found.decision,
        "application": application,
        "first_reasons": [remedies.reason_with_law(rules, code) for code in found.decision.codes],
        "second_reasons": [remedies.reason_with_law(rules, code) for code in found.codes],
    }
