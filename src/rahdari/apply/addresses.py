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
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rahdari.address import Block, directory, format_block, is_global, vpn
from rahdari.page import visitor
from rahdari.policy import Policy

from . import actions, address_form, judging, kept, pages, queries, rules, telling, wording
from .models import Application, Endpoint

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
    return wording.fee(due, service, get_language() or "en")


@pages.addresses_page
def addresses(request: HttpRequest, application: Application) -> HttpResponse:
    policy = queries.policy_in_force()
    endpoints = list(queries.endpoints_of(application))
    found = queries.endpoint_troubles(application, policy, endpoints=endpoints)
    troubles = {row.pk: wording.trouble(trouble) for row, trouble in found}
    most = policy.limits.most_endpoints(queries.service_of(application, policy).holder)
    page = Paginator(endpoints, A_PAGE).get_page(request.GET.get("page"))
    own = own_address(request)
    if own is not None and any(own.address == row.address_text for row in endpoints):
        own = None
    return render(
        request,
        "apply/addresses.html",
        {
            "application": application,
            "rows": [
                {
                    "endpoint": row,
                    "number": page.start_index() + place,
                    "line": telling.line_of(row.parts, row.runs),
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
            "own": own,
            "tasks_url": pages.way_back(request, application),
        },
    )


@pages.addresses_page
def add(request: HttpRequest, application: Application) -> HttpResponse:
    stays = "dynamic" if application.fixed_address == rules.Fixed.NO else "static"
    initial = {"block": request.GET.get("address", "")[:60], "id": uuid.uuid4(), "stays": stays}
    return _ask(request, application, None, initial)


@pages.addresses_page
def change(request: HttpRequest, application: Application, id: uuid.UUID) -> HttpResponse:
    try:
        row = queries.endpoint_of(application=application, id=id)
        kind, protocol, port = vpn.asked_as(row.runs, row.parts)
        initial = {
            "block": row.address_text,
            "kind": kind,
            "protocol": protocol,
            "port": port,
            "remote": row.remote,
            "label": row.label,
            "subscriber": row.subscriber,
            "stays": row.kind,
            "id": row.pk,
        }
        return _ask(request, application, row, initial)
    except queries.EndpointNotFound:
        return _gone(request, application, id)


@pages.addresses_page
def remove(request: HttpRequest, application: Application, id: uuid.UUID) -> HttpResponse:
    back = HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))
    if request.method != "POST":
        return back
    row = Endpoint.objects.filter(application=application, pk=id).first()
    if row is None:
        raise Http404
    actions.remove_endpoint(endpoint=row, actor=pages.actor(request), now=pages.now())
    messages.success(
        request,
        _("Address %(address)s was removed.") % {"address": wording.isolated(row.address_text)},
        extra_tags="ok",
    )
    return back


def _gone(request: HttpRequest, application: Application, id: uuid.UUID) -> HttpResponse:
    """Another window removed the address, or put another one in its place. What was typed here is not lost."""
    if not Endpoint.objects.filter(application=application, pk=id).exists():
        raise Http404
    if request.method != "POST":
        messages.warning(request, _("This address was removed or changed in another window."), extra_tags="warn")
        return HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))
    policy = queries.policy_in_force()
    asks = queries.service_of(application, policy).asks_operator
    form = address_form.AddressForm(
        {**request.POST.dict(), "id": str(uuid.uuid4())}, limits=policy.limits, asks_subscriber=asks
    )
    form.add_error(
        "block",
        _(
            "This address was removed or changed in another window. Look at the list of your addresses first. "
            "If you save now, this one is added to it."
        ),
    )
    to_add = reverse("apply:add_address", args=[application.reference])
    return _page(request, application, form, row=None, action=to_add)


def _ask(request: HttpRequest, application: Application, row: Endpoint | None, initial: dict[str, Any]) -> HttpResponse:
    given = None
    policy = queries.policy_in_force()
    asks = queries.service_of(application, policy).asks_operator
    facts: dict[str, Any] = {"limits": policy.limits, "asks_subscriber": asks}
    if request.method == "POST":
        data = request.POST.copy()
        if taken := data.get("take"):
            data["block"] = taken
            if port := data.get("take_port"):
                data["port"] = port
        form = address_form.AddressForm(data, **facts)
        only_filled_in = bool(taken) and not data.get("kind")
        if only_filled_in:
            # A tap on "use this address" before the rest is filled in is no attempt to save.
            form = address_form.AddressForm(initial={**initial, **data.dict()}, asks_subscriber=asks)
        elif form.is_valid() and _save(request, application, row, form):
            return HttpResponseRedirect(reverse("apply:addresses", args=[application.reference]))
    else:
        given = kept.take(request, now=pages.now())
        form = address_form.AddressForm(initial={**initial, **(given or {})}, asks_subscriber=asks)
    return _page(request, application, form, row=row, given_back=given is not None)


def _page(
    request: HttpRequest,
    application: Application,
    form: address_form.AddressForm,
    *,
    row: Endpoint | None,
    given_back: bool = False,
    action: str = "",
) -> HttpResponse:
    own = own_address(request)
    return render(
        request,
        "apply/address.html",
        {
            "application": application,
            "form": form,
            "row": row,
            "own": own if own is not None and str(form["block"].value()) != own.address else None,
            "given_back": given_back,
            "action": action,
            "back_url": reverse("apply:addresses", args=[application.reference]),
        },
    )


def _save(request: HttpRequest, application: Application, row: Endpoint | None, form: address_form.AddressForm) -> bool:
    try:
        saved = address_form.keep(form, application=application, row=row, actor=pages.actor(request), now=pages.now())
    except actions.NotADraft:
        return True
    if saved is None:
        return False
    if saved.asn is None:
        messages.warning(request, _unlisted(saved.network), extra_tags="warn")
    return True


def _unlisted(block: Block) -> str:
    return _(
        "Address %(address)s was added. Its network is not on our list, which happens with addresses from abroad. "
        "You can go on: an officer will look at it."
    ) % {"address": wording.isolated(format_block(block))}
