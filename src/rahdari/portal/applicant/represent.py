"""Whose number it is: a code to the contact that the list has for it, and the word of those registered under it.

The applicant sees as much of the contact as tells which mailbox or telephone it is, and types the code that came there.
Whoever is registered under the company's number already reads who applies, and says yes or no.
"""

import datetime as dt
import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant import representing
from rahdari.apply.models import Application
from rahdari.checks import contacts
from rahdari.checks.models import Check
from rahdari.checks.words import roster_title
from rahdari.control import registries
from rahdari.people.access import actor_of, person
from rahdari.web import values

from . import shared


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def represent(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    check = representing.waiting(application)
    if check is None:
        return redirect("portal:application", reference=reference)
    actor, now, trouble = by.actor, timezone.now(), ""
    if request.method == "POST":
        if "officer" in request.POST:
            representing.leave(application, check, actor=actor, now=now)
            messages.info(request, _("An officer looks at it. A letter or a resolution of the company helps."))
            return redirect("portal:status", reference=reference)
        if "to" in request.POST:
            trouble = _send(request, application, check, actor, now)
        elif "code" in request.POST:
            trouble = _take(application, check, request.POST["code"][:100], actor=actor, now=now)
            if not trouble:
                messages.success(request, _("Shown. We continue at once."))
                return redirect("portal:status", reference=reference)
        if not trouble:
            return redirect(request.path)
        check.refresh_from_db()
    found = contacts.contacts_of(check, number=representing.number_for(application, check))
    sent = contacts.last_sent(check, now)
    context = {
        "application": application,
        "is_company": check.kind == contacts.REPRESENTS,
        "list": roster_title(check.facts.get("roster", "")),
        "contacts": found,
        "sent": next((each for each in found if each.channel == sent), None),
        "trouble": trouble,
        "told": bool(check.facts.get("told_at")),
        "until": dt.datetime.fromisoformat(check.facts["until"]) if "until" in check.facts else None,
    }
    return render(request, "portal/applicant/represent.html", context, status=422 if trouble else 200)


def _send(request: HttpRequest, application: Application, check: Check, actor: str, now: dt.datetime) -> str:
    """What is wrong; nothing when the code is on its way."""
    try:
        channel = request.POST["to"][:10]
        representing.send(application, check, channel, by=person(request), actor=actor, now=now)
    except registries.NoCodeNow as error:
        return representing.no_code(error)
    return ""


def _take(application: Application, check: Check, given: str, *, actor: str, now: dt.datetime) -> str:
    """What is wrong with the code; nothing when it is right, or nothing waits for it any more."""
    try:
        representing.take_code(application, check, given, actor=actor, now=now)
    except registries.CodeNotTaken as error:
        return representing.not_taken(error)
    except contacts.NothingToShow:
        return ""
    return ""


# -- those who are registered under the number already ---------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def representative(request: HttpRequest, id: uuid.UUID, check: uuid.UUID) -> HttpResponse:
    try:
        ours, found, about = representing.asked_of(person(request), id, check)
    except representing.NotAsked:
        raise Http404 from None
    waits = contacts.is_asked(found) and about.status == "submitted"
    if request.method == "POST" and request.POST.get("answer") in {"yes", "no"}:
        agrees = request.POST["answer"] == "yes"
        if waits and contacts.answer_as_representative(
            check=found, agrees=agrees, actor=actor_of(person(request)), now=timezone.now()
        ):
            messages.success(request, _("Thank you. Your answer is recorded."))
        return redirect(request.path)
    until = dt.datetime.fromisoformat(found.facts["answer_until"])
    context = {
        "organisation": ours,
        "company": about.holder_name,
        "name": about.applicant.name or about.contact_name,
        "email": about.applicant.email,
        "sent_at": about.submitted_at,
        "waits": waits,
        "answer": found.facts.get("answer", ""),
        "decided": about.status,
        "until": until,
        "left": values.span_words(max(until - timezone.now(), dt.timedelta())),
    }
    return render(request, "portal/applicant/representative.html", context)
