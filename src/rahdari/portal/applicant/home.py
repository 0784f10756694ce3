"""A person's home: what waits for them first, then everything they applied for and hold."""

import datetime as dt
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari import optional
from rahdari.appeal import queries as appeals
from rahdari.applicant.overview import Overview, overviews
from rahdari.applicant.proofs import with_unproved
from rahdari.applicant.registration_status import standing_of
from rahdari.applicant.registrations import seen_by
from rahdari.applicant.representing import questions_to
from rahdari.applicant.stages import Stage, StageText, stage_text
from rahdari.applicant.titles import service_title
from rahdari.apply import access, summary
from rahdari.apply.models import Application
from rahdari.complaint import queries as complaints
from rahdari.db import together
from rahdari.incident import queries as incidents
from rahdari.incident import words as incident_words
from rahdari.people import holders
from rahdari.people import queries as people
from rahdari.people.access import person
from rahdari.people.rules import Act
from rahdari.register.models import Registration


@dataclass(frozen=True)
class ApplicationRow:
    application: Application
    stage: Stage
    text: StageText
    is_your_turn: bool
    service: str
    url: str


@dataclass(frozen=True)
class HeldRegistration:
    registration: Registration
    standing: str
    service: str
    holder: str


@login_required
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    user = person(request)
    if people.operator_of(user) is not None:
        return redirect("portal:operator")
    if people.is_officer(user):
        return redirect("decide:queue")
    for desk in optional.given(__package__, "desk_of"):
        if name := desk(user):
            return redirect(name)
    now = timezone.now()
    theirs, partly = access.applications_of(user)[:50], access.applications_to_prove(user)[:50]
    registered = seen_by(user)[:100]
    complained = complaints.to_answer_among(registered)
    taken_back = appeals.taken_back_among(registered)
    cut = incidents.open_among(registered)
    invitations, mandates = people.invitations_to(user, now), people.mandates_offered_to(user, now)
    in_force = people.mandates_in_force(user, Act.SEE)[:1]
    rooms: list[together.Part] = [each(user, now) for each in optional.given(__package__, "on_home")]
    of_rooms = [query for each in rooms for query in each.read]
    together.ask(theirs, partly, registered, complained, taken_back, cut, invitations, mandates, in_force, *of_rooms)
    sent = overviews((each for each in theirs if each.status != "draft"), now=now)
    seen = {each.application.pk: each for each in sent}
    rows = [_row(each, seen.get(each.pk)) for each in theirs]
    held = _held(registered, now)
    to_prove = with_unproved(partly)
    return render(
        request,
        "portal/applicant/home.html",
        {
            "minutes": summary.MINUTES_TO_APPLY,
            "waiting": [row for row in rows if row.is_your_turn],
            "others": [row for row in rows if not row.is_your_turn],
            "to_prove": to_prove,
            "complained": list(complained),
            "cut": [(number, reference, incident_words.state(state)) for number, reference, state in cut],
            "to_appeal": appeals.in_time(taken_back, now),
            "proofs_wanted": sum(left for _application, left in to_prove),
            "represent_asked": questions_to(user),
            "registrations": held,
            "provisional": [each for each in held if each.standing == "valid" and each.registration.is_provisional],
            "invitations": invitations,
            "mandates": mandates,
            "is_agent": bool(in_force),
            **{name: shown for each in rooms for name, shown in each.shown().items()},
        },
    )


@login_required
@never_cache
@require_safe
def registrations(request: HttpRequest) -> HttpResponse:
    held = _held(seen_by(person(request))[:100], timezone.now())
    return render(request, "portal/applicant/registrations.html", {"registrations": held})


def _held(found: QuerySet[Registration], now: dt.datetime) -> list[HeldRegistration]:
    names = holders.holder_names(each.holder for each in found)
    return [
        HeldRegistration(each, standing_of(each, now), service_title(each.category), names.get(each.holder, ""))
        for each in found
    ]


def _row(application: Application, seen: Overview | None) -> ApplicationRow:
    stage = seen.stage if seen else Stage.DRAFT
    name = {
        Stage.DRAFT: "portal:tasks",
        Stage.QUESTION: "portal:question",
        Stage.NOTICE: "portal:notice",
        Stage.REFUSED: "portal:refusal",
    }.get(stage, "portal:status")
    if seen is not None and seen.may_be_revoked:
        name = "portal:notice"
    return ApplicationRow(
        application=application,
        stage=stage,
        text=seen.text if seen else stage_text(stage),
        is_your_turn=seen.is_your_turn if seen else True,
        service=service_title(application.service),
        url=reverse(name, args=[application.reference]),
    )
