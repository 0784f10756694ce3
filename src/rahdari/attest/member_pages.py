"""The pages of the person who was attested: who said what of them, and how to dispute it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from rahdari import policy as policies
from rahdari.calendar import queries as calendars
from rahdari.people.access import person

from . import desk, disputing, queries, words
from .forms import DisputeForm


@login_required
@never_cache
@require_safe
def mine(request: HttpRequest) -> HttpResponse:
    user, attesting, today = person(request), queries.attesting(), queries.day_of(timezone.now())
    rows = [
        (desk.row(each, attesting, today), words.association(each.association, attesting))
        for each in queries.theirs(user)[:50]
    ]
    return render(request, "attest/mine.html", {"rows": rows})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def theirs(request: HttpRequest, number: str) -> HttpResponse:
    """One attestation, as its member sees it, and what became of a dispute."""
    user, now = person(request), timezone.now()
    try:
        found = queries.attestation_for_member(user=user, number=number)
    except queries.NotFound:
        raise Http404 from None
    policy = queries.in_force()
    attesting = policy.attesting
    matter = queries.matters_of(user, found).first()
    form = DisputeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and attesting is not None and form.is_valid():
        subject, holder = queries.counted_for(user, found)
        try:
            disputing.dispute(
                attestation=found,
                subject=subject,
                holder=holder,
                person=f"person:{user.pk}",
                objection=form.cleaned_data["objection"],
                reply_due_at=policies.add(start=now, allowance=attesting.dispute_within, calendar=calendars.in_force()),
                now=now,
            )
        except disputing.NothingToDispute:
            messages.error(request, _("You have disputed this already. The answer comes here."))
        else:
            messages.success(request, _("The association is asked for its answer. Then an officer decides."))
        return redirect("attest:theirs", number=found.number)
    context = {
        "row": desk.row(found, attesting, queries.day_of(now)),
        "association": words.association(found.association, attesting),
        "method": words.method(found.method, attesting),
        "known_by": words.identifier(found.identifier_kind),
        "weights": words.weights(found) if found.revoked_at is None else [],
        "revocation": words.revocation(found.revocation, attesting) if found.revoked_at else "",
        "matter": matter,
        "reply": words.reply(matter) if matter else "",
        "outcome": words.outcome(matter) if matter else "",
        "awaits_association": matter is not None and matter.awaits_association(now),
        "can_dispute": queries.may_dispute(matter),
        "until": queries.object_until(found) if matter is None or matter.objected_at is None else None,
        "form": form,
    }
    return render(request, "attest/theirs.html", context, status=422 if form.is_bound else 200)
