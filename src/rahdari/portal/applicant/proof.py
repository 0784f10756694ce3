"""One more proof after the application was sent: what counts, and the page that takes it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
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

from rahdari.applicant.titles import words
from rahdari.apply import actions, queries
from rahdari.apply.evidence_forms import LaterText
from rahdari.apply.form_errors import file as words_of_file
from rahdari.apply.forms import LastDayForm
from rahdari.apply.models import Application
from rahdari.apply.step_forms import PAGES
from rahdari.decide import queries as decide
from rahdari.decide.rules import NotYet, Provisional
from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.policy import DocumentRule, EvidenceKind
from rahdari.policy.sorts import SORTS, EvidenceSort
from rahdari.verify.kinds import KINDS
from rahdari.verify.models import Check
from rahdari.web import limits, values

from . import shared

# Judging files takes a processor's time; a person sends so many proofs in an hour.
PROOFS, PER_SECONDS = 12, 3600
MOST_FILES = 10


@dataclass(frozen=True)
class Way:
    """A kind of proof that counts now: its key, title and hint, and what it wants."""

    key: str
    title: str
    hint: str
    sort: EvidenceSort
    expires: bool = False

    @property
    def note(self) -> str:
        """What is said below the form."""
        return "" if self.sort.is_file else str(PAGES[self.sort.key].later_note)


def ways_of(application: Application, found: Sequence[Check] | None = None) -> list[Way]:
    """What can be sent now; nothing where no proof is awaited. Whoever has all its checks already gives them along."""
    if application.status not in {"submitted", "granted"} or not _is_awaited(application, found):
        return []
    policy = queries.frozen_policy(application)
    following = [_document(rule) for rule in queries.documents_to_follow(application, policy)]
    return following or [_evidence(kind) for kind in queries.later_kinds(application)]


def _is_awaited(application: Application, found: Sequence[Check] | None) -> bool:
    seen = decide.assessment_of(application, timezone.now(), found)
    open_ones = seen.awaited if isinstance(seen, Provisional) else seen.missing if isinstance(seen, NotYet) else ()
    return any(KINDS[fact.kind].takes_proof for fact in open_ones)


def _document(rule: DocumentRule) -> Way:
    return Way(rule.key, words(rule.title), words(rule.hint), SORTS["document"], rule.expires)


def _evidence(kind: EvidenceKind) -> Way:
    return Way(kind.key, words(kind.title), words(kind.hint), kind.sort)


@login_required
@never_cache
@require_safe
def proof(request: HttpRequest, reference: str) -> HttpResponse:
    """What counts as a proof now, each with its page."""
    application = shared.application(request, reference).row
    ways = ways_of(application)
    if not ways:
        return redirect("portal:application", reference=reference)
    return render(request, "portal/applicant/proof.html", {"application": application, "ways": ways})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def send_proof(request: HttpRequest, reference: str, kind: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    ways = ways_of(application)
    if not ways:
        return redirect("portal:application", reference=reference)
    way = next((each for each in ways if each.key == kind), None)
    if way is None:
        raise Http404
    form = form_of(application, way, request.POST if request.method == "POST" else None)
    problems: list[str] = []
    if request.method == "POST" and (form is None or form.is_valid()):
        problems = _offer(request, application, by, way, form.cleaned_data if form is not None else {})
        if not problems:
            messages.success(request, _("It has arrived. This page shows what happens next."))
            return redirect(_where_to(application))
    context = {
        "application": application,
        "way": way,
        "form": form,
        "hint": "" if isinstance(form, LaterText) else way.hint,
        "problems": problems,
        "back_url": reverse("portal:proof", args=[reference]),
    }
    return render(request, "portal/applicant/send_proof.html", context)


def form_of(application: Application, way: Way, given: Mapping[str, Any] | None) -> forms.Form | None:
    """What is asked for besides the files; nothing of a document that names no last day."""
    if way.sort.is_file:
        return LastDayForm(given) if way.expires else None
    form = PAGES[way.sort.key].later(given, application, queries.frozen_policy(application))
    if isinstance(form, LaterText):
        form.fields["text"].label, form.fields["text"].help_text = way.title, way.hint
    return form


def too_often(request: HttpRequest) -> str:
    """Counts a proof. What is said to whoever sent enough for now."""
    allowance = limits.take(f"portal.proof:{person(request).pk}", rate=PROOFS, per=PER_SECONDS)
    words = _("You sent many proofs in a short time. Send this one again after %(when)s.")
    return "" if allowance.allowed else words % {"when": values.again_after(allowance.wait)}


def _offer(request: HttpRequest, application: Application, by: Acting, way: Way, data: dict[str, Any]) -> list[str]:
    """Give the proof to the room; what is wrong with it, in sentences."""
    files = request.FILES.getlist("file") if way.sort.is_file else []
    if way.sort.is_file and not files:
        return [_("Choose a file or take a photo")]
    if len(files) > MOST_FILES:
        return [
            ngettext("Send %(count)s file at a time at most.", "Send %(count)s files at a time at most.", MOST_FILES)
            % {"count": MOST_FILES}
        ]
    if words := too_often(request):
        return [words]
    last_day: dt.date | None = data.get("valid_until")
    most = queries.frozen_policy(application).limits.document_bytes  # what is longer is refused, unread
    try:
        actions.offer_proof(
            application=application,
            kind=way.key,
            text=data.get("text", ""),
            sent=[actions.File(file.name or "", file.read(most + 1)) for file in files],
            valid_until=last_day,
            actor=by.actor,
            now=timezone.now(),
        )
    except actions.FileRefused as error:
        return [words_of_file(error)]
    except actions.TooManyDocuments as error:
        return [
            ngettext(
                "This application has %(count)s file already, which is the limit.",
                "This application has %(count)s files already, which is the limit.",
                error.limit,
            )
            % {"count": error.limit}
        ]
    except actions.NothingAwaited:
        return [_("We are not waiting for anything from you. Your application shows its status.")]
    return []


def _where_to(application: Application) -> str:
    decision = decide.decision_of(case) if (case := decide.case_of(application)) else None
    if decision is not None and decision.registration is not None:
        return reverse("portal:provisional", args=[decision.registration.reference])
    return reverse("portal:status", args=[application.reference])
