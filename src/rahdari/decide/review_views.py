"""Nobody in the office may decide a proposal: a supervisor names somebody from outside, who reads this one file and
decides. They reach no other page of the desk; opening the file is on record before a byte of it is sent."""

import datetime as dt
import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari.journal import actions as journal
from rahdari.people import queries as people
from rahdari.people.access import officer_required, person
from rahdari.people.models import Role, User

from . import case_clock, evidence, paper_views, queries, refusals, reviewing, revocation, transitions, words
from .case_access import asks_why, moved_on, named_from_outside, opened, or_reviewer, render, to_page
from .case_page import CasePage
from .forms import ReviewerForm, SecondForm, SecondTakingBackForm
from .hearings import hearings_of
from .models import Case, Notice
from .reviewer_models import Reviewer
from .rules import Status

reviewer_only = or_reviewer(lambda user: False, Role.OFFICER)


@never_cache
@officer_required
@asks_why
@require_http_methods(["GET", "HEAD", "POST"])
def name_reviewer(request: HttpRequest, reference: str) -> HttpResponse:
    case, user = opened(request, reference), person(request)
    notice = queries.open_notice(case)
    if notice is None or not people.is_supervisor(user):
        messages.info(request, moved_on())
        return to_page(request, "case", reference=reference)
    notice.case = case
    form = ReviewerForm(request.POST if request.method == "POST" else None)

    def name(reviewer: User, who: str, now: dt.datetime) -> object:
        return reviewing.name_for_proposal(case=case, supervisor=user, reviewer=reviewer, who=who, now=now)

    try:
        if form.is_valid() and named_from_outside(request, form, name):
            return to_page(request, "case", reference=reference)
    except transitions.NotPossibleNow:
        messages.warning(request, moved_on())
        return to_page(request, "case", reference=reference)
    context = {"application": case.application, "form": form, "alone": reviewing.alone_with(notice)}
    return render(request, "decide/name_reviewer.html", context, 422 if form.errors else 200)


def _named(request: HttpRequest, reference: str) -> tuple[Case, Notice]:
    """The case and the proposal for which the reader was named, with the read on record. Raises Http404."""
    user = person(request)
    case = queries.case_by_number(reference.replace("\0", ""))
    notice = queries.open_notice(case) if case is not None else None
    if case is None or notice is None or not Reviewer.is_named(notice.subject, user):
        raise Http404
    journal.record(
        act="decide.read_case",
        actor=reviewing.actor_of(user),
        subject=case.application.subject,
        now=timezone.now(),
        reason="decide",
        ground=queries.ground_of(case),
        detail={"case": str(case.pk)},
    )
    notice.case = case
    return case, notice


@never_cache
@reviewer_only
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, reference: str) -> HttpResponse:
    """The proposal with its file, and the form by which whoever was named decides it."""
    case, notice = _named(request, reference)
    page = CasePage(case, reader=person(request), now=timezone.now(), language=get_language() or "en")
    is_refusal = case.status == Status.OPEN
    given = request.POST if request.method == "POST" else None
    form: SecondForm | SecondTakingBackForm = SecondForm(given) if is_refusal else SecondTakingBackForm(given)
    if form.is_valid() and _decided(request, case, page, form):
        return redirect("portal:home")
    context = {
        "page": page,
        "application": case.application,
        "notice": notice,
        "is_refusal": is_refusal,
        "hearings": hearings_of(notice),
        "due_at": case_clock.second_by(notice, timezone.now()),
        "form": form,
    }
    return render(request, "decide/review.html", context, 422 if form.errors else 200)


def _decided(request: HttpRequest, case: Case, page: CasePage, form: SecondForm | SecondTakingBackForm) -> bool:
    """False: something is missing in the file, and the form shows what."""
    user, now, because = person(request), timezone.now(), form.cleaned_data["because"]
    facts = {"case": case, "officer": user, "now": now}
    try:
        match form.cleaned_data["decision"]:
            case "refuse":
                refusals.second_refusal(because=because, **facts)  # type: ignore[arg-type]
            case "drop":
                refusals.drop_refusal(why=because, **facts)  # type: ignore[arg-type]
            case "take":
                revocation.second_revocation(because=because, **facts)  # type: ignore[arg-type]
            case _:
                revocation.keep_registration(why=because, **facts)  # type: ignore[arg-type]
    except transitions.MayNotSecond as error:
        form.add_error("decision", words.why_not_second(error.why))
    except evidence.EvidenceMissing as error:
        is_proposed = isinstance(form, SecondTakingBackForm)
        said = words.lacking(page.policy, error.missing, page.language, is_proposed=is_proposed)
        form.add_error("decision", said)
    except (transitions.NotPossibleNow, transitions.CodeNotUsable):
        messages.warning(request, moved_on())
        return True
    if form.errors:
        return False
    messages.success(request, _("Decided. The person whom it is about was told why."))
    return True


@never_cache
@reviewer_only
@require_safe
def review_paper(request: HttpRequest, reference: str, document: uuid.UUID) -> HttpResponse:
    """A paper of the file, in a box of its own. The read is on record."""
    case, _notice = _named(request, reference)
    return paper_views.of_case(case, document, actor=reviewing.actor_of(person(request)), reason="decide")
