"""One more proof after the application was sent: what counts, and the page that takes it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.applicant.late_evidence import PER_SECONDS, PROOFS, EvidenceOption, form_of, offer, options_of
from rahdari.applicant.refusals import why
from rahdari.apply import late_evidence, parts, screening
from rahdari.apply.evidence_forms import LaterText
from rahdari.apply.form_errors import file as words_of_file
from rahdari.apply.models import Application
from rahdari.decide import queries as decide
from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.web import limits, values

from . import shared

MOST_FILES = 10


@login_required
@never_cache
@require_safe
def proof(request: HttpRequest, reference: str) -> HttpResponse:
    """What counts as a proof now, each with its page."""
    application = shared.application(request, reference).row
    options = options_of(application, timezone.now())
    if not options:
        return redirect("portal:application", reference=reference)
    return render(request, "portal/applicant/proof.html", {"application": application, "options": options})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def send_proof(request: HttpRequest, reference: str, kind: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    options = options_of(application, timezone.now())
    if not options:
        return redirect("portal:application", reference=reference)
    option = next((each for each in options if each.key == kind), None)
    if option is None:
        raise Http404
    form = form_of(application, option, request.POST if request.method == "POST" else None)
    problems: list[str] = []
    if request.method == "POST" and (form is None or form.is_valid()):
        problems = _offer(request, application, by, option, form.cleaned_data if form is not None else {})
        if not problems:
            messages.success(request, _("It has arrived. This page shows what happens next."))
            return redirect(_where_to(application))
    context = {
        "application": application,
        "option": option,
        "form": form,
        "hint": "" if isinstance(form, LaterText) else option.hint,
        "problems": problems,
        "back_url": reverse("portal:proof", args=[reference]),
    }
    return render(request, "portal/applicant/send_proof.html", context)


def too_often(request: HttpRequest) -> str:
    """Counts a proof. What is said to whoever sent enough for now."""
    allowance = limits.take(f"portal.proof:{person(request).pk}", rate=PROOFS, per=PER_SECONDS)
    words = _("You sent many proofs in a short time. Send this one again after %(when)s.")
    return "" if allowance.allowed else words % {"when": values.again_after(allowance.wait)}


def _offer(
    request: HttpRequest, application: Application, by: Acting, option: EvidenceOption, data: dict[str, Any]
) -> list[str]:
    """Give the proof to the room; what is wrong with it, in sentences."""
    files = request.FILES.getlist("file") if option.sort.is_file else []
    if option.sort.is_file and not files:
        return [_("Choose a file or take a photo")]
    if len(files) > MOST_FILES:
        return [
            ngettext("Send %(count)s file at a time at most.", "Send %(count)s files at a time at most.", MOST_FILES)
            % {"count": MOST_FILES}
        ]
    if words := too_often(request):
        return [words]
    try:
        offer(application, option, data, files, actor=by.actor, now=timezone.now())
    except screening.FileRefused as error:
        return [words_of_file(error)]
    except parts.TooManyDocuments as error:
        return [
            ngettext(
                "This application has %(count)s file already, which is the limit.",
                "This application has %(count)s files already, which is the limit.",
                error.limit,
            )
            % {"count": error.limit}
        ]
    except late_evidence.NothingAwaited:
        return [why(late_evidence.NothingAwaited)]
    return []


def _where_to(application: Application) -> str:
    decision = decide.decision_of(case) if (case := decide.case_of(application)) else None
    if decision is not None and decision.registration is not None:
        return reverse("portal:provisional", args=[decision.registration.reference])
    return reverse("portal:status", args=[application.reference])
