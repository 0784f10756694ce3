"""What the pages of a case share: opening it (which is on record), why where that is asked, and the way back."""

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as render_page
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rahdari.people.access import no_access, person, person_required, used_second_factor
from rahdari.people.actions import register_person
from rahdari.people.models import Role, User

from . import queries, reviewing
from .forms import ReviewerForm
from .models import Case
from .queues import SAVED

View = Callable[..., HttpResponse]

WHY = "desk_why"
# Where an officer who says why was going, if not to the case.
THEN, AFTER_WHY = "then", frozenset({"revoke"})


def opened(request: HttpRequest, reference: str) -> Case:
    """The case for an officer's page. Raises Http404 for a case that they may not see."""
    try:
        return queries.case_for_officer(
            officer=person(request), reference=reference, now=timezone.now(), why=why_of(request, reference)
        )
    except queries.CaseNotFound:
        raise Http404 from None


def why_of(request: HttpRequest, reference: str) -> str:
    return str(request.session.get(WHY, {}).get(reference, ""))


def open_for(request: HttpRequest, reference: str, *, ground: str) -> HttpResponse:
    """Open the file for a demand, which is the ground of each look at it from now on."""
    request.session[WHY] = dict(request.session.get(WHY, {})) | {reference: queries.for_demand(ground)}
    return to_page(request, "case", reference=reference)


def or_reviewer(holds: Callable[[User], bool], role: Role) -> Callable[[View], View]:
    """For whoever holds a post, and for somebody from outside who was named to decide something: with a second factor,
    as all staff."""

    def decorate(view: View) -> View:
        @person_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = person(request)
            if not holds(user):
                if not reviewing.is_reviewer(user):
                    return no_access(request, role)
                if settings.STAFF_SECOND_FACTOR and not used_second_factor(request):
                    return redirect("people:second_factor")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def named_from_outside(
    request: HttpRequest, form: ReviewerForm, name: Callable[[User, str, dt.datetime], object]
) -> bool:
    """Name whom the form says. False: that cannot be, and the form shows why."""
    supervisor, now = person(request), timezone.now()
    actor = queries.actor_of(supervisor)
    reviewer = register_person(email=form.cleaned_data["email"], actor=actor, now=now)
    try:
        name(reviewer, form.cleaned_data["who"], now)
    except reviewing.HadPart:
        form.add_error("email", _("This person had a part in the case, or works in the office. Name somebody else."))
        return False
    except reviewing.SomebodyCould:
        messages.warning(request, _("Somebody in the office can decide this: nobody from outside is needed."))
    else:
        messages.success(request, _("The person was told, and can open this file."))
    return True


def asks_why[**P](view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Any:
    """For the pages of a case: one that is decided or closed is opened after the officer said why."""

    @wraps(view)
    def asking(request: HttpRequest, *args: P.args, **named: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **named)
        except queries.WhyMissing as missing:
            place = request.resolver_match.url_name if request.resolver_match is not None else None
            then = f"?{urlencode({THEN: place})}" if place in AFTER_WHY else kept_filter(request)
            return redirect(reverse("decide:why", args=[missing.reference]) + then)

    return asking


def render(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The desk uses the whole width of a screen."""
    return render_page(request, template, {"wide": True, "from_queue": kept_filter(request)} | context, status=status)


# A case that was opened from a queue is left for the next one of the same queue. Words that were searched for are not
# taken along.
KEPT = SAVED


def kept_filter(request: HttpRequest) -> str:
    """The filter of the queue from which the visitor came, as the end of an address."""
    kept = urlencode({name: request.GET[name][:60] for name in KEPT if request.GET.get(name)})
    return f"?{kept}" if kept else ""


def to_page(request: HttpRequest, page: str, **named: Any) -> HttpResponse:
    return redirect(reverse(f"decide:{page}", kwargs=named) + kept_filter(request))


def moved_on() -> str:
    return _("The case changed in the meantime. This is its status now.")
