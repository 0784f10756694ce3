"""What a holder does with a registration: something else that runs at an address of it, and its end.

Both are only the holder's own: the person's, or of an organisation those whose role allows it. For everybody else, also
for members who may read the registration, these pages are not there.
"""

import datetime as dt
import uuid

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import Endpoint, format_block, vpn
from rahdari.applicant.registration_status import PAUSED, may_change, standing_of
from rahdari.apply import form_errors
from rahdari.apply import queries as applications
from rahdari.apply.address_form import RunsForm
from rahdari.people.access import person, person_required
from rahdari.people.acting import Acting, Reached
from rahdari.people.rules import Act
from rahdari.register import actions, queries
from rahdari.register.models import Entry, Registration
from rahdari.web import errors, limits

from . import shared
from .registration import registration_for

# Every change is an edition for every operator.
CHANGES, PER_SECONDS = 20, 3600


def own_registration(request: HttpRequest, reference: str, act: Act = Act.APPLY) -> Reached[Registration]:
    """The registration, if the visitor may do this with it, and as whom; the page "not found" for any other."""
    found = registration_for(request, reference)
    by = shared.acting_for(person(request), found, act)
    if by is None:
        raise Http404
    return Reached(found, by)


def no_longer_valid(request: HttpRequest, found: Registration) -> HttpResponse:
    """Its page says how it stands now."""
    if request.method == "POST":
        messages.info(request, _("This registration is not valid now. Nothing was changed."))
    return redirect("portal:registration", reference=found.reference)


def _is_shared(request: HttpRequest, found: Registration) -> HttpResponse:
    """What runs at an address that others have too is changed by adding the other port, and leaving this one."""
    messages.info(request, _("This address is shared. Add the other protocol or port, and remove this one."))
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
    named = applications.endpoints_by_subjects([row.subject]).get(row.subject)
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
        allowance = limits.take(f"portal.change_entry:{found.pk}", rate=CHANGES, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        try:
            if _amended(by, form, row, asked):
                if is_paused:
                    messages.success(request, _("Changed. Operators get the change when the registration continues."))
                else:
                    messages.success(request, _("Changed. Operators get it within seconds."))
                return redirect("portal:registration", reference=found.reference)
        except actions.NotValid:
            return no_longer_valid(request, found)
        except actions.SharedWithOthers:
            return _is_shared(request, found)
    context = {"registration": found, "form": form, "address": format_block(row.block), "is_paused": is_paused}
    return render(request, "portal/applicant/change_entry.html", context)


def _amended(by: Acting, form: RunsForm, row: Entry, asked: Endpoint) -> bool:
    """Whether it was changed. If something else of the holder's is in the way, the form says what. Raises NotValid."""
    in_the_way = amend(row, asked, actor=by.actor, now=timezone.now())
    if in_the_way is None:
        return True
    at = "port" if form.data.get("port") else "kind"
    form.add_error(at, registered_already(in_the_way))
    return False


def amend(row: Entry, asked: Endpoint, *, actor: str, now: dt.datetime) -> Endpoint | None:
    """Something else runs at an address. Returns what else of the holder's is in the way. Raises NotValid."""
    others = queries.overlapping_active(block=row.block).filter(holder=row.holder).exclude(pk=row.pk)
    found = (_endpoint(other) for other in others.exclude(part_of=row.pk))
    in_the_way: Endpoint | None = next((other for other in found if other.overlaps(asked)), None)
    if in_the_way is not None:
        return in_the_way
    try:
        actions.amend_entry(entry=row, block=row.block, parts=asked.parts, asn=row.asn, actor=actor, now=now)
    except actions.BlockAlreadyEntered as error:
        return _endpoint(error.entry) if error.entry is not None else asked
    return None


def registered_already(endpoint: Endpoint) -> str:
    words = _("You have registered this already: %(endpoint)s. Choose another protocol or port.")
    return words % {"endpoint": form_errors.isolated(form_errors.endpoint(endpoint))}


def _endpoint(row: Entry) -> Endpoint:
    return Endpoint(row.block, (row.part,))
