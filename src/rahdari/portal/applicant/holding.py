"""What a holder does with a registration: another protocol or port for an address of it, and its end.

Both are only the holder's own: the person's, or of an organisation those whose role allows it. For everybody else, also
for members who may read the registration, these pages are not there.
"""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import Endpoint, EndpointError, EndpointFault, Protocol, format_block, parse_port, plain_text
from rahdari.apply import queries as apply
from rahdari.apply.rules import PRESETS, way_of
from rahdari.page import errors, limits
from rahdari.people.access import actor_of, person, person_required
from rahdari.people.rules import Act
from rahdari.register import actions, queries
from rahdari.register.models import Entry, Registration
from rahdari.register.rules import Standing

from ..standing import AT_REQUEST
from . import shared
from .registration import registration_for

# Every change is an edition for every operator.
CHANGES, PER_SECONDS = 20, 3600


class WayForm(forms.Form):
    """What runs at an address: a preset or another protocol, and a port if it is not the usual one."""

    use_required_attribute = False
    kind = forms.ChoiceField(
        label=gettext_lazy("What runs there"),
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose what runs there"),
            "invalid_choice": gettext_lazy("Choose what runs there"),
        },
    )
    protocol = forms.ChoiceField(
        label=gettext_lazy("Protocol"),
        help_text=gettext_lazy("Only if you chose another protocol."),
        choices=[("", "–"), ("udp", "UDP"), ("tcp", "TCP"), ("esp", "ESP"), ("gre", "GRE")],
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose the protocol")},
    )
    port = forms.CharField(
        label=gettext_lazy("Port"),
        help_text=gettext_lazy("Only if it is not the usual one."),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind: Any = self.fields["kind"]
        kind.choices = [(key, label) for key, (label, _hint) in apply.ways().items()]
        kind.hints = {key: hint for key, (_label, hint) in apply.ways().items()}
        kind.or_before = ("any",)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        kind = data.get("kind")
        if kind is None:
            return data
        protocol, port = PRESETS.get(kind, (data.get("protocol", ""), None))
        if not protocol:
            if "protocol" not in self.errors:
                self.add_error("protocol", _("Choose the protocol"))
            return data
        if given := plain_text(data.get("port", "")):
            try:
                port = parse_port(given)
                if not Protocol(protocol).has_ports:
                    self.add_error("port", _("This goes without a port. Leave the port empty."))
            except EndpointError as error:
                self.add_error("port", _port_words(error))
        data["protocol"], data["port"] = protocol, port
        return data


def _port_words(error: EndpointError) -> str:
    if error.reason is EndpointFault.PORT_OUT_OF_RANGE:
        return _("A port is a number from 1 to 65535.")
    return _("Write the port as one number, for example %(port)s") % {"port": 1194}


def own_registration(request: HttpRequest, reference: str, act: Act = Act.APPLY) -> Registration:
    """The registration, if the visitor may do this with it; the page "not found" for any other."""
    found = registration_for(request, reference)
    if not shared.may_act_for(person(request), found, act):
        raise Http404
    return found


def _no_longer_valid(request: HttpRequest, found: Registration) -> HttpResponse:
    """Its page says how it stands now."""
    if request.method == "POST":
        messages.info(request, _("This registration is no longer valid. Nothing was changed."))
    return redirect("portal:registration", reference=found.reference)


def _is_shared(request: HttpRequest, found: Registration) -> HttpResponse:
    """What runs at an address that others have too is changed by adding the other port, and leaving this one."""
    messages.info(request, _("This address is shared. Add the other protocol or port, and remove this one."))
    return redirect("portal:registration", reference=found.reference)


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_entry(request: HttpRequest, reference: str, entry: uuid.UUID) -> HttpResponse:
    """Another protocol or port for the same address. Its control is proved, so nothing is checked anew."""
    found = own_registration(request, reference, Act.ADDRESSES)
    if queries.standing(found, timezone.now()) is not Standing.VALID:
        return _no_longer_valid(request, found)
    row = queries.active_entry_of(found, entry)
    if row is None:
        raise Http404
    if queries.is_shared_now(row):
        return _is_shared(request, found)
    kind, protocol, port = way_of(row.protocol, row.port)
    given = request.POST if request.method == "POST" else None
    form = WayForm(given, initial={"kind": kind, "protocol": protocol, "port": port})
    if request.method == "POST" and form.is_valid():
        asked = Endpoint(row.block, Protocol(form.cleaned_data["protocol"]), form.cleaned_data["port"])
        if asked == _endpoint(row):
            messages.info(request, _("Nothing was different, so nothing was changed."))
            return redirect("portal:registration", reference=found.reference)
        allowance = limits.take(f"portal.change_entry:{found.pk}", rate=CHANGES, per=PER_SECONDS)
        if not allowance.allowed:
            return errors.too_many(request, wait=allowance.wait)
        try:
            if _amended(request, form, row, asked):
                messages.success(request, _("Changed. Operators get it within seconds."))
                return redirect("portal:registration", reference=found.reference)
        except actions.NotValid:
            return _no_longer_valid(request, found)
        except actions.SharedWithOthers:
            return _is_shared(request, found)
    context = {"registration": found, "form": form, "address": format_block(row.block)}
    return render(request, "portal/applicant/change_entry.html", context)


def _amended(request: HttpRequest, form: WayForm, row: Entry, asked: Endpoint) -> bool:
    """Whether it was changed. If something else of the holder's is in the way, the form says what. Raises NotValid."""
    in_the_way = amend(row, asked, actor=actor_of(person(request)), now=timezone.now())
    if in_the_way is None:
        return True
    at = "port" if form.cleaned_data["port"] and form.data.get("port") else "kind"
    form.add_error(at, registered_already(in_the_way))
    return False


def amend(row: Entry, asked: Endpoint, *, actor: str, now: dt.datetime) -> Endpoint | None:
    """Another protocol or port for an address. Returns what else of the holder's is in the way. Raises NotValid."""
    others = queries.overlapping_active(block=row.block).filter(holder=row.holder).exclude(pk=row.pk)
    in_the_way: Entry | None = next((other for other in others if _endpoint(other).overlaps(asked)), None)
    if in_the_way is not None:
        return _endpoint(in_the_way)
    try:
        actions.amend_entry(
            entry=row,
            block=row.block,
            protocol=asked.protocol,
            port=asked.port,
            asn=row.asn,
            actor=actor,
            now=now,
        )
    except actions.BlockAlreadyEntered as error:
        return _endpoint(error.entry) if error.entry is not None else asked
    return None


def registered_already(endpoint: Endpoint) -> str:
    words = _("You have registered this already: %(endpoint)s. Choose another protocol or port.")
    return words % {"endpoint": _plain(endpoint)}


def _endpoint(row: Entry) -> Endpoint:
    return Endpoint(row.block, Protocol(row.protocol), row.port)


def _plain(endpoint: Endpoint) -> str:
    """`203.0.113.24 UDP 51820`, for a sentence in plain text: it stays left to right in any."""
    name = "" if endpoint.protocol is Protocol.ANY else endpoint.protocol.upper()
    parts = [format_block(endpoint.block), name, str(endpoint.port or "")]
    return f"\u2066{' '.join(part for part in parts if part)}\u2069"


@person_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def end_registration(request: HttpRequest, reference: str) -> HttpResponse:
    """Say what follows, ask once, then strike it out at the holder's request. Doing it twice changes nothing."""
    found = own_registration(request, reference)
    now = timezone.now()
    if queries.standing(found, now) is Standing.VALID:
        if request.method != "POST":
            return render(request, "portal/applicant/end_registration.html", {"registration": found})
        try:
            actions.strike_out(registration=found, code=AT_REQUEST, actor=actor_of(person(request)), now=now)
        except actions.NotValid:
            return _no_longer_valid(request, found)
    return redirect("portal:registration", reference=found.reference)
