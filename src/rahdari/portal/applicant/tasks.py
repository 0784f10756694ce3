"""The task list of a draft: what apply asks for, the proofs of the addresses, and the way to send it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from rahdari.applicant.lines import is_ready, line_for
from rahdari.applicant.proofs import proofs_of
from rahdari.applicant.titles import service_title
from rahdari.apply import queries as apply
from rahdari.apply.rules import About
from rahdari.decide import remedies

from . import shared
from .prove import next_page


@login_required
@never_cache
@require_safe
def tasks(request: HttpRequest, reference: str) -> HttpResponse:
    application = shared.application(request, reference).row
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
    endpoints = apply.rows_of(application)
    groups = apply.step_list(application, policy, endpoints=endpoints)
    proofs = proofs_of(application, endpoints)
    proved = sum(each.is_proved for each in proofs)
    # What nobody has to give is none of the tasks that are counted.
    steps = [step for group in groups for step in group.steps if step.state != "optional"]
    ready = is_ready(application) if application.is_mobile else bool(proofs and proved == len(proofs))
    complete = all(step.state == "done" for step in steps) and (ready or not application.is_mobile)
    done = sum(step.state == "done" for step in steps) + ready
    return render(
        request,
        "portal/applicant/tasks.html",
        {
            "application": application,
            "service": service_title(application.service, policy),
            "groups": groups,
            "proofs": proofs,
            "proved": proved,
            "proof_url": reverse("portal:prove_first", args=[reference]),
            "line": line_for(application) if application.is_mobile else None,
            "ready": ready,
            "complete": complete,
            "done": done,
            "total": len(steps) + 2,
            "kept_until": apply.kept_until(application, policy),
            "closed": not service.open,
            "refused": remedies.refused_before(application) if application.about == About.NEW else None,
            "terms_changed": apply.terms_changed(application, policy),
        },
    )


@login_required
@never_cache
@require_safe
def next_task(request: HttpRequest, reference: str) -> HttpResponse:
    """On to what is still to do, in the order of the list; then to check and send."""
    return redirect(next_page(request, shared.application(request, reference).row))
