"""Renewing a registration, or changing its addresses: the number stays, and nothing leaves the list meanwhile.

The page says what will be asked; its button begins an application in which all that is known is filled in.
"""

import datetime as dt

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.apply import actions as apply
from rahdari.apply import queries as applications
from rahdari.apply.models import Application
from rahdari.apply.rules import About
from rahdari.lease import queries as leases
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.rules import Act
from rahdari.register import queries as register
from rahdari.register.rules import Standing
from rahdari.verify import actions as verify
from rahdari.verify import queries as proofs

from .holding import own_registration


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
    found = own_registration(request, reference, act)
    now = timezone.now()
    if register.standing(found, now) is not Standing.VALID:
        return redirect("portal:registration", reference=found.reference)
    policy = applications.policy_in_force()
    opens_at = apply.renewal_opens_at(found, policy)
    under_way = applications.under_way_for(found, about)
    mine = under_way is not None and applications.may(person(request), act, application=under_way)
    if request.method == "POST":
        try:
            application = apply.apply_again(
                registration=found,
                applicant=person(request),
                about=about,
                actor=actor_of(person(request)),
                now=now,
                mandate=person(request).acting_under,
            )
        except apply.TooEarlyToRenew:
            return redirect(request.path)
        except apply.RegistrationOver:
            return redirect("portal:registration", reference=found.reference)
        except apply.ServiceNotOpen:
            messages.warning(
                request, _("This service is closed now, so nothing can be sent. Your registration stands.")
            )
            return redirect(request.path)
        if not applications.may(person(request), act, application=application):
            return redirect(request.path)
        return redirect("portal:application", reference=application.reference)
    context = {
        "registration": found,
        "renewal": about is About.RENEWAL,
        "opens_at": opens_at,
        "is_open": about is About.CHANGE or now >= opens_at,
        "in_grace": register.is_in_grace(found, now),
        "under_way": under_way if mine else None,
        "another": under_way is not None and not mine,
        "overlap_days": policy.change.overlap.days,
    }
    return render(request, "portal/applicant/again.html", context)


def take_known_proofs(application: Application, actor: str, now: dt.datetime) -> None:
    """What need not be proved again: of a change, addresses that were proved before and stay; of a connection whose
    address changes, that it is being reported. A renewal asks for the other proofs anew.
    """
    if application.registration_id is None:
        return
    endpoints = list(applications.endpoints_of(application))
    known = proofs.proofs_of([row.subject for row in endpoints])
    for row in endpoints:
        if not row.continues or (row.subject, str(row.network)) in known:
            continue
        if row.is_dynamic:
            host = leases.host_by_subject(row.continues)
            if host is not None and any(lease.until > now for lease in leases.leases_of(host)):
                verify.prove_by_report(subject=row.subject, block=row.network, source=None, now=now)
        elif application.about == About.CHANGE:
            before = proofs.proof_of(row.continues, row.network)
            if before is not None:
                verify.share_proof(proof=before, subject=row.subject, actor=actor, now=now)
