"""The pages of the addresses asked for: the list, add, change, remove."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.address import Block, directory, format_block, is_global, vpn
from rahdari.people.access import person
from rahdari.people.acting import Acting
from rahdari.people.rules import Act
from rahdari.policy import Policy
from rahdari.web import visitor

from . import access, address_form, drafts, form_errors, judging, pages, parts, queries, summary, unsaved_input
from .models import Application, Endpoint
from .rules import Which

A_PAGE = 50


@dataclass(frozen=True)
class Own:
    """The address the visitor comes from, and the network that it belongs to."""

    address: str
    operator: str


def own_address(request: HttpRequest) -> Own | None:
    """None when it is not a public one: then it says nothing about the VPN."""
    address = visitor.address(request)
    if not is_global(address, allowed=settings.ALLOWED_SPECIAL_RANGES):
        return None
    origin = directory.current().origin(address)
    return Own(str(address), origin.organisation if origin else "")


def _fee(application: Application, policy: Policy, endpoints: list[Endpoint]) -> list[str]:
    """What it costs with these addresses. Nothing is said where no fee is ever due."""
    service = queries.service_of(application, policy)
    if service.fee.rule == "free":
        return []
    due = queries.what_is_due(application, policy, endpoints)
    return form_errors.fee(due, service, get_language() or "en")


@pages.addresses_page
def addresses(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    policy = queries.policy_in_force()
    endpoints = queries.rows_of(application)
    if queries.lists_nothing(application, endpoints):
        return HttpResponseRedirect(reverse("apply:add_address", args=[application.reference]))
    found = queries.endpoint_troubles(application, policy, endpoints=endpoints)
    troubles = {row.pk: form_errors.trouble(trouble) for row, trouble in found}
    most = policy.limits.most_endpoints(queries.service_of(application, policy).holder)
    page = Paginator(endpoints, A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "apply/addresses.html",
        {
            "application": application,
            "rows": [
                {
                    "endpoint": row,
                    "number": page.start_index() + place,
                    "line": summary.line_of(row.parts, row.runs),
                    "trouble": troubles.get(row.pk),
                }
                for place, row in enumerate(page)
            ],
            "page": page,
            "wrong": len(troubles),
            "full": len(endpoints) >= most,
            "most": most,
            "fee": _fee(application, policy, endpoints),
            "many": judging.most_rows(application, policy) > 0,
            "files": queries.address_files_of(application),
            "tasks_url": pages.way_back(request, application),
            "next_url": pages.way_on(request, application),
        },
    )


@pages.addresses_page
def add(request: HttpRequest, application: Application, by: Acting) -> HttpResponse:
    initial: dict[str, Any] = {"block": request.GET.get("address", "")[:60], "id": uuid.uuid4()}
    initial["stays"] = "dynamic" if application.fixed_address == "no" else "static"
    first = request.method != "POST" and not queries.endpoints_of(application).exists()
    if first and application.fixed_address in {Which.LINE, Which.SERVER}:
        initial["which"] = application.fixed_address
        if application.fixed_address == Which.LINE and (own := own_address(request)) is not None:
            initial["block"] = initial["block"] or own.address
    return _ask(request, application, by, None, initial, first=first)


@pages.addresses_page
def change(request: HttpRequest, application: Application, by: Acting, id: uuid.UUID) -> HttpResponse:
    try:
        row = queries.endpoint_of(application=application, id=id)
        kind, protocol, port = vpn.asked_as(row.runs, row.parts)
        initial = {
            "block": row.address_text,
            "which": Which.LINE if row.runs == "any" else Which.SERVER,
            "kind": kind,
            "protocol": protocol,
            "port": port,
            "remote": row.remote,
            "label": row.label,
            "subscriber": row.subscriber,
            "stays": row.kind,
            "id": row.pk,
        }
        return _ask(request, application, by, row, initial)
    except queries.EndpointNotFound:
        return _gone(request, application, id)


@pages.addresses_page
def remove(request: HttpRequest, application: Application, by: Acting, id: uuid.UUID) -> HttpResponse:
    back = HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))
    if request.method != "POST":
        return back
    row = Endpoint.objects.filter(application=application, pk=id).first()
    if row is None:
        raise Http404
    parts.remove_endpoint(endpoint=row, actor=by.actor, now=pages.now())
    messages.success(
        request, _("Address %(address)s was removed.") % {"address": form_errors.isolated(row.address_text)}
    )
    return back


def _gone(request: HttpRequest, application: Application, id: uuid.UUID) -> HttpResponse:
    """Another window removed the address, or put another one in its place. What was typed here is not lost."""
    if not Endpoint.objects.filter(application=application, pk=id).exists():
        raise Http404
    if request.method != "POST":
        messages.warning(request, _("This address was removed or changed in another window."))
        return HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))
    policy = queries.policy_in_force()
    asks = queries.service_of(application, policy).asks_operator
    form = address_form.AddressForm(
        {**request.POST.dict(), "id": str(uuid.uuid4())}, limits=policy.limits, asks_subscriber=asks, asks_which=True
    )
    form.add_error(
        "block",
        _(
            "This address was removed or changed in another window. Check the list of your addresses first. If "
            "you save now, this one is added to it."
        ),
    )
    to_add = reverse("apply:add_address", args=[application.reference])
    first = not queries.endpoints_of(application).exists()
    return _page(request, application, form, row=None, first=first, action=to_add)


def _ask(
    request: HttpRequest,
    application: Application,
    by: Acting,
    row: Endpoint | None,
    initial: dict[str, Any],
    *,
    first: bool | None = None,
) -> HttpResponse:
    given = None
    policy = queries.policy_in_force()
    asks = queries.service_of(application, policy).asks_operator
    facts: dict[str, Any] = {"limits": policy.limits, "asks_subscriber": asks, "asks_which": True}
    if request.method == "POST":
        data = request.POST.copy()
        if taken := data.get("take"):
            data["block"] = taken
            if port := data.get("take_port"):
                data["port"] = port
        form = address_form.AddressForm(data, **facts)
        only_filled_in = bool(taken) and not data.get("kind") and data.get("which") != Which.LINE
        if only_filled_in:
            # A tap on "use this address" before the rest is filled in is no attempt to save.
            form = address_form.AddressForm(initial={**initial, **data.dict()}, **facts)
        elif form.is_valid() and _save(request, application, by, row, form):
            return _after(request, application)
    else:
        given = unsaved_input.take(request, now=pages.now())
        form = address_form.AddressForm(initial={**initial, **(given or {})}, **facts)
    if first is None or request.method == "POST":
        first = row is None and not queries.endpoints_of(application).exists()
    return _page(request, application, form, row=row, first=first, given_back=given is not None)


def _after(request: HttpRequest, application: Application) -> HttpResponse:
    """One address leads on; of several, and to whoever wants to add another, the list is shown."""
    if request.POST.get("act") == "another":
        return HttpResponseRedirect(reverse("apply:add_address", args=[application.reference]))
    may_go_on = access.may(person(request), Act.PAPERS, application=application)
    service = queries.service_of(application, queries.policy_in_force())
    if may_go_on and service.holder == "person":
        endpoints = queries.rows_of(application)
        if len(endpoints) == 1:
            return pages.to_next(request, application, endpoints)
    return HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))


def _page(
    request: HttpRequest,
    application: Application,
    form: address_form.AddressForm,
    *,
    row: Endpoint | None,
    first: bool,
    given_back: bool = False,
    action: str = "",
) -> HttpResponse:
    own = own_address(request)
    is_own = own is not None and str(form["block"].value()) == own.address
    if is_own:
        # Nothing is to be written.
        form["block"].help_text = ""
    return render(
        request,
        "apply/address.html",
        {
            "application": application,
            "form": form,
            "row": row,
            "known_which": known_which(form),
            "own": None if is_own else own,
            "is_own": is_own,
            "operator": own.operator if own is not None else "",
            "first": first,
            "many": first and judging.most_rows(application, queries.policy_in_force()) > 0,
            "given_back": given_back,
            "action": action,
            "back_url": (
                pages.way_back(request, application, to_nothing=True)
                if first
                else reverse("apply:addresses", args=[application.reference])
            ),
        },
    )


def known_which(form: address_form.AddressForm) -> Promise | str:
    """Which address it is, in words, where it was said before: the question is then folded under its answer."""
    if form.errors.get("which"):
        return ""
    label, _hint = summary.WHICH.get(str(form["which"].value()), ("", ""))
    return label


def _save(
    request: HttpRequest, application: Application, by: Acting, row: Endpoint | None, form: address_form.AddressForm
) -> bool:
    try:
        saved = address_form.keep(form, application=application, row=row, actor=by.actor, now=pages.now())
    except drafts.NotADraft:
        return True
    if saved is None:
        return False
    if saved.asn is None:
        messages.warning(request, _network_unknown(saved.network, is_line=saved.runs == "any"))
    if form.told_of_whole:
        messages.warning(request, form.told_of_whole)
    return True


def _network_unknown(block: Block, *, is_line: bool) -> str:
    if is_line:
        return _(
            "Address %(address)s was added. Its network is not on our list. Is your VPN on? Then this is the "
            "address of the VPN and not of your line: switch it off, and change the address. If the address "
            "is right, you can continue: an officer will look at it."
        ) % {"address": form_errors.isolated(format_block(block))}
    return _(
        "Address %(address)s was added. Its network is not on our list, which happens with addresses from "
        "abroad. You can continue: an officer will look at it."
    ) % {"address": form_errors.isolated(format_block(block))}
