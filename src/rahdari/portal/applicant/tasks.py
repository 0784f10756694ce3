"""The task list of a draft: what apply asks for, the proofs of the addresses, and the way to send it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.apply import queries as apply
from rahdari.people.access import actor_of, person

from . import shared
from .lines import is_ready, line_for
from .prove import share_proofs, where_to_prove


@login_required
@never_cache
@require_safe
def tasks(request: HttpRequest, reference: str) -> HttpResponse:
    application = shared.application(request, reference)
    if application.status != "draft":
        return redirect("portal:status", reference=reference)
    policy = apply.policy_in_force()
    service = policy.services.get(application.service)
    if service is None:
        kept_until = apply.kept_until(application, policy)
        return render(
            request,
            "portal/applicant/service_closed.html",
            {"application": application, "kept_until": kept_until},
        )
    endpoints = list(apply.endpoints_of(application))
    groups = apply.step_list(application, policy, endpoints=endpoints)
    proofs = share_proofs(application, actor_of(person(request)), endpoints)
    proved = sum(each.is_proved for each in proofs)
    steps = [step for group in groups for step in group.steps]
    ready = is_ready(application) if application.is_mobile else bool(proofs and proved == len(proofs))
    complete = all(step.state == "done" for step in steps) and (ready or not application.is_mobile)
    done = sum(step.state == "done" for step in steps) + ready
    return render(
        request,
        "portal/applicant/tasks.html",
        {
            "application": application,
            "service": shared.service_title(application.service, policy),
            "groups": groups,
            "proofs": proofs,
            "proved": proved,
            "proof_url": where_to_prove(application, proofs) if proofs else "",
            "line": line_for(application) if application.is_mobile else None,
            "ready": ready,
            "complete": complete,
            "done": done,
            "total": len(steps) + 2,
            "kept_until": apply.kept_until(application, policy),
            "closed": not service.open,
            "terms_changed": apply.terms_changed(application, policy),
        },
    )
