"""A client or employer was asked: when, what they see, until when; send it again, or correct the address."""

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

from rahdari.applicant.clients import correct, form_for, not_sent_again, question_about, why_not_delivered
from rahdari.applicant.late_evidence import options_of
from rahdari.apply.evidence_forms import ClientForm
from rahdari.apply.models import Application
from rahdari.checks.kinds import KINDS
from rahdari.inquiry.kinds import NoLongerOpen, is_open
from rahdari.people.acting import Acting
from rahdari.vouch import actions as vouch
from rahdari.vouch import queries as questions
from rahdari.vouch import rules
from rahdari.vouch.models import ReferenceRequest
from rahdari.vouch.parties import PARTIES
from rahdari.web import values

from . import shared
from .proof import too_often

LATELY = dt.timedelta(days=90)


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
            messages.success(request, _("We ask at the new address. The old link no longer works."))
            return redirect("portal:status", reference=reference)
    return render(request, "portal/applicant/client.html", _context(application, question, form, now))


def _context(
    application: Application, question: ReferenceRequest, form: ClientForm, now: dt.datetime
) -> dict[str, Any]:
    again_from = rules.may_send_again_from(asked_at=question.asked_at, resent_at=question.resent_at)
    usual = questions.usual_time(since=now - LATELY)
    party = PARTIES[question.party]
    kind = KINDS[party.check]
    whole = max(question.due_at - question.asked_at, dt.timedelta(seconds=1))
    return {
        "application": application,
        "question": question,
        "form": form,
        "not_delivered": why_not_delivered(question),
        "left": values.span_words(max(question.due_at - now, dt.timedelta())),
        "share": min((now - question.asked_at) / whole, 1.0),
        "usual": values.span_words(usual, "in") if usual is not None else "",
        "may_send_again": again_from is not None and again_from <= now,
        "again_from": again_from,
        "may_prove": bool(options_of(application, now)),
        "is_open": is_open(question, now),
        "party": party,
        "heading": kind.others.heading if kind.others is not None else "",
        "seen": kind.seen,
        "asks": party.asks(question.name),
    }


def _send_again(request: HttpRequest, by: Acting, question: ReferenceRequest, now: dt.datetime) -> None:
    try:
        vouch.resend(question=question, actor=by.actor, now=now)
    except (vouch.TooSoon, NoLongerOpen) as why:
        messages.info(request, not_sent_again(why))
    else:
        messages.success(request, _("We ask them once more."))


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
        form.add_error("text", _("We already ask at this address. Give another one."))
        return False
    if words := too_often(request):
        form.add_error("text", words)
        return False
    correct(application, question, address, actor=by.actor, now=now)
    return True
