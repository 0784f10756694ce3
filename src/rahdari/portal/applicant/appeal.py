"""An appeal: written, sent, followed, withdrawn. Whoever may apply in the holder's name may appeal."""

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

from rahdari import policy
from rahdari.appeal import actions, queries, words
from rahdari.appeal.forms import AppealForm
from rahdari.appeal.models import Appeal
from rahdari.appeal.queries import Appealable
from rahdari.appeal.rules import Against, State
from rahdari.apply import access
from rahdari.apply import queries as apply
from rahdari.apply.form_errors import megabytes
from rahdari.apply.models import Application
from rahdari.apply.sent_files import Refused, accepted
from rahdari.decide import case_clock, hearings, remedies
from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.web.fields import WORDS

from . import shared
from .answers import Answering, remove_paper, take_in_papers


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: HttpRequest, reference: str) -> HttpResponse:
    """The form while there is something to appeal against; else the appeal that was sent, and those before it."""
    act = Act.APPLY if request.method == "POST" else Act.PAPERS
    application, by = shared.application(request, reference, act)
    now = timezone.now()
    thing = queries.appealable(application, now)
    if thing is None and request.method == "POST":
        messages.info(request, _("Your appeal was sent before."))
        return redirect("portal:appeal", reference=reference)
    if thing is None:
        return _sent(request, application, now)
    if not access.may(person(request), Act.APPLY, application=application):
        return redirect("portal:application", reference=reference)
    draft = queries.draft_of(thing.case, thing)
    refused: list[Refused] = []
    form = _form(thing, draft, application)
    if request.method == "POST":
        answer, form, refused = _posted(request, application, by, thing, now)
        if answer is not None:
            return answer
        draft = queries.draft_of(thing.case, thing)
    return _write(request, application, thing, draft, form, refused, now)


def _form(thing: Appealable, draft: Appeal | None, application: Application, data: Any = None) -> AppealForm:
    papers = draft is not None and apply.documents_of_answer(application, draft.subject).exists()
    begun = {}
    if draft is not None:
        begun = {"grounds": draft.grounds, "words": draft.words, "hearing": "call" if draft.to_be_heard else ""}
    return AppealForm(data, initial=begun, against=thing.against, papers=papers)


def _posted(
    request: HttpRequest, application: Application, by: Acting, thing: Appealable, now: dt.datetime
) -> tuple[HttpResponse | None, AppealForm, list[Refused]]:
    """Whatever is pressed, what was written and sent along is kept: nothing that was typed is lost."""
    given = request.POST
    facts: dict[str, Any] = {"application": application, "actor": by.actor, "now": now}
    try:
        draft = actions.save_draft(
            grounds=given.getlist("grounds"),
            words=given.get("words", "")[: 2 * WORDS],
            to_be_heard=given.get("hearing") == "call",
            **facts,
        )
    except actions.NothingToAppeal:
        return redirect("portal:appeal", reference=application.reference), _form(thing, None, application), []
    refused = take_in_papers(request, application, by, draft.subject)
    if paper := given.get("remove"):
        remove_paper(application, draft.subject, paper, by.actor)
    if {"remove", "add", "draft"} & set(given):
        if not refused:
            if "draft" in given:
                messages.success(request, _("Your draft is kept. Nothing was sent yet."))
            return redirect("portal:appeal", reference=application.reference), _form(thing, draft, application), []
        return None, _form(thing, draft, application), refused
    form = _form(thing, draft, application, given)
    if refused or not form.is_valid():
        return None, form, refused
    try:
        actions.send(**form.facts, **facts)
    except actions.NothingToAppeal:
        messages.info(request, _("Your appeal was sent before."))
    else:
        messages.success(request, _("Your appeal has arrived. We sent you a receipt."))
    return redirect("portal:appeal", reference=application.reference), form, []


def _write(
    request: HttpRequest,
    application: Application,
    thing: Appealable,
    draft: Appeal | None,
    form: AppealForm,
    refused: list[Refused],
    now: dt.datetime,
) -> HttpResponse:
    frozen = case_clock.policy_of(application)
    forum = frozen.forum_for("officer_decision")
    decided = thing.decision or thing.revocation
    papers = list(apply.documents_of_answer(application, draft.subject)) if draft is not None else []
    context = {
        "application": application,
        "form": form,
        "answering": Answering(form, papers, refused, accepted(frozen), megabytes(frozen.limits.document_bytes), ""),
        "against": str(thing.against),
        "reasons": [remedies.reason_with_law(frozen, code) for code in decided.codes] if decided else [],
        "decided_at": decided.at if decided else None,
        "until": thing.until,
        "is_late": thing.until is not None and now > thing.until,
        "decides_within": forum.decides_within if forum is not None else None,
        "due_at": policy.add(start=now, allowance=forum.decides_within, calendar=case_clock.calendar())
        if forum is not None
        else None,
        "next_forums": frozen.forums_for("authority_decision"),
        "contact": frozen.contact,
    }
    status = 422 if form.is_bound or refused else 200
    return render(request, "portal/applicant/appeal.html", context, status=status)


def _sent(request: HttpRequest, application: Application, now: dt.datetime) -> HttpResponse:
    found = queries.appeals_of(application)
    if not found:
        return redirect("portal:application", reference=application.reference)
    shown = found[0]
    end = shown.carry_out_by if shown.state == State.DECIDED else shown.due_at
    begun = shown.decided_at if shown.state == State.DECIDED else shown.sent_at
    assert shown.due_at is not None  # noqa: S101 - the database holds it of what was sent
    share = (now - begun) / (end - begun) if begun and end and end > begun else 1.0
    context = {
        "application": application,
        "appeal": shown,
        "state": str(shown.state),
        "against": words.against(shown.against),
        "came_of": words.came_of(shown),
        "outcome": str(shown.outcome or ""),
        "points": [
            (each, words.ground(each.ground), each.outcome and words.outcome(each.outcome))
            for each in shown.points.all()
        ],
        "papers": list(queries.papers_of(shown)),
        "end": end,
        "left": end - now if end else None,
        "used": min(share, 1.0),
        "is_overdue": shown.is_overdue(now),
        "hearings": hearings.hearings_of(shown),
        "next_forums": queries.next_forums(shown),
        "is_against_revocation": shown.against == Against.REVOCATION,
        "is_against_silence": shown.against == Against.SILENCE,
        "complaint": case_clock.policy_of(application).remedies.get("ombudsman"),
        "may_withdraw": shown.state == State.OPEN and access.may(person(request), Act.APPLY, application=application),
        "before": [(each, words.against(each.against), words.came_of(each)) for each in found[1:]],
    }
    return render(request, "portal/applicant/appeal_sent.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference, Act.APPLY)
    found = queries.appeals_of(application)
    if request.method == "POST" and found:
        try:
            actions.withdraw(appeal=found[0], actor=by.actor, now=timezone.now())
            messages.success(request, _("The appeal is withdrawn. You can appeal again while there is time."))
        except actions.NotPossibleNow:
            messages.warning(request, _("The appeal was decided before you withdrew it. Nothing was changed."))
    return redirect("portal:appeal", reference=reference)
