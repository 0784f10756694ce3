"""Mandates: what an organisation lets agents do in its name and what they did; and an agent's own page of them."""

import datetime as dt
import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.mandates import MandateForm, done_for, mandate_view, offer, services_of_organisations
from rahdari.applicant.titles import service_title
from rahdari.apply import drafts, form_errors
from rahdari.people import mandates as people_mandates
from rahdari.people import queries
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.acting import Acting
from rahdari.people.models import Mandate, User
from rahdari.people.rules import Act

from . import shared


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mandates(request: HttpRequest, id: uuid.UUID) -> HttpResponse:
    """For owners: the mandates, a form to give one, and what was done by them."""
    organisation, now, actor = shared.organisation(request, id, Act.MEMBERS), timezone.now(), actor_of(person(request))
    here = redirect("portal:mandates", id=organisation.pk)
    if request.method == "POST" and "end" in request.POST:
        row = queries.mandates_of(organisation).filter(pk=_uuid(request.POST["end"])).first()
        if row is None:
            raise Http404
        people_mandates.end_mandate(mandate=row, actor=actor, now=now)
        return here
    form = MandateForm(
        request.POST if request.method == "POST" else None, giver=person(request), organisation=organisation
    )
    if request.method == "POST" and form.is_valid():
        offer(form, actor=actor, now=now)
        messages.success(request, _("The mandate is offered. It is valid once they accept it."))
        return here
    context = {
        "organisation": organisation,
        "mandates": [mandate_view(each, now) for each in queries.mandates_of(organisation)],
        "done": done_for(organisation),
        "form": form,
    }
    return render(request, "portal/applicant/mandates.html", context)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def mandates_held(request: HttpRequest) -> HttpResponse:
    """For an agent: what is offered, whom they act for, and the way to begin an application in a name."""
    user, now = person(request), timezone.now()
    offered, held = queries.mandates_offered_to(user, now), queries.mandates_in_force(user, Act.SEE)
    if request.method == "POST":
        act, key = request.POST.get("act"), _uuid(request.POST.get("mandate", ""))
        pool = offered if act == "accept" else held if act in {"give_up", "apply"} else offered
        row = pool.filter(pk=key).first()
        if row is None:
            raise Http404
        if act == "accept":
            people_mandates.accept_mandate(user=user, mandate=row, actor=actor_of(user), now=now)
        elif act in {"decline", "give_up"}:
            people_mandates.end_mandate(mandate=row, actor=actor_of(user), now=now)
        elif act == "apply":
            return _begin(request, user, row, request.POST.get("service", ""), now)
        return redirect("portal:mandates_held")
    may_apply = set(queries.mandates_in_force(user, Act.APPLY).values_list("pk", flat=True))
    services = [(key, service_title(key)) for key in services_of_organisations()]
    context = {
        "offered": [mandate_view(each, now) for each in offered],
        "held": [
            (mandate_view(each, now), [pair for pair in services if each.pk in may_apply and each.covers(pair[0])])
            for each in held
        ],
    }
    return render(request, "portal/applicant/mandates_held.html", context)


def _begin(request: HttpRequest, user: User, mandate: Mandate, service: str, now: dt.datetime) -> HttpResponse:
    """A draft in the organisation's name: it holds what is registered, whoever applies."""
    found = queries.mandate_for(user, mandate.organisation.holder_ref, Act.APPLY, service=service)
    if found is None or service not in services_of_organisations():
        raise Http404
    try:
        application = drafts.start_application(
            applicant=user,
            service=service,
            fixed_address="yes",
            mandate=found,
            actor=Acting(user, found).actor,
            now=now,
        )
    except drafts.TooManyDrafts as error:
        messages.error(request, form_errors.too_many_drafts(error.limit))
        return redirect("portal:home")
    return redirect("portal:tasks", reference=application.reference)
