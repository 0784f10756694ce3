"""What a holder does with a registration: something else that runs at an address of it, and its end.

Both are only the holder's own: the person's, or of an organisation those whose role allows it. For everybody else, also
for members who may read the registration, these pages are not there.
"""

import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import Endpoint, format_block, vpn
from rahdari.applicant import registrations
from rahdari.applicant.refusals import why
from rahdari.applicant.registration_status import PAUSED, may_change, standing_of
from rahdari.apply import subjects
from rahdari.apply.address_form import RunsForm
from rahdari.people.access import person_required
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.register import changes, queries
from rahdari.register.models import Entry, Registration
from rahdari.web import errors, limits

from .shared import own_registration


def no_longer_valid(request: HttpRequest, found: Registration) -> HttpResponse:
    """Its page says how it stands now."""
    if request.method == "POST":
        messages.info(request, why(changes.NotValid))
    return redirect("portal:registration", reference=found.reference)


def _is_shared(request: HttpRequest, found: Registration) -> HttpResponse:
    """What runs at an address that others have too is changed by adding the other port, and leaving this one."""
    messages.info(request, why(changes.SharedWithOthers))
    return redirect("portal:registration", reference=found.reference)


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_entry(request: HttpRequest, reference: str, entry: uuid.UUID) -> HttpResponse:
    """Something else runs at the same address. Its control is proved, so nothing is checked anew."""
    found, by = own_registration(request, reference, Act.ADDRESSES)
    if not may_change(found, timezone.now()):
        return no_longer_valid(request, found)
    row = queries.active_entry_of(found, entry)
    if row is None:
        raise Http404
    if queries.is_shared_now(row):
        return _is_shared(request, found)
    now_there = Endpoint(row.block, queries.parts_at(row))
    # The register knows protocols and ports; what the holder runs there stands in the application.
    named = subjects.endpoints_by_subjects([row.subject]).get(row.subject)
    is_named = named is not None and named.parts == now_there.parts
    runs = named.runs if named is not None and is_named else vpn.service_with(now_there.parts)
    kind, protocol, port = vpn.asked_as(runs, now_there.parts)
    given = request.POST if request.method == "POST" else None
    is_paused = standing_of(found, timezone.now()) == PAUSED
    form = RunsForm(given, initial={"kind": kind, "protocol": protocol, "port": port})
    if request.method == "POST" and form.is_valid():
        asked = Endpoint(row.block, form.cleaned_data["parts"])
        if asked == now_there:
            messages.info(request, _("Nothing was different, so nothing was changed."))
            return redirect("portal:registration", reference=found.reference)
        allowance = limits.take(
            f"portal.change_entry:{found.pk}", rate=registrations.CHANGES, per=registrations.PER_SECONDS
        )
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        try:
            if _amended(by, form, row, asked):
                if is_paused:
                    messages.success(request, _("Changed. Operators get the change when the registration continues."))
                else:
                    messages.success(request, _("Changed. Operators get it within seconds."))
                if form.told_of_whole:
                    messages.warning(request, form.told_of_whole)
                return redirect("portal:registration", reference=found.reference)
        except changes.NotValid:
            return no_longer_valid(request, found)
        except changes.SharedWithOthers:
            return _is_shared(request, found)
    context = {"registration": found, "form": form, "address": format_block(row.block), "is_paused": is_paused}
    return render(request, "portal/applicant/change_entry.html", context)


def _amended(by: Acting, form: RunsForm, row: Entry, asked: Endpoint) -> bool:
    """Whether it was changed. If something else of the holder's is in the way, the form says what. Raises NotValid."""
    in_the_way = registrations.amend(row, asked, actor=by.actor, now=timezone.now())
    if in_the_way is None:
        return True
    at = "port" if form.data.get("port") else "kind"
    form.add_error(at, registrations.registered_already(in_the_way))
    return False
