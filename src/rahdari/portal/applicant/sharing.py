"""An address that somebody else has on the register already: whoever has proved control of it may ask to share it.

Nobody learns that an address is registered before they have proved control of it; and then never by whom.
"""

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from rahdari.address import format_block
from rahdari.apply import queries as apply
from rahdari.apply.models import Application, Endpoint
from rahdari.control import queries as proofs
from rahdari.inquiry.kinds import NoLongerOpen
from rahdari.people.rules import Act
from rahdari.policy import Sharing
from rahdari.register import queries as register
from rahdari.share import actions, queries, rules
from rahdari.share.models import SharingRequest
from rahdari.web import values

from . import shared


class NameForm(forms.Form):
    """The name that those who are asked read."""

    use_required_attribute = False
    name = forms.CharField(
        label=gettext_lazy("The name that they will see"),
        help_text=gettext_lazy("This tells them who asks: your name, your company, or your desk in a shared office."),
        max_length=rules.LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": gettext_lazy("Write the name that they will see"),
            "max_length": gettext_lazy("Use 80 characters at most"),
        },
    )


def is_held(application: Application, endpoint: Endpoint) -> bool:
    """Whether this page says anything: control is proved, and another holder has the address."""
    if endpoint.is_dynamic or not proofs.is_proved(endpoint.subject, endpoint.network):
        return False
    return register.in_the_way(block=endpoint.network, holder=application.holder_ref).exists()


def to_share(application: Application, proved: Iterable[Endpoint]) -> list[Endpoint]:
    """Of the addresses of which control is proved, those for which there is something to ask, or to wait for."""
    return [
        endpoint
        for endpoint in proved
        if not endpoint.is_dynamic
        and register.in_the_way(block=endpoint.network, holder=application.holder_ref).exists()
    ]


@dataclass(frozen=True)
class Stand:
    """What there is to ask about an address, and what became of it: `unproved`, `nobody` has it, somebody `has_it`; or
    the state of the last request. While control is not proved it says the same of every address.
    """

    state: str
    last: SharingRequest | None = None
    terms: Sharing | None = None
    again_at: dt.datetime | None = None
    may_ask: bool = False


UNPROVED, NOBODY, HAS_IT = "unproved", "nobody", "has_it"
STATES = (UNPROVED, NOBODY, HAS_IT, *rules.STATES)


def stand(application: Application, endpoint: Endpoint, now: dt.datetime) -> Stand:
    holder, block = application.holder_ref, endpoint.network
    last = queries.request_of(holder=holder, block=block)
    if last is not None and last.state == rules.AGREED:
        if register.sharer_of(block=block, holder=holder) is not None:
            return Stand(rules.AGREED, last, queries.terms())
        last = None  # the part has ended since
    if endpoint.is_dynamic or not proofs.is_proved(endpoint.subject, block):
        return Stand(UNPROVED)
    if not is_held(application, endpoint):
        return Stand(NOBODY)
    terms, again_at = queries.terms(), None
    if last is not None and terms is not None:
        again_at = rules.asks_again_at(state=last.state, ended_at=last.ended_at, again_after=terms.again_after)
        again_at = again_at if again_at is not None and now < again_at else None
    waits = last is not None and last.is_waiting
    may_ask = terms is not None and not waits and again_at is None and register.may_be_shared(block=block)
    return Stand(last.state if last is not None else HAS_IT, last, terms, again_at, may_ask)


def take_back(application: Application, endpoint: Endpoint, *, actor: str, now: dt.datetime) -> None:
    """Nobody is asked any more, whatever else became of the address or of its proof meanwhile."""
    last = queries.request_of(holder=application.holder_ref, block=endpoint.network)
    if last is not None:
        with contextlib.suppress(NoLongerOpen):
            queries.CO_HOLDER.withdraw(last, actor=actor, now=now)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def share(request: HttpRequest, reference: str, endpoint: uuid.UUID) -> HttpResponse:
    application, by = shared.application(request, reference, Act.PROVE)
    if application.status not in {"draft", "submitted"}:
        return redirect("portal:application", reference=reference)
    mine = next((each for each in apply.endpoints_of(application) if each.pk == endpoint), None)
    if mine is None or mine.is_dynamic:
        raise Http404
    now = timezone.now()
    if request.method == "POST" and "take_back" in request.POST:
        take_back(application, mine, actor=by.actor, now=now)
        return redirect(request.path)
    stands = stand(application, mine, now)
    if stands.state in {UNPROVED, NOBODY}:
        return redirect("portal:prove", reference=reference, endpoint=mine.pk)
    last, terms = stands.last, stands.terms
    form = NameForm(initial={"name": application.company_name or application.holder_name})
    if request.method == "POST" and stands.may_ask and terms is not None:
        form = NameForm(request.POST)
        if form.is_valid():
            try:
                actions.ask(
                    subject=mine.subject,
                    block=mine.network,
                    holder=application.holder_ref,
                    name=form.cleaned_data["name"],
                    asked_by=by.actor,
                    terms=terms,
                    now=now,
                )
            except actions.NoName:
                form.add_error("name", _("Write the name that they will see"))
            except (actions.CannotBeShared, actions.TooSoon):
                return redirect(request.path)
            else:
                return redirect(request.path)
    context = {
        "application": application,
        "endpoint": mine,
        "addr": format_block(mine.network),
        "last": last,
        "state": stands.state,
        "may_ask": stands.may_ask,
        "again_at": stands.again_at,
        "answer_within": values.span_words(terms.answer_within) if terms is not None else "",
        "form": form,
    }
    return render(request, "portal/applicant/share.html", context)
