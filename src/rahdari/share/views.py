"""The pages of whoever has an address that others want to share: the question, what is shared, and stopping it."""

import uuid
from collections.abc import Iterable
from contextlib import suppress

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.address import format_block
from rahdari.inquiry.kinds import NoLongerOpen, NotAnAnswer, is_open
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.models import User

from . import actions, queries
from .rules import Reply


def _names_read(user: User, subjects: Iterable[str]) -> None:
    actions.note_read(subjects=subjects, actor=actor_of(user), now=timezone.now())


@person_required
@never_cache
@require_safe
def sharing(request: HttpRequest) -> HttpResponse:
    user = person(request)
    asked, shared = list(queries.questions_to(user)), queries.parts_of(user)
    _names_read(user, queries.named_on(asked, shared))
    questions = [(each, format_block(each.request.block)) for each in asked]
    parts = [(each, format_block(each.sharer.shared.block)) for each in shared]
    return render(request, "share/sharing.html", {"questions": questions, "parts": parts})


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """One question, answered once. Opening it changes nothing."""
    now = timezone.now()
    try:
        found = queries.question_for(user=person(request), id=id)
    except queries.NotFound:
        raise Http404 from None
    nothing_chosen = False
    if request.method == "POST":
        with suppress(NotAnAnswer):
            with suppress(NoLongerOpen):
                given = request.POST.get("answer", "")
                actions.answer(question=found, given=given, actor=actor_of(person(request)), now=now)
            return redirect(request.path)
        nothing_chosen = True
    asked = found.request
    may_answer = is_open(asked, now) and found.reply == Reply.WAITING
    if may_answer:
        _names_read(person(request), [asked.subject])
    terms = queries.terms()
    context = {
        "question": found,
        "asked": asked,
        "address": format_block(asked.block),
        "is_open": may_answer,
        "nothing_chosen": nothing_chosen,
        "notice_days": terms.notice.days if terms is not None else 0,
    }
    return render(request, "share/question.html", context)


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """Withdraw a consent with notice, or take the notice back."""
    terms = queries.terms()
    try:
        sharer, consent = queries.part_to_stop(user=person(request), id=id)
    except queries.NotFound:
        raise Http404 from None
    if terms is None:
        raise Http404
    now, actor = timezone.now(), actor_of(person(request))
    if request.method == "POST":
        if "back" in request.POST:
            actions.take_notice_back(sharer=sharer, question=consent, actor=actor, now=now)
        elif "stop" in request.POST:
            actions.give_notice(sharer=sharer, question=consent, terms=terms, actor=actor, now=now)
        return redirect("share:sharing")
    _names_read(person(request), [consent.request.subject])
    context = {
        "sharer": sharer,
        "name": consent.request.name,
        "address": format_block(sharer.shared.block),
        "is_own_notice": sharer.withdrawn_by == consent.holder,
        "leaves_at": sharer.leaves_at or now + terms.notice,
    }
    return render(request, "share/stop.html", context)
