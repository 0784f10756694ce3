"""The pages for whoever complains, with or without an account: the two forms, and the receipt by its link.

Invariant: the answer is the same whether there is a registration or not. What is found is looked for when the form is
taken in, and shown to nobody here.
"""

import ipaddress
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import policy
from rahdari.decide import case_clock
from rahdari.web import limits, visitor

from . import actions, queries, words
from .forms import CorrectionForm, MisuseForm
from .models import Complaint
from .rules import State

# Complaints an hour of one household, of all that are next to each other in the network, and to one email address.
OF_HOUSEHOLD, OF_NEIGHBOURHOOD, OF_ADDRESS, PER_SECONDS = 5, 50, 5, 3600


def _may_send(request: HttpRequest, email: str) -> bool:
    asked = [(visitor.household(request), OF_HOUSEHOLD), (visitor.neighbourhood(request), OF_NEIGHBOURHOOD)]
    if email:
        asked.append((email.casefold(), OF_ADDRESS))
    return all(limits.allow(f"complaint.send:{where}", rate=rate, per=PER_SECONDS) for where, rate in asked)


def _page(request: HttpRequest, form: Any, template: str) -> HttpResponse:
    """The form, or what comes of it. Whatever is wrong, nothing that was typed is lost."""
    status = 422 if form.is_bound else 200
    if form.is_bound and form.is_valid():
        if _may_send(request, form.cleaned_data["email"]):
            sent = actions.send(**form.facts, language=(get_language() or "en")[:2], now=timezone.now())
            return redirect("complaint:receipt", reference=sent.reference, token=queries.token_of(sent))
        form.add_error(None, _("Too many complaints came from here. Nothing is lost: send this one again in an hour."))
        status = 429
    now, in_force = timezone.now(), case_clock.policy_in_force()
    context = {
        "form": form,
        "due_at": policy.add(start=now, allowance=in_force.clocks[actions.DECIDED], calendar=case_clock.calendar()),
        "answer_within": in_force.clocks[actions.ANSWERED],
        "mail": settings.CONTACT_EMAIL,
    }
    return render(request, template, context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def misuse(request: HttpRequest) -> HttpResponse:
    form = MisuseForm(request.POST if request.method == "POST" else None)
    return _page(request, form, "complaint/misuse.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def correction(request: HttpRequest) -> HttpResponse:
    """The address is proved by the request itself, as by the link of a proof: whoever sends the form is at it."""
    address = visitor.address(request)
    here = None if address == visitor.NOWHERE else str(ipaddress.ip_network(address))
    asked = policy.asked_by(case_clock.policy_in_force())
    form = CorrectionForm(
        request.POST if request.method == "POST" else None,
        here=here,
        shown=str(address),
        with_companies="company_number" in asked,
    )
    return _page(request, form, "complaint/correction.html")


def _found(reference: str, token: str, purpose: str) -> Complaint:
    try:
        return queries.complaint_for_sender(reference=reference, token=token, purpose=purpose)
    except queries.ComplaintNotFound:
        raise Http404 from None


@never_cache
@require_safe
def receipt(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """What its sender follows it by."""
    return _shown(request, _found(reference, token, queries.LINK))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """What the letter leads to: the button confirms the email address. Opening it changes nothing."""
    complaint = _found(reference, token, queries.CONFIRMS)
    if request.method == "POST":
        complaint = actions.confirm(complaint=complaint, now=timezone.now())
    if complaint.state != State.UNCONFIRMED:
        return redirect("complaint:receipt", reference=reference, token=queries.token_of(complaint))
    return _shown(request, complaint, may_confirm=True)


def _shown(request: HttpRequest, complaint: Complaint, *, may_confirm: bool = False) -> HttpResponse:
    response = render(request, "complaint/receipt.html", _facts(complaint) | {"may_confirm": may_confirm})
    # The address of this page is the secret: it goes to no other site and into no search.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _facts(complaint: Complaint) -> dict[str, Any]:
    """Nothing of what was found, of what the holder said, or of when it was decided."""
    remedy = case_clock.policy_in_force().remedies.get("ombudsman")
    return {
        "complaint": complaint,
        "kind": words.kind(complaint.kind),
        "about": words.about(complaint.about),
        "unconfirmed": complaint.state == State.UNCONFIRMED,
        "until": complaint.sent_at + queries.CONFIRM_WITHIN,
        "late": complaint.told_at is None and complaint.due_at is not None and timezone.now() > complaint.due_at,
        "remedy": remedy.text.in_language(get_language()) if remedy is not None else "",
    }
