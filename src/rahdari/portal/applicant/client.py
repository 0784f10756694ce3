"""A client or employer was asked: when, what they see, until when; send it again, or correct the address."""

import contextlib
import datetime as dt
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.late_evidence import ways_of
from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.apply.evidence_forms import ClientForm
from rahdari.apply.models import Application
from rahdari.checks import queries as checks
from rahdari.checks.models import Outcome
from rahdari.inquiry.kinds import NoLongerOpen, is_open
from rahdari.letters import queries as letters
from rahdari.people.acting import Acting
from rahdari.vouch import actions as vouch
from rahdari.vouch import queries as questions
from rahdari.vouch import rules
from rahdari.vouch.models import ReferenceRequest
from rahdari.web import values

from . import shared
from .proof import too_often

LATELY = dt.timedelta(days=90)


def question_about(application: Application) -> ReferenceRequest | None:
    """What a client or employer of this application was asked and has not answered; None where nobody was."""
    if application.status not in {"submitted", "granted"}:
        return None
    open_ones = checks.checks_of(application.subject).filter(kind="employer", outcome=Outcome.WAITING)
    return questions.latest_waiting(f"check:{check.pk}" for check in open_ones)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def client(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    question = question_about(application)
    if question is None:
        return redirect("portal:application", reference=reference)
    now = timezone.now()
    form = form_for(application, request.POST if "correct" in request.POST else None)
    if request.method == "POST":
        if "again" in request.POST:
            _send_again(request, by, question, now)
            return redirect(request.path)
        if form.is_valid() and _correct(request, application, by, question, form, now):
            messages.success(request, _("We email the new address at once. The old link no longer works."))
            return redirect("portal:status", reference=reference)
    return render(request, "portal/applicant/client.html", _context(application, question, form, now))


def _context(
    application: Application, question: ReferenceRequest, form: ClientForm, now: dt.datetime
) -> dict[str, Any]:
    letter = letters.letters_about(f"vouch:{question.pk}").first()
    again_from = rules.may_send_again_from(asked_at=question.asked_at, sent_again_at=question.sent_again_at)
    usual = questions.usual_time(since=now - LATELY)
    whole = max(question.due_at - question.asked_at, dt.timedelta(seconds=1))
    return {
        "application": application,
        "question": question,
        "form": form,
        "reached": letters.reached(letter)[0] if letter is not None else None,
        "left": values.span_words(max(question.due_at - now, dt.timedelta())),
        "share": min((now - question.asked_at) / whole, 1.0),
        "usual": values.span_words(usual, "in") if usual is not None else "",
        "may_send_again": again_from is not None and again_from <= now,
        "again_from": again_from,
        "may_prove": bool(ways_of(application, now)),
        "is_open": is_open(question, now),
    }


def form_for(application: Application, given: Any) -> ClientForm:
    policy = applications.frozen_policy(application)
    free = policy.vouching.free_mail if policy.vouching else ()
    return ClientForm(given, own=application.applicant.email, free_mail=free)


def _send_again(request: HttpRequest, by: Acting, question: ReferenceRequest, now: dt.datetime) -> None:
    try:
        vouch.send_again(question=question, actor=by.actor, now=now)
    except vouch.TooSoon:
        messages.info(request, _("It was sent a short time ago. Nothing was sent again."))
    except NoLongerOpen:
        messages.info(request, _("It is answered, or its time has ended. Nothing was sent again."))
    else:
        messages.success(request, _("We have sent the letter again."))


def _correct(
    request: HttpRequest,
    application: Application,
    by: Acting,
    question: ReferenceRequest,
    form: ClientForm,
    now: dt.datetime,
) -> bool:
    address = form.cleaned_data["text"]
    if address == question.address:
        form.add_error("text", _("We have already emailed this address. Give another one."))
        return False
    if words := too_often(request):
        form.add_error("text", words)
        return False
    correct(application, question, address, actor=by.actor, now=now)
    return True


def correct(
    application: Application, question: ReferenceRequest, address: str, *, actor: str, now: dt.datetime
) -> None:
    """Another address takes the place of this one: a proof that comes later, and the old question is taken back."""
    service = applications.frozen_policy(application).services[application.service]
    kind = next(kind.key for kind in service.evidence if kind.sort.asks_client)
    apply.offer_proof(application=application, kind=kind, text=address, actor=actor, now=now)
    # If it is answered in the same moment, both count.
    with contextlib.suppress(NoLongerOpen):
        questions.REFERENCE.withdraw(question, actor=actor, now=now)
