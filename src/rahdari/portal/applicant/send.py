"""Check the answers, declare, and send. Sending twice sends once."""

import datetime as dt
from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant import sending
from rahdari.applicant.lines import is_ready, line_for, operator_name
from rahdari.applicant.proofs import proofs_of
from rahdari.apply import drafts, form_errors, queries
from rahdari.apply import sending as apply_sending
from rahdari.apply.models import Application, Endpoint
from rahdari.control import rules
from rahdari.decide import case_clock
from rahdari.people.acting import Acting
from rahdari.policy import Policy, Service
from rahdari.web import visitor
from rahdari.web.allowances import in_words

from ..public import invited
from . import shared
from .prove import proved_by_sending


class Declaration(forms.Form):
    """One box to tick, and which state of the answers was on the page."""

    declare = forms.BooleanField(
        error_messages={
            "required": gettext_lazy("Tick the box if this is true. Without it you cannot send the application.")
        }
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: object, words: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["declare"].label = words


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_and_send(request: HttpRequest, reference: str) -> HttpResponse:
    application, by = shared.application(request, reference)
    if application.status != "draft":
        return redirect("portal:application", reference=reference)
    policy = queries.policy_in_force()
    service = policy.services.get(application.service)
    if service is None or not service.open:
        return redirect("portal:tasks", reference=reference)
    endpoints, documents = queries.rows_of(application), queries.papers_asked(application, service)
    if queries.missing_steps(application, policy, endpoints=endpoints, documents=documents):
        return redirect("portal:tasks", reference=reference)
    if application.is_mobile and not is_ready(application):
        return redirect("portal:tasks", reference=reference)
    words = sending.declared_for(application, service)
    form = Declaration(request.POST or None, initial={"version": application.version}, words=words)
    if request.method == "POST" and form.is_valid():
        sent = _send(request, application, by, policy, endpoints, form.cleaned_data["version"])
        if sent is not None:
            return sent
        application.refresh_from_db()
        endpoints, documents = queries.rows_of(application), queries.papers_asked(application, service)
        form = Declaration(initial={"version": application.version}, words=words)
    proofs = proofs_of(application, endpoints)
    summary = queries.summary_of(application, policy, endpoints=endpoints, documents=documents)
    by_endpoint = {each.endpoint.pk: each for each in proofs}
    rows = [
        (group, [(row, by_endpoint.get(row.endpoint.pk) if row.endpoint else None) for row in group.rows])
        for group in summary
    ]
    line = line_for(application) if application.is_mobile else None
    unproved = [each.endpoint for each in proofs if not each.is_proved]
    here = proved_by_sending(request, application, unproved)
    context = {
        "application": application,
        "line": line,
        "line_operator": operator_name(line.operator) if line is not None else "",
        "form": form,
        "rows": rows,
        "proved_by_sending": here,
        "proved_later": [each for each in unproved if each not in here],
        "fee": form_errors.fee(queries.what_is_due(application, policy, endpoints), service, get_language() or "en"),
        "decided_in": in_words(policy.clocks[service.clock]),
        "months": service.validity_months,
        "provisional_until": _provisional_until(application, service, policy),
        "is_organisation": service.holder == "organisation",
        "asks_name": service.asks_name,
        "a_false_statement_counts": any("statement_and_proof" in each.evidence for each in policy.reasons.values()),
        "troubles": queries.endpoint_troubles(application, policy, endpoints=endpoints),
        "terms_changed": queries.terms_changed(application, policy),
    }
    return render(request, "portal/applicant/check.html", context)


def _provisional_until(application: Application, service: Service, policy: Policy) -> dt.datetime | None:
    """Until when it stands provisionally if it is granted now, since something is still to come after all checks
    passed. None if nothing is.
    """
    kind = service.evidence_kind(application.evidence_kind)
    weak = kind is not None and kind.weight == "provisional"
    if not weak and not queries.documents_to_follow(application, policy):
        return None
    return case_clock.provisional_until(application, timezone.now())


def _send(
    request: HttpRequest,
    application: Application,
    by: Acting,
    policy: Policy,
    endpoints: Sequence[Endpoint],
    version: int | None,
) -> HttpResponse | None:
    """Send it; None when the page has to be shown again with what has changed since."""
    now = timezone.now()
    try:
        sending.send(
            application,
            policy,
            actor=by.actor,
            now=now,
            seen_version=version,
            seen_from=rules.plain_address(visitor.address(request)),
            endpoints=endpoints,
            besides=lambda: invited.count(request, now),
        )
    except apply_sending.TermsChanged as changed:
        messages.info(
            request, _("The rules have changed since you began. Your answers are kept. See what is new below.")
        )
        return redirect("portal:tasks", reference=application.reference) if changed.steps else None
    except drafts.ChangedMeanwhile:
        messages.info(request, _("Your answers were changed on another page meanwhile. Check them again, then send."))
        return None
    except apply_sending.EndpointsInTrouble:
        messages.warning(request, _("One of the addresses cannot be registered as it is. See below."))
        return None
    except (apply_sending.StepsMissing, drafts.ServiceNotOpen):
        return redirect("portal:tasks", reference=application.reference)
    except drafts.NotADraft:
        return redirect("portal:application", reference=application.reference)
    return invited.forget(redirect("portal:status", reference=application.reference))
