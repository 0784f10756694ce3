"""Renewing a registration, or changing its addresses: the number stays, and nothing leaves the list meanwhile.

The page says what will be asked; its button begins an application in which all that is known is filled in. When nothing
has changed, another button sends it at once (`renewing`).
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.applicant.registration_status import PAUSED, awaits_evidence, may_change, may_renew, standing_of
from rahdari.apply import access, drafts
from rahdari.apply import queries as applications
from rahdari.apply import renewal as apply_renewal
from rahdari.apply.rules import About
from rahdari.people.access import person, person_required
from rahdari.people.rules import Act
from rahdari.register import queries as register

from . import renewing
from .shared import own_registration


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest, reference: str) -> HttpResponse:
    return _again(request, reference, About.RENEWAL)


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_addresses(request: HttpRequest, reference: str) -> HttpResponse:
    return _again(request, reference, About.CHANGE)


def _again(request: HttpRequest, reference: str, about: About) -> HttpResponse:
    act = Act.ADDRESSES if about is About.CHANGE else Act.APPLY
    found, by = own_registration(request, reference, act)
    now = timezone.now()
    may = may_renew(found, now) if about is About.RENEWAL else may_change(found, now)
    if not may:
        return redirect("portal:registration", reference=found.reference)
    awaits = awaits_evidence(found, now)
    policy = applications.policy_in_force()
    opens_at = apply_renewal.renewal_opens_at(found, policy)
    under_way = applications.under_way_for(found, about)
    mine = under_way is not None and access.may(person(request), act, application=under_way)
    if request.method == "POST":
        try:
            application = apply_renewal.apply_again(
                registration=found,
                applicant=person(request),
                about=about,
                actor=by.actor,
                now=now,
                mandate=by.mandate,
            )
        except apply_renewal.TooEarlyToRenew:
            return redirect(request.path)
        except apply_renewal.RegistrationOver:
            return redirect("portal:registration", reference=found.reference)
        except drafts.ServiceNotOpen:
            messages.warning(
                request,
                _("This service is closed at the moment, so nothing can be sent. Your registration is still valid."),
            )
            return redirect(request.path)
        if not access.may(person(request), act, application=application):
            return redirect(request.path)
        as_it_is = about is About.RENEWAL and not awaits and request.POST.get("act") == "as_it_is"
        if as_it_is and under_way is None and not renewing.send_as_it_is(request, application, policy, by):
            messages.info(request, renewing.not_sent())
            return redirect("portal:tasks", reference=application.reference)
        return redirect("portal:application", reference=application.reference)
    is_open = about is About.CHANGE or now >= opens_at
    context = {
        "as_it_is": (
            renewing.as_it_is(request, found, policy, now)
            if is_open and about is About.RENEWAL and under_way is None and not awaits
            else None
        ),
        "registration": found,
        "renewal": about is About.RENEWAL,
        "opens_at": opens_at,
        "is_open": is_open,
        "is_paused": standing_of(found, now) == PAUSED,
        "awaits_evidence": awaits,
        "in_grace": register.is_in_grace(found, now),
        "under_way": under_way if mine else None,
        "another": under_way is not None and not mine,
        "overlap_days": policy.change.overlap.days,
    }
    return render(request, "portal/applicant/again.html", context)
