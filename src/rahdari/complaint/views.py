"""The desk's side of complaints: the list, and one complaint with what the holder says and the form to decide it.

A row of the list names nobody. Opening one is on record before a byte of it is sent.
"""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.apply import queries as applications
from rahdari.apply.models import Document
from rahdari.decide import case_clock, reviewing
from rahdari.decide.case_access import named_from_outside, or_reviewer
from rahdari.decide.evidence import EvidenceMissing
from rahdari.decide.forms import ReviewerForm
from rahdari.decide.paper_views import in_a_box
from rahdari.decide.reviewer_models import Reviewer
from rahdari.decide.transitions import CodeNotUsable, NotAnOfficer
from rahdari.decide.transitions import NotPossibleNow as NotPossibleInTheCase
from rahdari.decide.words import lacking
from rahdari.people import queries as people
from rahdari.people.access import officer_required, person
from rahdari.people.models import Role, User
from rahdari.vault.files import FileMissing
from rahdari.web.posting import posted_from

from . import actions, contesting, queries, rules, words
from .forms import DecisionForm
from .models import Complaint
from .rules import About, Kind, Outcome, State

decider_required = or_reviewer(people.is_officer, Role.OFFICER)


@never_cache
@officer_required
@require_safe
def complaints(request: HttpRequest) -> HttpResponse:
    user, now = person(request), timezone.now()
    found = queries.open_for(user)
    had_part = queries.with_part_of(user, found)
    rows = [
        {
            "complaint": each,
            "kind": words.kind(each.kind),
            "about": words.about(each.about),
            "answer": words.answer(each.holder_answer),
            "is_overdue": each.is_overdue(now),
            "times": 1 + getattr(each, "others_count", 0),
            "why_not": words.why_not(rules.CannotDecide.PART) if each.pk in had_part else "",
            "is_ripe": rules.allows(each.state, each.holder_answer, "decide"),
        }
        for each in found
    ]
    return render(request, "complaint/complaints.html", {"rows": rows, "wide": True})


def _is_unanswered(first: Complaint, again: Complaint) -> bool:
    """Whether it came when the holder had answered already."""
    at, answered = again.looked_up_at, first.answered_at
    return at is not None and answered is not None and at > answered


def _why_not(complaint: Complaint, user: Any) -> str:
    found = queries.why_not(complaint, user)
    return words.why_not(found) if found is not None else ""


def _opened(request: HttpRequest, reference: str) -> Complaint:
    try:
        return queries.complaint_for_officer(user=person(request), reference=reference, now=timezone.now())
    except queries.ComplaintNotFound:
        raise Http404 from None


def _form(request: HttpRequest, shown: Complaint, data: Any = None) -> DecisionForm:
    """Somebody from outside decides the complaint, and proposes nothing: an officer does."""
    outcomes = rules.KINDS[Kind(shown.kind)].outcomes
    possible = [each for each in outcomes if shown.case is not None or each != Outcome.FOUNDED]
    codes = queries.codes_for(shown) if people.is_officer(person(request)) else []
    return DecisionForm(data, outcomes=possible, codes=codes)


@never_cache
@decider_required
@require_safe
def complaint(request: HttpRequest, reference: str) -> HttpResponse:
    """The complaint; with `paper`, that file of it beside it."""
    shown = _opened(request, reference)
    return _show(request, shown, _form(request, shown))


@never_cache
@decider_required
@require_safe
def paper(request: HttpRequest, reference: str, document: uuid.UUID) -> HttpResponse:
    """A file that came with it, in a box of its own. It is on record before a byte of it is sent."""
    shown = _opened(request, reference)
    found = _paper(shown, str(document))
    if found is None:
        raise Http404
    queries.record_paper_read(shown, found, person(request), timezone.now())
    try:
        return in_a_box(found, applications.content_of(found), shown.reference)
    except FileMissing:
        raise Http404 from None


def _paper(shown: Complaint, wanted: str) -> Document | None:
    came = [each for said in (shown, *queries.said_again(shown)) for each in queries.papers_of(said)]
    came += queries.sent_answer_papers_of(shown)
    return next((each for each in came if str(each.pk) == wanted and each.erased_at is None), None)


def _show(
    request: HttpRequest,
    shown: Complaint,
    form: DecisionForm,
    *,
    reviewer_form: ReviewerForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = person(request)
    is_alone = shown.state == State.OPEN and not reviewing.somebody_could(queries.matter_of(shown))
    others = queries.said_again(shown)
    context = {
        "complaint": shown,
        "papers": queries.papers_of(shown),
        "others": [(each, queries.papers_of(each), _is_unanswered(shown, each)) for each in others],
        "answer_papers": queries.sent_answer_papers_of(shown),
        "paper": _paper(shown, wanted) if (wanted := request.GET.get("paper", "")) else None,
        "holder_sees": rules.KINDS[Kind(shown.kind)].holder_sees_files,
        "kind": words.kind(shown.kind),
        "about": words.about(shown.about),
        "state": str(shown.state),
        "answer": words.answer(shown.holder_answer),
        "outcome": words.outcome(shown.outcome) if shown.outcome else "",
        "reasons": queries.codes_for(shown),
        "application": shown.case.application if shown.case is not None else None,
        "is_overdue": shown.is_overdue(timezone.now()),
        "is_ripe": rules.allows(shown.state, shown.holder_answer, "decide"),
        "why_not": _why_not(shown, user),
        "may_ask_holder": shown.about == About.NAME and rules.allows(shown.state, shown.holder_answer, "ask_holder"),
        "has_name": shown.state == State.OPEN and shown.about in rules.CONTESTS,
        "by_its_sender": shown.state == State.OPEN and contesting.is_contested_by_sender(shown),
        "form": form,
        "is_officer": people.is_officer(user),
        "is_alone": is_alone,
        "supervisors": reviewing.who_can_name() if is_alone else (),
        "reviewer": Reviewer.of(shown.subject),
        "reviewer_form": reviewer_form or ReviewerForm() if is_alone and people.is_supervisor(user) else None,
        "wide": True,
    }
    return render(request, "complaint/complaint.html", context, status=status)


@officer_required
@posted_from("complaint:complaint", "reference")
def name_reviewer(request: HttpRequest, reference: str) -> HttpResponse:
    shown, user = _opened(request, reference), person(request)
    form = ReviewerForm(request.POST)

    def name(reviewer: User, who: str, now: dt.datetime) -> object:
        return actions.name_reviewer(complaint=shown, supervisor=user, reviewer=reviewer, who=who, now=now)

    try:
        if not form.is_valid() or not named_from_outside(request, form, name):
            return _show(request, shown, _form(request, shown), reviewer_form=form, status=422)
    except (actions.NotPossibleNow, NotAnOfficer):
        messages.warning(request, _("The complaint changed in the meantime. This is its status now."))
    return redirect("complaint:complaint", reference=reference)


@decider_required
@posted_from("complaint:complaint", "reference")
def ask_holder(request: HttpRequest, reference: str) -> HttpResponse:
    shown = _opened(request, reference)
    try:
        if actions.ask_holder(complaint=shown, officer=person(request), now=timezone.now()).registration is None:
            messages.info(request, _("Nobody was asked: no holder has this name, or several have it."))
    except actions.MayNotDecide as error:
        messages.warning(request, words.why_not(error.why))
    except actions.NotPossibleNow:
        messages.warning(request, _("The complaint changed in the meantime. This is its status now."))
    return redirect("complaint:complaint", reference=reference)


@decider_required
@posted_from("complaint:complaint", "reference")
def contest(request: HttpRequest, reference: str) -> HttpResponse:
    shown, contested = _opened(request, reference), request.POST.get("contested") == "yes"
    try:
        actions.contest(complaint=shown, officer=person(request), contested=contested, now=timezone.now())
    except actions.MayNotDecide as error:
        messages.warning(request, words.why_not(error.why))
    except (actions.NotPossibleNow, actions.NoNameInIt):
        messages.warning(request, _("The complaint changed in the meantime. This is its status now."))
    return redirect("complaint:complaint", reference=reference)


@decider_required
@posted_from("complaint:complaint", "reference")
def decide(request: HttpRequest, reference: str) -> HttpResponse:
    shown, user = _opened(request, reference), person(request)
    form = _form(request, shown, request.POST)
    if not form.is_valid():
        return _show(request, shown, form, status=422)
    try:
        actions.decide(complaint=shown, officer=user, now=timezone.now(), **form.cleaned_data)
    except actions.MayNotDecide as error:
        messages.warning(request, words.why_not(error.why))
    except EvidenceMissing as error:
        assert shown.case is not None  # noqa: S101 - a proposal is made in one
        policy = case_clock.policy_of(shown.case.application)
        form.add_error("code", lacking(policy, error.missing, get_language() or "en"))
        return _show(request, shown, form, status=422)
    except (NotPossibleInTheCase, CodeNotUsable):
        messages.warning(
            request,
            _(
                "This registration cannot be revoked in its present state, so you cannot propose it. Nothing was "
                "decided."
            ),
        )
        return _show(request, shown, form, status=409)
    except (actions.NotPossibleNow, actions.OutcomeNotPossible):
        messages.warning(request, _("The complaint changed in the meantime. This is its status now."))
    else:
        messages.success(
            request, _("Decided. The holder was told. The person who complained is told on the day of the receipt.")
        )
        if not people.is_officer(user):
            return redirect("portal:home")
    return redirect("complaint:complaint", reference=reference)
