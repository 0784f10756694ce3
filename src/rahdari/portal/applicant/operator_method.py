"""Another way to prove an address: its operator is asked whether the address is the applicant's."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.applicant.operator_method import ask, operator_for, operator_method_of
from rahdari.apply import queries as applications
from rahdari.control import queries as proofs
from rahdari.people.rules import Act

from . import shared


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    """Asking, and how far it has come. A form in error is shown again with what was typed."""
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    row = next((each for each in applications.rows_of(application) if each.pk == endpoint), None)
    policy, now = applications.frozen_policy(application), timezone.now()
    if row is None or operator_for(application, row, policy) is None:
        raise Http404
    if proofs.proof_of(row.subject, row.network) is not None:
        return redirect("portal:prove", reference=reference, endpoint=endpoint)
    trouble = ""
    if request.method == "POST":
        typed = request.POST.get("subscriber", "")[:200]
        trouble = ask(application, row, policy, typed, actor=by.actor, now=now)
        if not trouble:
            return redirect(request.path)
    context = {
        "application": application,
        "endpoint": row,
        "addr": format_block(row.network),
        "method": operator_method_of(
            application, row, policy, now, trouble=trouble, typed=request.POST.get("subscriber", "")
        ),
    }
    return render(request, "portal/applicant/operator_method.html", context, status=422 if trouble else 200)
